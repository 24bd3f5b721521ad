//! Networks as data, and how one row goes through them: weights, no tensor framework.
//!
//! A row becomes a vector of *inputs* ([`Inputs`]); a *body* turns them into a margin: dense
//! layers over the row ([`FeedForward`]), a recurrent cell over the steps of sequences
//! ([`Recurrent`]), a reconstruction and its error ([`Autoencoder`]), or an aggregate over
//! neighbours ([`Graph`]). The logistic function of the margin is a score in (0, 1).
//!
//! Products are added up in one fixed order, so many rows give bit for bit what one by one gives.
//! A step or neighbour of which a row holds nothing is *masked*: its gate is 0, and it changes
//! nothing.
//!
//! Explanations are integrated gradients (Sundararajan, Taly and Yan 2017, "Axiomatic attribution
//! for deep networks") along the straight line from the row of which nothing is known: numbers at
//! their training mean, categories missing, no steps and no neighbours.

use acumen_base::Deadline;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Matrix;
use crate::fitted::Scorer;
use crate::shap::Explanation;

mod autoencoder;
mod dense;
mod explain;
mod feed_forward;
mod graph;
mod inputs;
mod recurrent;
#[cfg(test)]
mod tests;

pub use autoencoder::{Autoencoder, ERROR_MIN};
pub use dense::{Dense, Stack};
pub(crate) use dense::{block, dot, rectify};
pub use feed_forward::FeedForward;
pub use graph::{Graph, Neighbourhood};
pub use inputs::{DEVIATIONS_MAX, Inputs, Number, Places, Table, squash};
pub use recurrent::{Cell, CellKind, Recurrent};

/// Rows of one unit of parallel work.
const ROWS_PER_TASK: usize = 64;

/// A network that was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// How many columns a row has.
    pub n_features: usize,
    /// What it does with them.
    pub body: Box<Body>,
}

/// What a network does with a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Dense layers over the row.
    FeedForward(FeedForward),
    /// A recurrent cell over the steps of sequences, then dense layers.
    Recurrent(Recurrent),
    /// How badly the row is reconstructed.
    Autoencoder(Autoencoder),
    /// Aggregates over neighbours, then dense layers.
    Graph(Graph),
}

/// A network whose numbers do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network is broken: {problem}")]
pub struct BrokenNetwork {
    /// What is wrong.
    pub problem: String,
}

/// What every body can do, over one flat vector of inputs.
trait Kernel: Sync {
    /// The inputs of a row.
    fn encode(&self, row: &[f32]) -> Vec<f32>;
    /// The inputs of the row of which nothing is known.
    fn encode_nothing(&self) -> Vec<f32>;
    /// The margin; `None` where `go_on` says no between two units of work.
    fn margin(&self, inputs: &[f32], go_on: &mut dyn FnMut() -> bool) -> Option<f32>;
    /// By how much the margin changes with each input.
    fn gradient(&self, inputs: &[f32]) -> Vec<f32>;
    /// Adds what each input moved to the columns that it comes from.
    fn spread(&self, row: &[f32], moved: &[f64], columns: &mut [f64]);
    /// What is wrong with it, for rows of so many columns.
    fn check(&self, n_features: usize) -> Result<(), String>;
    /// How many numbers it has.
    fn parameters(&self) -> usize;
}

impl Network {
    fn kernel(&self) -> &dyn Kernel {
        match &*self.body {
            Body::FeedForward(body) => body,
            Body::Recurrent(body) => body,
            Body::Autoencoder(body) => body,
            Body::Graph(body) => body,
        }
    }

    /// The margin of one row; a missing value is NaN.
    ///
    /// # Panics
    /// If the row has fewer than `n_features` values.
    pub fn margin(&self, row: &[f32]) -> f32 {
        let kernel = self.kernel();
        let margin = kernel.margin(&kernel.encode(row), &mut || true);
        margin.expect("nothing stops it")
    }

    /// The margin of the row of which nothing is known.
    pub fn expected(&self) -> f32 {
        let kernel = self.kernel();
        let margin = kernel.margin(&kernel.encode_nothing(), &mut || true);
        margin.expect("nothing stops it")
    }

    /// What it is made of, for people: `a feed-forward network of 2,113 numbers`.
    pub fn describe(&self) -> String {
        let what = match &*self.body {
            Body::FeedForward(_) => "a feed-forward network",
            Body::Recurrent(body) => match body.cell.kind {
                CellKind::Lstm => "an LSTM network",
                CellKind::Gru => "a GRU network",
            },
            Body::Autoencoder(_) => "an autoencoder",
            Body::Graph(_) => "a graph network",
        };
        format!("{what} of {} numbers", self.kernel().parameters())
    }

    /// Whether it is what it says; everything else relies on it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), BrokenNetwork> {
        let checked = self.kernel().check(self.n_features);
        checked.map_err(|problem| BrokenNetwork { problem })
    }
}

impl Scorer for Network {
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        let kernel = self.kernel();
        kernel.margin(&kernel.encode(row), &mut || !deadline.expired())
    }

    fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        let mut margins = vec![0.0; rows.n_rows];
        let tasks = margins.par_chunks_mut(ROWS_PER_TASK).enumerate();
        tasks.for_each(|(task, margins)| {
            let mut row = vec![0.0; rows.data.len()];
            for (margin, index) in margins.iter_mut().zip(task * ROWS_PER_TASK..) {
                for (value, column) in row.iter_mut().zip(&rows.data) {
                    *value = column[index];
                }
                *margin = self.margin(&row);
            }
        });
        margins
    }

    fn explain(&self, row: &[f32]) -> Explanation {
        explain::integrated_gradients(self.kernel(), row)
    }
}
