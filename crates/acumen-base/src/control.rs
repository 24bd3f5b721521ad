//! Control records: everything people change that changes an answer, in the same log.

use serde::{Deserialize, Serialize};

use crate::decision::RuleMode;
use crate::source::SourceMark;
use crate::time::Time;
use crate::update::Update;

/// What stands behind a model's name where a challenger of it answers beside it.
pub const CHALLENGER: &str = "@challenger";

/// An edit by a person or a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Control {
    /// Adds ids to a list, or changes until when they are on it.
    ListAdd {
        /// The list's name.
        list: String,
        /// The ids.
        ids: Vec<String>,
        /// They are on it for events before this time; without an end where there is none.
        until: Option<Time>,
    },
    /// Takes ids off a list.
    ListRemove {
        /// The list's name.
        list: String,
        /// The ids.
        ids: Vec<String>,
    },
    /// Switches a rule.
    Rule {
        /// The use case.
        use_case: String,
        /// The rule's id.
        rule: String,
        /// Whether it acts from here on.
        mode: RuleMode,
    },
    /// Moves the probabilities at which the score bands begin.
    Thresholds {
        /// The use case.
        use_case: String,
        /// Pairs of (probability, score), rising in both.
        knots: Vec<(f64, f64)>,
    },
    /// Puts a model version in production; rolling back is deploying an earlier one.
    Deploy {
        /// The use case.
        use_case: String,
        /// The member's name in the spec; with [`CHALLENGER`] behind it, the version answers
        /// beside the one in production and has no vote.
        member: String,
        /// The immutable version.
        version: String,
    },
    /// Takes a member out again: nothing answers under its name from here on.
    Withdraw {
        /// The use case.
        use_case: String,
        /// The member's name, or that of its challenger.
        member: String,
    },
    /// Models were trained anew; what became of that. It changes no answer by itself.
    Update(Box<Update>),
    /// Everything of a source up to here is in the log. It changes no answer by itself.
    Source(Box<SourceMark>),
    /// Weighs the sources of lists.
    Weights {
        /// The use case.
        use_case: String,
        /// What each source weighs.
        weights: Vec<(String, f64)>,
    },
}
