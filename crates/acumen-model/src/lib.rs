//! Rows into predictions: learners, metrics, calibration, explanations, artifacts.

pub mod compiled;
pub mod data;
pub mod forest;

#[cfg(test)]
mod sample;

pub use compiled::CompiledForest;
pub use data::{Dataset, Matrix};
pub use forest::{BrokenForest, Forest, Node, Objective, Tree};
