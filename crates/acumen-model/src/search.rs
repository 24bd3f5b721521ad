//! A search for better parameters of a learner, on the training rows alone.
//!
//! ```text
//! seed, i ──▶ parameters of trial i ──▶ folds (train on the past, judge on what came next) ──▶ value
//! ```
//!
//! A trial depends on the seed and its number alone, so a search of the same number of trials
//! gives the same result on any machine, and one that was cut off goes on from its
//! [file](TrialFile) as if nothing had happened. Trial 0 is the model as it was declared.
//!
//! `random` judges every trial on all rows (Bergstra and Bengio 2012). `halving` judges all on a
//! share of the rows, evenly in time, keeps the best third, triples the share, and goes on
//! (successive halving, Jamieson and Talwalkar 2016, with the factor 3 of Li et al. 2018). Trial 0
//! is never given up, so that what is found is better than what was declared, on all rows.

use std::collections::BTreeMap;

use acumen_base::{Seed, Span};
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::learner::{Learner, Params};
use crate::metrics::{BinaryMetrics, RegressionMetrics};

mod judge;
mod space;
mod table;
mod trials;

pub use space::Space;
pub use table::{SearchTable, Trial};
pub use trials::{TrialFile, TrialFileError};

use judge::Judge;

/// The most trials.
pub const TRIALS_MAX: usize = 10_000;
/// The most folds.
pub const FOLDS_MAX: usize = 20;
/// By how much halving multiplies the rows, and divides the trials.
const FACTOR: usize = 3;
/// How often halving does so at most: it begins with a twenty-seventh of the rows.
const RUNGS_MAX: u32 = 3;

/// A search as a specification declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchSpec {
    /// How many sets of parameters are tried; 0 is no search.
    pub trials: usize,
    /// How they share the work.
    pub method: SearchMethod,
    /// The range or the choices of each parameter; empty is what the learner suggests.
    pub of: BTreeMap<String, serde_json::Value>,
    /// How many times the training rows are cut into past and future.
    pub folds: usize,
    /// What is judged.
    pub metric: SearchMetric,
}

impl Default for SearchSpec {
    fn default() -> SearchSpec {
        SearchSpec {
            trials: 30,
            method: SearchMethod::default(),
            of: BTreeMap::new(),
            folds: 3,
            metric: SearchMetric::default(),
        }
    }
}

/// How trials share the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMethod {
    /// All are judged on all rows.
    #[default]
    Random,
    /// The worse two thirds are given up on few rows.
    Halving,
}

/// What trials are judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMetric {
    /// Average precision; more is better.
    #[default]
    AveragePrecision,
    /// Area under the ROC curve; more is better.
    Auc,
    /// Mean negative log likelihood; less is better.
    LogLoss,
    /// Mean squared error of the probability; less is better.
    Brier,
    /// Root of the mean squared error of a value; less is better.
    Rmse,
}

/// A search that is ready to run.
#[derive(Clone, Copy)]
pub struct SearchPlan<'a> {
    /// The learner.
    pub learner: &'static dyn Learner,
    /// The parameters that are not searched.
    pub given: &'a Params,
    /// What was declared.
    pub spec: &'a SearchSpec,
    /// What is searched.
    pub space: &'a Space,
    /// How long outcomes take to become known: so far apart are past and future.
    pub gap: Span,
    /// What every draw follows from.
    pub seed: Seed,
}

/// Where a search stands after a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchProgress {
    /// Trials that were judged, those of smaller shares included.
    pub done: usize,
    /// How many there will be.
    pub total: usize,
    /// What they are judged by.
    pub metric: SearchMetric,
    /// The best trial of those on the greatest share of the rows so far, and its value.
    pub best: Option<(usize, f64)>,
}

/// Why a search found nothing.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The rows cannot be cut into past and future.
    #[error(
        "the training rows cannot be cut into {folds} folds with a gap of {gap}; declare fewer \
         folds, or widen the training window"
    )]
    NoFolds {
        /// How many were wanted.
        folds: usize,
        /// The gap.
        gap: Span,
    },
    /// No trial has a value.
    #[error(
        "none of {trials} trials could be judged: {why}; widen the training window, or declare \
         fewer folds"
    )]
    NothingJudged {
        /// How many.
        trials: usize,
        /// What kept the first from it.
        why: String,
    },
    /// The file of trials cannot be used.
    #[error(transparent)]
    File(#[from] TrialFileError),
}

impl SearchMetric {
    /// Every metric with its name.
    pub const ALL: [(&'static str, SearchMetric); 5] = [
        ("average_precision", SearchMetric::AveragePrecision),
        ("auc", SearchMetric::Auc),
        ("log_loss", SearchMetric::LogLoss),
        ("brier", SearchMetric::Brier),
        ("rmse", SearchMetric::Rmse),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let found = SearchMetric::ALL.iter().find(|(_, metric)| *metric == self);
        found.map_or("", |(name, _)| name)
    }

    /// Whether one value is better than another.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            SearchMetric::AveragePrecision | SearchMetric::Auc => a > b,
            SearchMetric::LogLoss | SearchMetric::Brier | SearchMetric::Rmse => a < b,
        }
    }

    /// The value of predictions; `None` where their outcomes do not define it.
    fn of(self, predicted: &[f64], rows: &Dataset) -> Option<f64> {
        let outcome = &rows.outcome;
        if self == SearchMetric::Rmse {
            return Some(RegressionMetrics::of(predicted, outcome).rmse);
        }
        let found = BinaryMetrics::weighted(predicted, outcome, rows.weight.as_deref());
        match self {
            SearchMetric::AveragePrecision => found.average_precision,
            SearchMetric::Auc => found.auc,
            SearchMetric::LogLoss => Some(found.log_loss),
            SearchMetric::Brier | SearchMetric::Rmse => Some(found.brier),
        }
    }
}

/// Tries parameters and returns the best with the table of all. Trials that the file knows are
/// taken from it, and those that it does not are added to it as soon as they are judged.
///
/// # Errors
/// Where no trial can be judged, or the file cannot be used.
pub fn search(
    plan: &SearchPlan<'_>,
    rows: &Dataset,
    file: Option<&mut TrialFile>,
    progress: &mut dyn FnMut(SearchProgress),
) -> Result<(Params, SearchTable), SearchError> {
    let mut run = Run {
        judge: Judge::new(plan, rows)?,
        file,
        done: Vec::new(),
        total: schedule(plan.spec).iter().map(|rung| rung.trials).sum(),
        progress,
    };
    let mut alive: Vec<usize> = (0..plan.spec.trials).collect();
    let mut last = Vec::new();
    for rung in schedule(plan.spec) {
        keep(&mut alive, rung.trials);
        last = run.rung(&alive, rung.share)?;
        last.retain(|trial| trial.value.is_some());
        let metric = plan.spec.metric;
        last.sort_by(|a, b| metric.order(a.value, b.value).then(a.number.cmp(&b.number)));
        alive = last.iter().map(|trial| trial.number).collect();
    }
    let Some(best) = last.first() else {
        let why = run.done.iter().find_map(|trial| trial.failed.clone());
        return Err(SearchError::NothingJudged {
            trials: plan.spec.trials,
            why: why.unwrap_or_default(),
        });
    };
    let params = plan.space.merged(plan.given, &best.params);
    let table = SearchTable {
        method: plan.spec.method,
        metric: plan.spec.metric,
        folds: run.judge.folds(),
        best: best.number,
        trials: run.done,
    };
    Ok((params, table))
}

impl SearchMetric {
    /// The better value first, none last.
    fn order(self, a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
        let key = |value: Option<f64>| match self {
            SearchMetric::AveragePrecision | SearchMetric::Auc => {
                value.map_or(f64::INFINITY, |v| -v)
            }
            _ => value.unwrap_or(f64::INFINITY),
        };
        key(a).total_cmp(&key(b))
    }
}

/// The best so many trials, and trial 0 in place of the last of them where it is none of them.
fn keep(ranked: &mut Vec<usize>, count: usize) {
    let declared = ranked.contains(&0);
    ranked.truncate(count);
    if declared && !ranked.contains(&0) {
        ranked.pop();
        ranked.push(0);
    }
}

/// Some trials on a share of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rung {
    trials: usize,
    share: f64,
}

/// The rungs of a search, the last on all rows.
fn schedule(spec: &SearchSpec) -> Vec<Rung> {
    let rungs = match spec.method {
        SearchMethod::Random => 0,
        SearchMethod::Halving => spec.trials.max(1).ilog(FACTOR).min(RUNGS_MAX),
    };
    let mut trials = spec.trials;
    let mut schedule = Vec::new();
    for rung in (0..=rungs).rev() {
        let share = 1.0 / FACTOR.pow(rung) as f64;
        schedule.push(Rung { trials, share });
        trials = trials.div_ceil(FACTOR);
    }
    schedule
}

/// A search under way.
struct Run<'a, 'p> {
    judge: Judge<'a>,
    file: Option<&'p mut TrialFile>,
    done: Vec<Trial>,
    total: usize,
    progress: &'p mut dyn FnMut(SearchProgress),
}

impl Run<'_, '_> {
    fn rung(&mut self, trials: &[usize], share: f64) -> Result<Vec<Trial>, SearchError> {
        let mut judged = Vec::with_capacity(trials.len());
        let mut best: Option<(usize, f64)> = None;
        let metric = self.judge.metric();
        for &number in trials {
            let known = self.file.as_ref().and_then(|file| file.get(number, share));
            let trial = match known {
                Some(trial) => trial.clone(),
                None => {
                    let trial = self.judge.trial(number, share);
                    if let Some(file) = &mut self.file {
                        file.add(&trial)?;
                    }
                    trial
                }
            };
            let better = |value| best.is_none_or(|(_, best)| metric.is_better(value, best));
            if let Some(value) = trial.value.filter(|value| better(*value)) {
                best = Some((number, value));
            }
            self.done.push(trial.clone());
            judged.push(trial);
            (self.progress)(SearchProgress {
                done: self.done.len(),
                total: self.total,
                metric,
                best,
            });
        }
        Ok(judged)
    }
}

#[cfg(test)]
mod tests;
