//! Fitting rows that each have a loss of their own: an objective of XGBoost's, and a metric.

use acumen_base::Seed;
use rayon::prelude::*;

use super::histogram::Pair;
use super::objective::{derivatives, weights};
use super::parameters::BoostingParams;
use crate::data::Dataset;
use crate::fitted::FittedModel;
use crate::forest::Forest;
use crate::learner::{Checked, FitError, Fitted, Predicts, Progress};

mod checks;
mod draw;
mod training;

use training::PIECE;
pub(in crate::learner) use training::{Given, Loss, grow};

/// How many times `n_estimators` trees a model may come to by rounds added in retraining.
const GROWTH_MAX: usize = 2;

impl Checked for BoostingParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        self.boost(None, train, valid, seed, progress)
    }

    fn goes_on_from(&self, previous: &FittedModel, n_columns: usize) -> bool {
        let FittedModel::Forest(forest) = previous else {
            return false;
        };
        let rounds = forest.trees.len() + self.warm_start;
        self.warm_start > 0
            && rounds <= GROWTH_MAX * self.n_estimators
            && forest.objective == self.objective
            && forest.n_features == n_columns
    }

    fn fit_from(
        &self,
        previous: &FittedModel,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        let goes_on = self.goes_on_from(previous, train.matrix.data.len());
        let previous = match previous {
            FittedModel::Forest(forest) if goes_on => Some(forest),
            _ => None,
        };
        self.boost(previous, train, valid, seed, progress)
    }

    fn predicts(&self) -> Predicts {
        match self.objective.is_binary() {
            true => Predicts::Probability,
            false => Predicts::Value,
        }
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

impl BoostingParams {
    fn boost(
        &self,
        previous: Option<&Forest>,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        checks::check(self, train, valid)?;
        let weight = train.weight.as_deref();
        let base_score = self.base_score;
        let given = Given {
            train: &train.matrix,
            weight,
            valid: valid.map(|valid| &valid.matrix),
            previous,
            base_score: base_score.unwrap_or_else(|| mean_outcome(&train.outcome, weight)),
        };
        let loss = Pointwise {
            params: self,
            outcome: &train.outcome,
            weight: weights(weight, &train.outcome, self.scale_pos_weight as f32),
            valid,
        };
        let (fitted, _) = grow(self, &given, loss, seed, progress)?;
        Ok(fitted)
    }
}

/// The loss of each row by itself.
struct Pointwise<'a> {
    params: &'a BoostingParams,
    outcome: &'a [f32],
    weight: Vec<f32>,
    valid: Option<&'a Dataset>,
}

impl Loss for Pointwise<'_> {
    fn differentiate(&mut self, margin: &[f32], pairs: &mut [Pair]) {
        let objective = self.params.objective;
        let (outcome, weight) = (self.outcome, &self.weight);
        pairs
            .par_chunks_mut(PIECE)
            .zip(margin.par_chunks(PIECE))
            .enumerate()
            .for_each(|(piece, (pairs, margin))| {
                let start = piece * PIECE;
                let end = start + margin.len();
                let weight = if weight.is_empty() {
                    &[][..]
                } else {
                    &weight[start..end]
                };
                derivatives(objective, margin, &outcome[start..end], weight, pairs);
            });
    }

    fn metric(&self) -> &'static str {
        self.params.metric.name()
    }

    fn value(&self, margin: &[f32]) -> f64 {
        let (objective, metric) = (self.params.objective, self.params.metric);
        let (outcome, weight) = self.valid.map_or((&[][..], &[][..]), |valid| {
            let weight = valid.weight.as_deref().unwrap_or_default();
            (&valid.outcome, weight)
        });
        metric.of(objective, margin, outcome, weight)
    }

    fn is_better(&self, a: f64, b: f64) -> bool {
        self.params.metric.is_better(a, b)
    }
}

/// The weighted mean outcome, kept off 0 and 1 for a probability by the check for both classes.
fn mean_outcome(outcome: &[f32], weight: Option<&[f32]>) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, outcome) in outcome.iter().enumerate() {
        let weight = weight.map_or(1.0, |w| f64::from(w[row]));
        sum += weight * f64::from(*outcome);
        total += weight;
    }
    sum / total
}
