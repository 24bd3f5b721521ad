//! Rows into predictions: learners, metrics, calibration, explanations, artifacts.

pub mod data;
pub mod forest;

pub use data::{Dataset, Matrix};
pub use forest::{Forest, Node, Objective, Tree};
