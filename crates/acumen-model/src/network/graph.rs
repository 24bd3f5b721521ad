//! Aggregates over the neighbours of a node, joined with what is known of the node itself.
//!
//! This is the inductive network of Hamilton, Ying and Leskovec 2017 ("Inductive representation
//! learning on large graphs", GraphSAGE, Algorithm 1) over the neighbours that a row holds: each
//! neighbour of a hop goes through one dense layer that all of them share, and the mean and the
//! largest of what comes out stand for the hop. No node has parameters of its own, so an unseen
//! one scores; one without neighbours has zeros and a flag.

use serde::{Deserialize, Serialize};

use super::Kernel;
use super::dense::{Dense, Stack, block, rectify};
use super::inputs::{Inputs, Places};
use super::recurrent::spread_gate;

/// Aggregates over neighbours, joined with the other columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// How the other columns become inputs.
    pub own: Inputs,
    /// The other columns.
    pub places: Places,
    /// The neighbours of each feature and hop.
    pub hops: Vec<Neighbourhood>,
    /// From the other columns and the aggregates to the margin.
    pub head: Stack,
}

/// The neighbours of one feature and hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbourhood {
    /// Feature and hop: `around.hop1`.
    pub name: String,
    /// How the columns of a neighbour become inputs.
    pub fields: Inputs,
    /// The columns of each neighbour, the latest first.
    pub neighbours: Vec<Places>,
    /// What every neighbour goes through.
    pub layer: Dense,
}

/// What a neighbourhood computed: each neighbour's place, gate and rectified outputs.
type Seen = Vec<(usize, f32, Vec<f32>)>;

impl Neighbourhood {
    /// Inputs of a neighbour: its gate and its fields.
    fn place_width(&self) -> usize {
        1 + self.fields.width()
    }

    fn inputs_width(&self) -> usize {
        self.neighbours.len() * self.place_width()
    }

    /// How many numbers stand for it: means, largest values, and whether there is no neighbour.
    fn outputs_width(&self) -> usize {
        2 * self.layer.outputs + 1
    }

    fn encode(&self, row: Option<&[f32]>, out: &mut [f32]) {
        let out = out.chunks_exact_mut(self.place_width());
        for (places, out) in self.neighbours.iter().zip(out) {
            match row.filter(|row| !places.is_empty_in(|column| row[column])) {
                Some(row) => {
                    out[0] = 1.0;
                    self.fields
                        .encode(places, |column| row[column], &mut out[1..]);
                }
                None => self.fields.encode_nothing(&mut out[1..]),
            }
        }
    }

    fn see(&self, inputs: &[f32]) -> Seen {
        let places = inputs.chunks_exact(self.place_width()).enumerate();
        let present = places.filter(|(_, place)| place[0] != 0.0);
        present
            .map(|(at, place)| {
                let mut output = self.layer.forward(&place[1..]);
                rectify(&mut output);
                (at, place[0], output)
            })
            .collect()
    }

    /// Mean and largest of the gated outputs, and 1 less the mean gate.
    fn aggregate(&self, seen: &Seen, joined: &mut Vec<f32>) {
        let width = self.layer.outputs;
        let begin = joined.len();
        joined.resize(begin + self.outputs_width(), 0.0);
        let (mean, rest) = joined[begin..].split_at_mut(width);
        let (largest, none) = rest.split_at_mut(width);
        let count = seen.len().max(1) as f32;
        none[0] = 1.0;
        for (_, gate, output) in seen {
            for ((mean, largest), value) in mean.iter_mut().zip(&mut *largest).zip(output) {
                *mean += gate * value / count;
                *largest = largest.max(gate * value);
            }
            none[0] -= gate / count;
        }
    }

    /// Adds how the margin changes with the inputs, given how it does with the aggregates.
    fn pull(&self, seen: &Seen, change: &[f32], inputs: &mut [f32]) {
        let width = self.layer.outputs;
        let (mean, rest) = change.split_at(width);
        let (largest, none) = rest.split_at(width);
        let count = seen.len().max(1) as f32;
        let mut first: Vec<Option<usize>> = vec![None; width];
        for (unit, first) in first.iter_mut().enumerate() {
            let mut most = 0.0;
            for (index, (_, gate, output)) in seen.iter().enumerate() {
                if gate * output[unit] > most {
                    (most, *first) = (gate * output[unit], Some(index));
                }
            }
        }
        for (index, (at, gate, output)) in seen.iter().enumerate() {
            let part = |unit: usize| match first[unit] == Some(index) {
                true => mean[unit] / count + largest[unit],
                false => mean[unit] / count,
            };
            let parts: Vec<f32> = (0..width).map(part).collect();
            let pairs = parts.iter().zip(output);
            let of_gate: f32 = pairs.map(|(part, value)| part * value).sum();
            let place = &mut inputs[at * self.place_width()..][..self.place_width()];
            place[0] += of_gate - none[0] / count;
            let mut sums: Vec<f32> = parts.iter().map(|part| gate * part).collect();
            block(output, &mut sums);
            self.layer.pull(&sums, &mut place[1..]);
        }
    }
}

impl Graph {
    fn encode_with(&self, row: Option<&[f32]>) -> Vec<f32> {
        let hops = self.hops.iter().map(Neighbourhood::inputs_width);
        let mut inputs = vec![0.0; self.own.width() + hops.sum::<usize>()];
        let (own, mut rest) = inputs.split_at_mut(self.own.width());
        match row {
            Some(row) => self.own.encode(&self.places, |column| row[column], own),
            None => self.own.encode_nothing(own),
        }
        for hop in &self.hops {
            let (out, behind) = rest.split_at_mut(hop.inputs_width());
            hop.encode(row, out);
            rest = behind;
        }
        inputs
    }

    /// Where the inputs of each hop begin.
    fn begins(&self) -> impl Iterator<Item = (&Neighbourhood, usize)> {
        self.hops.iter().scan(self.own.width(), |begin, hop| {
            let at = *begin;
            *begin += hop.inputs_width();
            Some((hop, at))
        })
    }
}

impl Kernel for Graph {
    fn encode(&self, row: &[f32]) -> Vec<f32> {
        self.encode_with(Some(row))
    }

    fn encode_nothing(&self) -> Vec<f32> {
        self.encode_with(None)
    }

    fn margin(&self, inputs: &[f32], go_on: &mut dyn FnMut() -> bool) -> Option<f32> {
        let mut joined = inputs[..self.own.width()].to_vec();
        for (hop, begin) in self.begins() {
            if !go_on() {
                return None;
            }
            let seen = hop.see(&inputs[begin..begin + hop.inputs_width()]);
            hop.aggregate(&seen, &mut joined);
        }
        self.head.forward(&joined, go_on).map(|output| output[0])
    }

    fn gradient(&self, inputs: &[f32]) -> Vec<f32> {
        let mut joined = inputs[..self.own.width()].to_vec();
        let mut all = Vec::with_capacity(self.hops.len());
        for (hop, begin) in self.begins() {
            let seen = hop.see(&inputs[begin..begin + hop.inputs_width()]);
            hop.aggregate(&seen, &mut joined);
            all.push(seen);
        }
        let change = self.head.pull(&self.head.trace(&joined), vec![1.0]);
        let (own, mut change) = change.split_at(self.own.width());
        let mut gradient = vec![0.0; inputs.len()];
        gradient[..own.len()].copy_from_slice(own);
        for ((hop, begin), seen) in self.begins().zip(&all) {
            let (of_hop, rest) = change.split_at(hop.outputs_width());
            let end = begin + hop.inputs_width();
            hop.pull(seen, of_hop, &mut gradient[begin..end]);
            change = rest;
        }
        gradient
    }

    fn spread(&self, row: &[f32], moved: &[f64], columns: &mut [f64]) {
        self.own
            .spread(&self.places, &moved[..self.own.width()], columns);
        for (hop, begin) in self.begins() {
            let places = moved[begin..].chunks_exact(hop.place_width());
            for (places, moved) in hop.neighbours.iter().zip(places) {
                spread_gate(places, row, moved[0], columns);
                hop.fields.spread(places, &moved[1..], columns);
            }
        }
    }

    fn check(&self, n_features: usize) -> Result<(), String> {
        let places = std::slice::from_ref(&self.places);
        self.own.check(places, n_features)?;
        for hop in &self.hops {
            hop.fields.check(&hop.neighbours, n_features)?;
            hop.layer.check()?;
            if hop.layer.inputs != hop.fields.width() {
                return Err(format!("`{}` takes {} inputs", hop.name, hop.layer.inputs));
            }
        }
        let aggregates = self.hops.iter().map(Neighbourhood::outputs_width);
        self.head
            .check(self.own.width() + aggregates.sum::<usize>(), 1)
    }

    fn parameters(&self) -> usize {
        let hops = self
            .hops
            .iter()
            .map(|hop| hop.fields.parameters() + hop.layer.weights.len() + hop.layer.bias.len());
        self.own.parameters() + hops.sum::<usize>() + self.head.parameters()
    }
}
