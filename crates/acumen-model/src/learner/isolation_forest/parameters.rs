//! The parameters of an isolation forest.

use acumen_base::Columns;
use serde::Serialize;

use crate::learner::params::{Reader, doc};
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params};

/// Every parameter.
pub(super) const DOCS: &[ParamDoc] = &[
    doc(
        "n_estimators",
        &[],
        ParamRange::Whole(1, 10_000),
        "100",
        "how many trees",
    ),
    doc(
        "max_samples",
        &["sample_size"],
        ParamRange::Whole(2, 65_536),
        "256",
        "how many rows each tree is grown on",
    ),
    doc(
        "max_features",
        &[],
        ParamRange::Share(0.0, 1.0),
        "1",
        "the share of columns drawn for each tree",
    ),
    doc(
        "extension_level",
        &[],
        ParamRange::Whole(0, 65_535),
        "0",
        "how many columns besides the first a split looks at; above 0 splits are planes",
    ),
    doc(
        "refresh",
        &[],
        ParamRange::Share(0.0, 1.0),
        "0.25",
        "when it is trained again from the version before: the share of trees, the oldest, that is \
         replaced, and the share of rows, the newest, that the new ones are grown on",
    ),
    doc(
        "seed",
        &["random_state"],
        ParamRange::Whole(0, u64::MAX),
        "0",
        "varies what is drawn",
    ),
    doc(
        "n_threads",
        &["n_jobs"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

/// Parameters that were found to be valid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IsolationParams {
    /// How many trees.
    pub n_estimators: usize,
    /// How many rows each tree is grown on.
    pub max_samples: usize,
    /// The share of columns drawn for each tree.
    pub max_features: f64,
    /// How many columns besides the first a split looks at.
    pub extension_level: usize,
    /// The share of trees that a retraining replaces.
    pub refresh: f64,
    /// Varies what is drawn.
    pub seed: u64,
    /// How many threads; 0 is one a core.
    pub n_threads: usize,
}

impl IsolationParams {
    /// Reads parameters.
    ///
    /// # Errors
    /// Every problem, not only the first.
    pub fn check(params: &Params, columns: &Columns) -> Result<Self, Vec<ParamProblem>> {
        let mut reader = Reader::new(params, DOCS);
        let checked = IsolationParams {
            n_estimators: reader.whole("n_estimators", 100),
            max_samples: reader.whole("max_samples", 256),
            max_features: reader.number("max_features", 1.0),
            extension_level: reader.whole("extension_level", 0),
            refresh: reader.number("refresh", 0.25),
            seed: reader.whole("seed", 0) as u64,
            n_threads: reader.whole("n_threads", 0),
        };
        let (level, count) = (checked.extension_level, columns.len());
        if level > 0 && level >= count {
            let message = format!("`extension_level` is {level}, and there are {count} columns");
            let help = match count {
                0 | 1 => "remove it: planes need two columns at least".to_owned(),
                _ => format!(
                    "it is at most {}, one less than there are columns",
                    count - 1
                ),
            };
            reader.problem("extension_level", message, help);
        }
        if reader.problems.is_empty() {
            Ok(checked)
        } else {
            Err(reader.problems)
        }
    }
}
