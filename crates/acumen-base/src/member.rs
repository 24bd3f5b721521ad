//! The trait by which a layer runs a model that it has never seen.

use serde::{Deserialize, Serialize};

use crate::clock::Deadline;
use crate::row::{Columns, Row};

/// What a model says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The calibrated probability, or the expected value for a regression.
    pub value: f64,
    /// What the model said before calibration.
    pub raw: f64,
}

/// How much one column moved a prediction, in the model's own (margin) units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The column's name.
    pub column: String,
    /// The value that the row held; NaN where it was missing.
    pub value: f64,
    /// Its share of the margin: positive raises the prediction.
    pub contribution: f64,
}

/// Why a member gave no prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MemberError {
    /// It could not finish in time.
    #[error("did not finish before its deadline")]
    Late,
    /// It was not asked, because it overran its deadline too often lately.
    #[error("was not asked: it overran its deadline too often lately")]
    Skipped,
    /// The row is not of the columns that it was trained on.
    #[error("{0}")]
    WrongRow(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

/// A model as a layer sees it.
pub trait Member: Send + Sync {
    /// The name in the spec, such as `boosted`.
    fn name(&self) -> &str;
    /// The immutable version that answers.
    fn version(&self) -> &str;
    /// The columns that it wants, with their fingerprint.
    fn columns(&self) -> &Columns;
    /// Predicts for one row; checks the deadline between units of work.
    fn predict(&self, row: &Row, deadline: &Deadline) -> Result<Prediction, MemberError>;
    /// How much each column moved the margin; sums to margin − base. Empty where unsupported.
    fn attributions(&self, row: &Row) -> Vec<Attribution>;
}
