//! A value in two parts: whether there is any, and how much where there is.
//!
//! Values that are mostly 0 and sometimes large are not spread around one mean. The expected value
//! is the probability of any times the mean where there is some, and each part is a forest of its
//! own. With [`Amount::LogNormal`] it is the zero-inflated log-normal distribution of Wang, Liu and
//! Miao 2019, "A deep probabilistic model for customer lifetime value prediction"
//! (arXiv:1912.07753): their loss is the sum of those of the parts, so that trees can be grown for
//! one part after the other.

use acumen_base::Deadline;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::calibration::logistic;
use crate::compiled::CompiledForest;
use crate::data::Matrix;
use crate::fitted::Scorer;
use crate::forest::{BrokenForest, Forest, Objective};
use crate::shap::{Explainer, Explanation, mean_slope};

/// A value in two parts; its margin is the logarithm of the expected value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwoPart {
    /// Whether there is any value: `binary:logistic`.
    pub occurs: Forest,
    /// How much, where there is some.
    pub amount: Amount,
}

/// How much, where there is some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// The mean itself: `reg:gamma`, whose margin is its logarithm.
    Gamma(Forest),
    /// Of the logarithm of the amount the mean (`reg:squarederror`) and the variance (`reg:gamma`).
    LogNormal {
        /// The mean of the logarithm.
        mean: Forest,
        /// The variance of the logarithm.
        variance: Forest,
    },
}

impl TwoPart {
    /// The forests, whether there is any value first.
    pub fn parts(&self) -> Vec<&Forest> {
        match &self.amount {
            Amount::Gamma(mean) => vec![&self.occurs, mean],
            Amount::LogNormal { mean, variance } => vec![&self.occurs, mean, variance],
        }
    }

    /// Whether every part is a forest over the same columns.
    pub(crate) fn check(&self) -> Result<(), BrokenForest> {
        let wanted = match self.amount {
            Amount::Gamma(_) => vec![Objective::BinaryLogistic, Objective::Gamma],
            Amount::LogNormal { .. } => vec![
                Objective::BinaryLogistic,
                Objective::SquaredError,
                Objective::Gamma,
            ],
        };
        for (forest, wanted) in self.parts().into_iter().zip(wanted) {
            forest.check()?;
            if forest.objective != wanted || forest.n_features != self.occurs.n_features {
                return Err(BrokenForest {
                    tree: 0,
                    node: 0,
                    problem: format!(
                        "a part has objective {} over {} columns where {} over {} is expected",
                        forest.objective.name(),
                        forest.n_features,
                        wanted.name(),
                        self.occurs.n_features
                    ),
                });
            }
        }
        Ok(())
    }
}

/// The parts made ready to answer.
#[derive(Debug)]
pub(crate) struct TwoPartScorer {
    parts: Vec<(CompiledForest, Explainer)>,
}

impl TwoPartScorer {
    pub(crate) fn new(model: &TwoPart) -> TwoPartScorer {
        let ready = |forest| (CompiledForest::new(forest), Explainer::new(forest));
        TwoPartScorer {
            parts: model.parts().into_iter().map(ready).collect(),
        }
    }
}

/// What the margin of a part adds to the logarithm of the expected value: that of a probability, a
/// logarithm itself, or half a variance.
fn logarithm(part: usize, margin: f64) -> f64 {
    match part {
        // ln of the logistic function without overflow.
        0 => margin.min(0.0) - (-margin.abs()).exp().ln_1p(),
        1 => margin,
        _ => margin.exp() / 2.0,
    }
}

/// The derivative of [`logarithm`].
fn slope(part: usize, margin: f64) -> f64 {
    match part {
        0 => logistic(-margin),
        1 => 1.0,
        _ => margin.exp() / 2.0,
    }
}

/// The margins of the parts as one.
fn together(margins: impl Iterator<Item = f32>) -> f32 {
    let parts = margins.enumerate();
    parts
        .map(|(part, margin)| logarithm(part, f64::from(margin)))
        .sum::<f64>() as f32
}

impl Scorer for TwoPartScorer {
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        let parts = self.parts.iter();
        let margins: Option<Vec<f32>> = parts
            .map(|(part, _)| part.margin_before(row, deadline))
            .collect();
        Some(together(margins?.into_iter()))
    }

    fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        let parts = self.parts.iter();
        let margins: Vec<Vec<f32>> = parts.map(|(part, _)| part.margins_many(rows)).collect();
        let of = |row: usize| together(margins.iter().map(|part| part[row]));
        (0..rows.n_rows).into_par_iter().map(of).collect()
    }

    /// Each part's contributions, scaled by the mean slope of what the part adds between its
    /// expected margin and that of the row.
    fn explain(&self, row: &[f32]) -> Explanation {
        let mut all = Explanation {
            expected: 0.0,
            contributions: vec![0.0; row.len()],
        };
        for (part, (_, explainer)) in self.parts.iter().enumerate() {
            let found = explainer.explain(row);
            let from = found.expected;
            let to = from + found.contributions.iter().sum::<f64>();
            let slope = mean_slope((from, to), |m| logarithm(part, m), |m| slope(part, m));
            all.expected += logarithm(part, from);
            for (sum, by) in all.contributions.iter_mut().zip(found.contributions) {
                *sum += slope * by;
            }
        }
        all
    }
}
