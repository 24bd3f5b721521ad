//! Outcomes: what turned out to be true.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::Time;

/// What is known of the truth of a decided event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Too early to say.
    Open,
    /// The positive event arrived.
    Positive,
    /// No positive event arrived in time.
    Negative,
}

/// A decision that met its truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The use case.
    pub use_case: String,
    /// The event that was decided on.
    pub event_id: String,
    /// What was done.
    pub action: String,
    /// What turned out to be true.
    pub truth: Truth,
    /// When that became known.
    pub known_at: Time,
    /// What the decision was worth; `None` while it is open.
    pub value: Option<Money>,
}
