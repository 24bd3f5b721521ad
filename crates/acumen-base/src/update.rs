//! What training models anew came to: the record by which a promotion can be audited.

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// One training of a use case's models beside the running engine, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// The use case.
    pub use_case: String,
    /// `schedule`, or who asked.
    pub asked_by: String,
    /// When it began.
    pub started_at: Time,
    /// When it was done.
    pub ended_at: Time,
    /// What was trained; empty where that failed.
    pub candidate: Vec<ModelVersion>,
    /// What was live.
    pub champion: Vec<ModelVersion>,
    /// The first and the last instant of the rows that both were judged on.
    pub judged: Option<(Time, Time)>,
    /// What was asked of the candidate; empty where there was nothing to ask.
    pub gates: Vec<Gate>,
    /// Whether the candidate is live since.
    pub promoted: bool,
    /// Why, or why not, in words.
    pub why: String,
}

/// A model and one of its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The model's name in the spec.
    pub member: String,
    /// The immutable version.
    pub version: String,
}

/// One thing that a candidate has to pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name, such as `not_worse`.
    pub name: String,
    /// Whether the candidate passed.
    pub passed: bool,
    /// What the candidate has; `None` where it could not be measured.
    pub figure: Option<f64>,
    /// What it has to keep to.
    pub limit: Option<f64>,
    /// The same in words.
    pub text: String,
}
