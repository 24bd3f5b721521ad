//! Rows as a learner wants them: column by column.

use std::sync::Arc;

use acumen_base::{Columns, Time};

/// Many rows of the same columns, stored column by column; a missing value is NaN.
///
/// A category column holds ordinals (0, 1, 2, …) of the dictionary that training built.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// What the columns are.
    pub columns: Arc<Columns>,
    /// How many rows.
    pub n_rows: usize,
    /// One vector of `n_rows` values a column.
    pub data: Vec<Vec<f32>>,
}

/// Rows with their outcomes.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The rows.
    pub matrix: Matrix,
    /// 1 for a positive outcome, 0 for a negative one; the value itself for a regression.
    pub outcome: Vec<f32>,
    /// How much each row counts; `None` is 1 each.
    pub weight: Option<Vec<f32>>,
    /// When each row was read: splits are by time.
    pub time: Vec<Time>,
}
