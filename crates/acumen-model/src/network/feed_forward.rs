//! Dense layers over the columns of a row.

use serde::{Deserialize, Serialize};

use super::Kernel;
use super::dense::Stack;
use super::inputs::{Inputs, Places};

/// Dense layers over the columns of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedForward {
    /// How columns become inputs.
    pub inputs: Inputs,
    /// The columns.
    pub places: Places,
    /// From the inputs to the margin.
    pub layers: Stack,
}

impl Kernel for FeedForward {
    fn encode(&self, row: &[f32]) -> Vec<f32> {
        let mut inputs = vec![0.0; self.inputs.width()];
        self.inputs
            .encode(&self.places, |column| row[column], &mut inputs);
        inputs
    }

    fn encode_nothing(&self) -> Vec<f32> {
        let mut inputs = vec![0.0; self.inputs.width()];
        self.inputs.encode_nothing(&mut inputs);
        inputs
    }

    fn margin(&self, inputs: &[f32], go_on: &mut dyn FnMut() -> bool) -> Option<f32> {
        self.layers.forward(inputs, go_on).map(|output| output[0])
    }

    fn gradient(&self, inputs: &[f32]) -> Vec<f32> {
        self.layers.pull(&self.layers.trace(inputs), vec![1.0])
    }

    fn spread(&self, _row: &[f32], moved: &[f64], columns: &mut [f64]) {
        self.inputs.spread(&self.places, moved, columns);
    }

    fn check(&self, n_features: usize) -> Result<(), String> {
        let places = std::slice::from_ref(&self.places);
        self.inputs.check(places, n_features)?;
        self.layers.check(self.inputs.width(), 1)
    }

    fn parameters(&self) -> usize {
        self.inputs.parameters() + self.layers.parameters()
    }
}
