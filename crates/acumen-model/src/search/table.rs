//! What was tried, for the model card.

use serde::{Deserialize, Serialize};

use super::{SearchMethod, SearchMetric};
use crate::learner::Params;

/// One set of parameters, judged on a share of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number; 0 is the model as it was declared.
    pub number: usize,
    /// The share of the rows of each past that it was fitted to.
    pub share: f64,
    /// The searched parameters; empty for trial 0.
    pub params: Params,
    /// The mean of the metric over the folds.
    pub value: Option<f64>,
    /// The metric of each fold in order of time; folds that define none are left out.
    pub folds: Vec<f64>,
    /// Why it has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A search that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchTable {
    /// How trials shared the work.
    pub method: SearchMethod,
    /// What they were judged by.
    pub metric: SearchMetric,
    /// On how many folds.
    pub folds: usize,
    /// The number of the trial whose parameters the model has.
    pub best: usize,
    /// Every judgement in the order in which it was made.
    pub trials: Vec<Trial>,
}

impl SearchTable {
    /// The trials on all rows, the best first.
    pub fn ranking(&self) -> Vec<&Trial> {
        let whole = |trial: &&Trial| trial.share >= 1.0;
        let mut ranking: Vec<&Trial> = self.trials.iter().filter(whole).collect();
        ranking.sort_by(|a, b| {
            let better = self.metric.order(a.value, b.value);
            better.then(a.number.cmp(&b.number))
        });
        ranking
    }
}
