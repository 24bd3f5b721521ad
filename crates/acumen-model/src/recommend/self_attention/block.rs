//! One block: attention to what came before, and a dense network over each event, each added to
//! what went in, which is normed before (Vaswani et al. 2017, "Attention is all you need"; the norm
//! stands where Kang and McAuley have it).

use serde::{Deserialize, Serialize};

use crate::network::{Dense, Stack, dot};

/// A block of attention with several heads. All layers are as wide as an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// How many parts of a line attend on their own; it divides the width.
    pub heads: usize,
    /// Before the attention.
    pub norm: Norm,
    /// What an event asks for.
    pub query: Dense,
    /// What it is found by.
    pub key: Dense,
    /// What it tells whoever finds it.
    pub value: Dense,
    /// From what all heads were told to what is added.
    pub output: Dense,
    /// Before the dense network.
    pub inner_norm: Norm,
    /// The dense network over each event.
    pub inner: Stack,
}

/// A line brought to the mean 0 and the deviation 1, scaled and shifted (Ba et al. 2016, "Layer
/// normalization").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Norm {
    /// One factor a number.
    pub scale: Vec<f32>,
    /// What is added to each.
    pub shift: Vec<f32>,
}

impl Norm {
    /// What is added to the variance, so that equal numbers are no division by 0.
    pub const EPSILON: f32 = 1e-5;

    pub(super) fn forward(&self, line: &[f32]) -> Vec<f32> {
        let count = line.len() as f32;
        let mean = line.iter().sum::<f32>() / count;
        let squares = line.iter().map(|value| (value - mean) * (value - mean));
        let variance = squares.sum::<f32>() / count;
        let factor = 1.0 / (variance + Self::EPSILON).sqrt();
        let each = line.iter().zip(&self.scale).zip(&self.shift);
        each.map(|((value, scale), shift)| (value - mean) * factor * scale + shift)
            .collect()
    }

    pub(super) fn check(&self, width: usize) -> Result<(), String> {
        if self.scale.len() != width || self.shift.len() != width {
            return Err("a norm is not as wide as an item".to_owned());
        }
        let mut numbers = self.scale.iter().chain(&self.shift);
        match numbers.find(|number| !number.is_finite()) {
            Some(number) => Err(format!("a norm cannot hold {number}")),
            None => Ok(()),
        }
    }
}

impl Block {
    fn width(&self) -> usize {
        self.output.outputs
    }

    /// What the lines of events, the oldest first, become; without the first `from`.
    pub(super) fn forward(&self, lines: &[f32], from: usize) -> Vec<f32> {
        let width = self.width();
        let normed: Vec<Vec<f32>> = lines
            .chunks_exact(width)
            .map(|line| self.norm.forward(line))
            .collect();
        let through = |layer: &Dense| -> Vec<f32> {
            let lines = normed.iter();
            lines.flat_map(|line| layer.forward(line)).collect()
        };
        let (keys, values) = (through(&self.key), through(&self.value));
        let mut after = lines[from * width..].to_vec();
        for (line, at) in after.chunks_exact_mut(width).zip(from..) {
            let query = self.query.forward(&normed[at]);
            let known = (at + 1) * width;
            let told = self.attend(&query, &keys[..known], &values[..known]);
            add(line, &self.output.forward(&told));
            let inner = self.inner.through(&self.inner_norm.forward(line));
            add(line, &inner);
        }
        after
    }

    /// What a query is told by the events before it and its own.
    fn attend(&self, query: &[f32], keys: &[f32], values: &[f32]) -> Vec<f32> {
        let width = self.width();
        let part = width / self.heads;
        let scale = 1.0 / (part as f32).sqrt();
        let mut told = vec![0.0; width];
        let mut weights = Vec::with_capacity(keys.len() / width);
        for (head, told) in told.chunks_exact_mut(part).enumerate() {
            let of = |line: usize| line * width + head * part..line * width + (head + 1) * part;
            let query = &query[of(0)];
            weights.clear();
            let events = 0..keys.len() / width;
            weights.extend(events.map(|event| scale * dot(query, &keys[of(event)])));
            soften(&mut weights);
            for (event, weight) in weights.iter().enumerate() {
                let values = values[of(event)].iter();
                told.iter_mut()
                    .zip(values)
                    .for_each(|(sum, value)| *sum += weight * value);
            }
        }
        told
    }

    pub(super) fn check(&self, width: usize) -> Result<(), String> {
        if self.heads == 0 || !width.is_multiple_of(self.heads) {
            return Err(format!("{} heads cannot share {width} numbers", self.heads));
        }
        for layer in [&self.query, &self.key, &self.value, &self.output] {
            layer.check()?;
            if (layer.inputs, layer.outputs) != (width, width) {
                return Err("a layer of attention is not as wide as an item".to_owned());
            }
        }
        self.inner.check(width, width)?;
        self.norm.check(width)?;
        self.inner_norm.check(width)
    }
}

fn add(line: &mut [f32], by: &[f32]) {
    line.iter_mut().zip(by).for_each(|(sum, by)| *sum += by);
}

/// Turns numbers into shares of 1 by their exponentials.
fn soften(numbers: &mut [f32]) {
    let most = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for number in numbers.iter_mut() {
        *number = (*number - most).exp();
        sum += *number;
    }
    numbers.iter_mut().for_each(|number| *number /= sum);
}
