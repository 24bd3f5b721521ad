//! How badly a row is reconstructed by a network that learnt to reconstruct usual rows.

use serde::{Deserialize, Serialize};

use super::Kernel;
use super::dense::Stack;
use super::inputs::{Inputs, Places};

/// Added to every error, so that its logarithm is finite.
pub const ERROR_MIN: f32 = 1e-6;

/// A network that passes a row through a narrow layer and back.
///
/// The margin is the logarithm of the mean squared difference between inputs and reconstruction,
/// standardised over the training rows: 0 is a usual error, and it grows with unusualness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoencoder {
    /// How columns become inputs; the tables of categories are not trained.
    pub inputs: Inputs,
    /// The columns.
    pub places: Places,
    /// From the inputs to as many outputs.
    pub layers: Stack,
    /// The mean of the logarithm of the error of the training rows.
    pub mean: f32,
    /// Its deviation; positive.
    pub deviation: f32,
}

impl Autoencoder {
    /// The margin of an error.
    fn standardise(&self, error: f32) -> f32 {
        ((error + ERROR_MIN).ln() - self.mean) / self.deviation
    }

    fn error(inputs: &[f32], outputs: &[f32]) -> f32 {
        let pairs = inputs.iter().zip(outputs);
        let sum: f32 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
        sum / inputs.len() as f32
    }
}

impl Kernel for Autoencoder {
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
        let outputs = self.layers.forward(inputs, go_on)?;
        Some(self.standardise(Autoencoder::error(inputs, &outputs)))
    }

    fn gradient(&self, inputs: &[f32]) -> Vec<f32> {
        let trace = self.layers.trace(inputs);
        let outputs = trace.last().map_or(inputs, Vec::as_slice);
        let error = Autoencoder::error(inputs, outputs) + ERROR_MIN;
        let scale = 2.0 / (inputs.len() as f32 * error * self.deviation);
        let pairs = inputs.iter().zip(outputs);
        let change: Vec<f32> = pairs.map(|(a, b)| scale * (b - a)).collect();
        let mut gradient = self.layers.pull(&trace, change.clone());
        for (gradient, change) in gradient.iter_mut().zip(&change) {
            *gradient -= change;
        }
        gradient
    }

    fn spread(&self, _row: &[f32], moved: &[f64], columns: &mut [f64]) {
        self.inputs.spread(&self.places, moved, columns);
    }

    fn check(&self, n_features: usize) -> Result<(), String> {
        let places = std::slice::from_ref(&self.places);
        self.inputs.check(places, n_features)?;
        if !self.mean.is_finite() || !self.deviation.is_finite() || self.deviation <= 0.0 {
            return Err(format!(
                "an error cannot have the mean {} and the deviation {}",
                self.mean, self.deviation
            ));
        }
        let width = self.inputs.width();
        self.layers.check(width, width)
    }

    fn parameters(&self) -> usize {
        self.layers.parameters()
    }
}
