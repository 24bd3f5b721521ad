//! Dense layers, one row at a time, and what they pull back.

use serde::{Deserialize, Serialize};

/// `y = x W + b`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// How many values go in.
    pub inputs: usize,
    /// How many come out.
    pub outputs: usize,
    /// `inputs × outputs` numbers, one line an input.
    pub weights: Vec<f32>,
    /// `outputs` numbers.
    pub bias: Vec<f32>,
}

/// Dense layers one after the other, with a rectifier between two of them and none at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stack {
    /// The layers, at least one.
    pub layers: Vec<Dense>,
}

/// Inputs whose lines of weights are added together, so that sums are loaded and stored once.
const TOGETHER: usize = 4;
/// Partial sums of a product, as many as a vector register holds.
const LANES: usize = 8;

impl Dense {
    /// The outputs for an input.
    pub(crate) fn forward(&self, input: &[f32]) -> Vec<f32> {
        let mut output = self.bias.clone();
        self.add_product(input, &mut output);
        output
    }

    /// Adds `input · W` to sums.
    pub(super) fn add_product(&self, input: &[f32], sums: &mut [f32]) {
        let width = self.outputs.max(1);
        let lines = self.weights.chunks(TOGETHER * width);
        for (values, lines) in input.chunks(TOGETHER).zip(lines) {
            match *values {
                [a, b, c, d] => {
                    // After a rectifier many are zero, often all four.
                    if (a, b, c, d) == (0.0, 0.0, 0.0, 0.0) {
                        continue;
                    }
                    let (first, rest) = lines.split_at(width);
                    let (second, rest) = rest.split_at(width);
                    let (third, fourth) = rest.split_at(width);
                    let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
                    for (sum, ((w, x), (y, z))) in sums.iter_mut().zip(pairs) {
                        *sum += (a * w + b * x) + (c * y + d * z);
                    }
                }
                _ => {
                    for (value, line) in values.iter().zip(lines.chunks(width)) {
                        for (sum, weight) in sums.iter_mut().zip(line) {
                            *sum += value * weight;
                        }
                    }
                }
            }
        }
    }

    /// Adds to `input` what a change of each input would change, given that of the outputs.
    pub(super) fn pull(&self, output: &[f32], input: &mut [f32]) {
        let lines = self.weights.chunks(self.outputs.max(1));
        for (input, line) in input.iter_mut().zip(lines) {
            *input += dot(line, output);
        }
    }

    /// Whether its numbers are there and finite.
    pub(crate) fn check(&self) -> Result<(), String> {
        let shape = (self.inputs * self.outputs, self.outputs);
        if (self.weights.len(), self.bias.len()) != shape {
            return Err(format!(
                "a layer of {} × {} has {} weights and {} biases",
                self.inputs,
                self.outputs,
                self.weights.len(),
                self.bias.len()
            ));
        }
        let mut numbers = self.weights.iter().chain(&self.bias);
        match numbers.find(|number| !number.is_finite()) {
            Some(number) => Err(format!("a layer cannot hold {number}")),
            None => Ok(()),
        }
    }
}

impl Stack {
    /// The outputs for an input; `None` where `go_on` says no between two layers.
    pub(super) fn forward(
        &self,
        input: &[f32],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Vec<f32>> {
        let mut now: Option<Vec<f32>> = None;
        for layer in &self.layers {
            if !go_on() {
                return None;
            }
            if let Some(values) = &mut now {
                rectify(values);
            }
            now = Some(layer.forward(now.as_deref().unwrap_or(input)));
        }
        now
    }

    /// The outputs for an input.
    pub(crate) fn through(&self, input: &[f32]) -> Vec<f32> {
        let outputs = self.forward(input, &mut || true);
        outputs.expect("there is at least one layer, and nothing stops it")
    }

    /// By how much the one output changes with each input, at an input.
    pub(crate) fn slope(&self, input: &[f32]) -> Vec<f32> {
        self.pull(&self.trace(input), vec![1.0])
    }

    /// How many values come out.
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// The outputs of every layer, rectified but for the last.
    pub(super) fn trace(&self, input: &[f32]) -> Vec<Vec<f32>> {
        let mut outputs: Vec<Vec<f32>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            if let Some(values) = outputs.last_mut() {
                rectify(values);
            }
            let output = layer.forward(outputs.last().map_or(input, Vec::as_slice));
            outputs.push(output);
        }
        outputs
    }

    /// What a change of each input would change, given that of the last outputs.
    pub(super) fn pull(&self, trace: &[Vec<f32>], mut output: Vec<f32>) -> Vec<f32> {
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let mut input = vec![0.0; layer.inputs];
            layer.pull(&output, &mut input);
            if let Some(before) = index.checked_sub(1) {
                block(&trace[before], &mut input);
            }
            output = input;
        }
        output
    }

    /// How many numbers it has.
    pub fn parameters(&self) -> usize {
        let of = |layer: &Dense| layer.weights.len() + layer.bias.len();
        self.layers.iter().map(of).sum()
    }

    /// Whether its layers fit each other and the widths before and behind.
    pub(crate) fn check(&self, inputs: usize, outputs: usize) -> Result<(), String> {
        let mut width = inputs;
        for layer in &self.layers {
            layer.check()?;
            if layer.inputs != width {
                return Err(format!("a layer takes {}, not {width}", layer.inputs));
            }
            width = layer.outputs;
        }
        match width == outputs && !self.layers.is_empty() {
            true => Ok(()),
            false => Err(format!("the last layer gives {width}, not {outputs}")),
        }
    }
}

pub(crate) fn rectify(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

/// No change goes back through a rectifier that is shut.
pub(crate) fn block(rectified: &[f32], change: &mut [f32]) {
    for (change, value) in change.iter_mut().zip(rectified) {
        if *value <= 0.0 {
            *change = 0.0;
        }
    }
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (whole, rest) = a.split_at(a.len() - a.len() % LANES);
    for (a, b) in whole.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest = rest.iter().zip(&b[whole.len()..]);
    sums.iter().sum::<f32>() + rest.map(|(a, b)| a * b).sum::<f32>()
}
