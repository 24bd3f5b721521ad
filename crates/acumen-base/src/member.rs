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

/// The name under which the ensemble of a use case's models is deployed: a member whose columns
/// are the other members, each holding [`Prediction::log_odds`].
pub const ENSEMBLE: &str = "ensemble";

/// Log odds are cut off here: an answer of exactly 0 or 1 has none that are finite.
const LOG_ODDS_MAX: f64 = 30.0;

impl Prediction {
    /// The log odds of the raw answer, between -30 and 30.
    pub fn log_odds(&self) -> f64 {
        let odds = self.raw / (1.0 - self.raw);
        odds.ln().clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)
    }
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
    /// It was not asked, because as many of its earlier answers as may be are still outstanding.
    #[error("was not asked: it has not finished with earlier requests")]
    Busy,
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
    /// How much of each column goes into the margin, where that is the same for all rows.
    fn weights(&self) -> Option<&[f64]> {
        None
    }
    /// Whether its attributions take so little time that a decision can wait for them; those of
    /// the others are there when an explanation is asked for.
    fn explains_at_once(&self) -> bool {
        true
    }
    /// Whether it looks at its deadline while it works; one that does not is run beside the
    /// request, so that it can be left behind.
    fn keeps_deadlines(&self) -> bool {
        true
    }
}
