//! Learners: parameters are checked, then fitted to rows.
//!
//! ```text
//! parameters ──check──▶ Checked ──fit──▶ Fitted
//! ```
//!
//! A learner is one file and one line in [`LEARNERS`]; documentation, error suggestions and the
//! laws are derived from that list. Fitting is deterministic: the same rows, parameters and seed
//! give the same bytes at any number of threads.

use std::collections::BTreeMap;
use std::fmt;

use acumen_base::{Columns, Seed, nearest};
use serde::Serialize;

use crate::data::Dataset;
use crate::fitted::FittedModel;
use crate::lifetime::LifetimeError;

pub mod boosting;
mod checks;
pub mod isolation_forest;
pub mod lambda_mart;
#[cfg(test)]
mod laws;
pub mod lifetime;
pub(crate) mod params;
pub(crate) mod threads;
pub mod two_part;

pub use boosting::GradientBoosting;
pub use checks::check_rows;
pub use isolation_forest::Isolation;
pub use lambda_mart::LambdaMart;
pub use lifetime::Lifetime;
pub use params::Reader;
pub use two_part::TwoPartBoosting;

/// Every learner.
pub static LEARNERS: &[&dyn Learner] = &[
    &GradientBoosting,
    &Isolation,
    &Lifetime::BgNbd,
    &Lifetime::ParetoNbd,
    &TwoPartBoosting,
];

/// The parameters of a model, as its specification gives them.
pub type Params = BTreeMap<String, serde_json::Value>;

/// What turns rows and outcomes into a model.
pub trait Learner: Sync {
    /// The name that a specification uses, such as `xgboost`.
    fn name(&self) -> &'static str;
    /// Other names of it.
    fn aliases(&self) -> &'static [&'static str];
    /// What it is, for people.
    fn doc(&self) -> &'static str;
    /// Its parameters.
    fn params(&self) -> &'static [ParamDoc];
    /// The parameters that are worth a search, each with the least and the greatest value that
    /// usually are: what is searched where a specification names no ranges.
    fn searched(&self) -> &'static [(&'static str, [f64; 2])] {
        &[]
    }
    /// Of a learner that can stop early, the parameters that say how many rounds there are at most
    /// and how long a better one is waited for: with the first at the best round and without the
    /// second, no rows to stop by are needed.
    fn rounds(&self) -> Option<[&'static str; 2]> {
        None
    }
    /// Checks parameters against themselves and the columns they name.
    ///
    /// # Errors
    /// Every problem, not only the first.
    fn check(
        &self,
        params: &Params,
        columns: &Columns,
    ) -> Result<Box<dyn Checked>, Vec<ParamProblem>>;
}

/// What predictions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicts {
    /// Once calibrated, the probability of the outcome.
    Probability,
    /// The outcome itself, which is a number.
    Value,
    /// Something else, in words.
    Other(&'static str),
}

/// A learner with parameters that were found to be valid.
pub trait Checked: fmt::Debug + Send + Sync {
    /// Fits a model to `train`. `valid` (later rows) tells when to stop; `progress` is called
    /// after every round.
    ///
    /// # Errors
    /// When the rows cannot teach anything: none, one class only, outcomes that are not numbers.
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError>;

    /// What its predictions are.
    fn predicts(&self) -> Predicts {
        Predicts::Probability
    }

    /// Whether [`Checked::fit_from`] goes on from a model of the same learner over the same columns,
    /// so many; otherwise it begins anew.
    fn goes_on_from(&self, previous: &FittedModel, n_columns: usize) -> bool {
        let _no_learner_has_to = (previous, n_columns);
        false
    }

    /// Fits a model that goes on from `previous`, an earlier one over the same columns and
    /// categories, where the learner can; one that cannot, or not from this model, begins anew.
    ///
    /// # Errors
    /// As [`Checked::fit`].
    fn fit_from(
        &self,
        previous: &FittedModel,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        let _cannot_go_on = previous;
        self.fit(train, valid, seed, progress)
    }

    /// All parameters with their values, defaults included.
    fn params_json(&self) -> serde_json::Value;
}

/// One parameter of a learner.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ParamDoc {
    /// The name.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// What it may be.
    pub range: ParamRange,
    /// Its value when it is not given, as text.
    pub default: &'static str,
    /// What it does, for people.
    pub doc: &'static str,
}

impl ParamDoc {
    /// Whether a name is its own or another one of it.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamRange {
    /// A whole number between the two, both included.
    Whole(u64, u64),
    /// A number between the two, both included.
    Number(f64, f64),
    /// A number between the two, neither included.
    Open(f64, f64),
    /// A number between the two, neither included, or `auto`.
    OpenOrAuto(f64, f64),
    /// A number above the first and up to the second.
    Share(f64, f64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A direction a column: -1, 0 or 1.
    ByColumn,
    /// The name of a column.
    Column,
    /// Whole numbers between the two, both included: one, or a list of at most so many.
    Wholes(u64, u64, usize),
}

/// One parameter that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParamProblem {
    /// The parameter, as it was given.
    pub param: String,
    /// What is wrong, naming the value.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for ParamProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  help: {}", self.message, self.help)
    }
}

/// Where training stands after a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// How many rounds are done.
    pub round: usize,
    /// How many there are at most.
    pub rounds: usize,
    /// The name of the metric.
    pub metric: &'static str,
    /// Its value on the validation rows, where there are any.
    pub value: Option<f64>,
    /// The best round so far, counted from 1; this one where there are no validation rows.
    pub best_round: usize,
}

/// A model that was fitted, and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fitted {
    /// The model.
    pub model: FittedModel,
    /// How training went.
    pub log: TrainingLog,
    /// What each column contributed, the most important first; columns never used are left out.
    pub importances: Vec<Importance>,
}

/// How training went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingLog {
    /// The metric that was watched.
    pub metric: &'static str,
    /// Its value on the validation rows after each round; empty without validation rows.
    pub values: Vec<f64>,
    /// How many rounds were run.
    pub rounds_run: usize,
    /// How many rounds the model has: the best, counted from 1, where training stops early.
    pub best_round: usize,
}

/// What a column contributed: by how much its splits lowered the loss in total, or, where there
/// are no splits, by how much it moved the margin of a training row on average.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// The column's name.
    pub column: String,
    /// The sum of the gains of its splits, or the mean size of its contributions.
    pub total_gain: f64,
    /// How many splits it has; 0 where the model has none.
    pub splits: usize,
}

/// Why a model cannot be fitted to some rows.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// There is nothing to learn from.
    #[error("there are no {part} rows; widen the training window or wait until outcomes mature")]
    NoRows {
        /// `training` or `validation`.
        part: &'static str,
    },
    /// Too few rows.
    #[error(
        "there are {rows} training rows, and at least {least} are needed; widen the training window"
    )]
    TooFewRows {
        /// How many there are.
        rows: usize,
        /// How many are needed.
        least: usize,
    },
    /// The parts of a data set differ in length.
    #[error("the {part} rows are {rows}, but there are {found} values of {what}")]
    Lengths {
        /// `training` or `validation`.
        part: &'static str,
        /// Of what.
        what: String,
        /// How many rows.
        rows: usize,
        /// How many values.
        found: usize,
    },
    /// Validation rows that do not match.
    #[error(
        "the validation rows have {found} columns, the training rows {expected}; make both from the same features"
    )]
    Columns {
        /// Of the training rows.
        expected: usize,
        /// Of the validation rows.
        found: usize,
    },
    /// An outcome that the objective has no use for.
    #[error(
        "the outcome of {part} row {row} is {value}, which is not {expected}; leave rows out until their outcome is known"
    )]
    Outcome {
        /// `training` or `validation`.
        part: &'static str,
        /// The first such row, counted from 0.
        row: usize,
        /// Its outcome.
        value: f32,
        /// What it should be.
        expected: &'static str,
    },
    /// All outcomes are the same.
    #[error(
        "all {rows} training rows have the outcome {value}; a classifier needs both, so widen the training window or check the definition of the outcome"
    )]
    OneClass {
        /// How many rows.
        rows: usize,
        /// The outcome of all of them.
        value: f32,
    },
    /// A weight that is not a positive finite number.
    #[error("the weight of {part} row {row} is {value}; weights must be positive and finite")]
    Weight {
        /// `training` or `validation`.
        part: &'static str,
        /// The first such row, counted from 0.
        row: usize,
        /// Its weight.
        value: f32,
    },
    /// Early stopping without anything to stop by.
    #[error("early_stopping_rounds needs validation rows; give some or remove it")]
    NoValidation,
    /// Category columns with too many categories.
    #[error(
        "category column `{column}` holds {value}, which is not an ordinal below {limit}; group its rare categories or leave the column out"
    )]
    Categories {
        /// The first such column.
        column: String,
        /// The value.
        value: f32,
        /// How many categories a column may have.
        limit: usize,
    },
    /// Training went astray.
    #[error(
        "the numbers of the network grew beyond bounds in epoch {epoch}; lower `learning_rate`"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// Nothing usual to learn from.
    #[error(
        "all {rows} training rows are positive; what is usual is learnt from negative ones, so widen the training window or check the definition of the outcome"
    )]
    NothingUsual {
        /// How many rows.
        rows: usize,
    },
    /// Nothing but zeros.
    #[error(
        "all {rows} training rows have the outcome 0; a value that is never above 0 has no \
         logarithm, so widen the training window or check the definition of the outcome"
    )]
    NothingPositive {
        /// How many rows.
        rows: usize,
    },
    /// Histories of purchases that teach nothing.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
    /// No threads.
    #[error("the {count} training threads cannot be started")]
    Threads {
        /// How many were wanted, 0 for one a core.
        count: usize,
        /// Why.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}

/// The learner of this crate with a name or alias.
///
/// # Errors
/// The nearest name, where there is one.
pub fn learner(name: &str) -> Result<&'static dyn Learner, Option<&'static str>> {
    find_learner(LEARNERS, name)
}

/// The one among some learners with a name or alias.
///
/// # Errors
/// The nearest name, where there is one.
pub fn find_learner(
    among: &[&'static dyn Learner],
    name: &str,
) -> Result<&'static dyn Learner, Option<&'static str>> {
    among
        .iter()
        .copied()
        .find(|learner| learner.name() == name || learner.aliases().contains(&name))
        .ok_or_else(|| {
            let names = among
                .iter()
                .flat_map(|l| std::iter::once(l.name()).chain(l.aliases().iter().copied()));
            nearest(name, names)
        })
}
