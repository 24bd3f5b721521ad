//! How good predictions were, once the outcomes are known.
//!
//! An outcome above one half is positive. Rows of equal score are one step: they are above a
//! threshold together. Every figure is independent of the order of the rows; rows count 1 each.

use serde::{Deserialize, Serialize};

mod calibration_error;
mod curve;
mod gains;
pub mod ranking;
mod top_k;

pub use calibration_error::{BINS, Bins, brier_score, calibration_error, log_loss};
pub use curve::{Curve, OperatingPoint};
pub use gains::Gains;
pub use ranking::RankingMetrics;
pub use top_k::top_k_precision_by_day;

/// What is reported of a model on one part of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Metrics {
    /// Of a probability.
    Binary(BinaryMetrics),
    /// Of a value.
    Regression(RegressionMetrics),
}

/// The figures of a probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinaryMetrics {
    /// Rows.
    pub rows: usize,
    /// Rows with a positive outcome.
    pub positives: usize,
    /// Area under the ROC curve; `None` where all outcomes are the same.
    pub auc: Option<f64>,
    /// Average precision; `None` where no outcome is positive.
    pub average_precision: Option<f64>,
    /// Mean negative log likelihood in nats.
    pub log_loss: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Expected calibration error over 15 bins of equal width.
    pub ece_equal_width: f64,
    /// Expected calibration error over 15 bins of equal numbers of rows.
    pub ece_equal_mass: f64,
    /// The largest recall at a precision of at least 95 %.
    pub at_precision_95: Option<OperatingPoint>,
    /// The largest precision at a recall of at least 90 %.
    pub at_recall_90: Option<OperatingPoint>,
}

/// The figures of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegressionMetrics {
    /// Rows.
    pub rows: usize,
    /// Root of the mean squared error, in the unit of the outcome.
    pub rmse: f64,
    /// Mean absolute error, in the unit of the outcome.
    pub mae: f64,
    /// The mean absolute error as a share of the mean outcome; `None`, like all that follow,
    /// where the mean outcome is not above 0.
    pub normalised_mae: Option<f64>,
    /// By how much the sum of the predictions is above that of the outcomes, as a share of it.
    pub total_error: Option<f64>,
    /// The mean over tenths of the rows, by rising prediction, of the distance between the mean
    /// prediction and the mean outcome, as a share of the mean outcome of all.
    pub decile_error: Option<f64>,
    /// The Gini coefficient of the outcomes in the order of the predictions, as a share of that
    /// in their own order; `None` also where all outcomes are the same.
    pub normalised_gini: Option<f64>,
    /// The share of outcomes within the intervals around their predictions, where there are some.
    pub interval_coverage: Option<f64>,
}

impl BinaryMetrics {
    /// The figures of probabilities and their outcomes.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn of(predicted: &[f64], outcome: &[f32]) -> BinaryMetrics {
        let curve = Curve::new(predicted, outcome);
        BinaryMetrics {
            rows: curve.rows(),
            positives: curve.positives(),
            auc: curve.auc(),
            average_precision: curve.average_precision(),
            log_loss: log_loss(predicted, outcome),
            brier: brier_score(predicted, outcome),
            ece_equal_width: calibration_error(predicted, outcome, Bins::EqualWidth, BINS),
            ece_equal_mass: calibration_error(predicted, outcome, Bins::EqualMass, BINS),
            at_precision_95: curve.recall_at_precision(0.95),
            at_recall_90: curve.precision_at_recall(0.90),
        }
    }
}

impl RegressionMetrics {
    /// The figures of predicted values and their outcomes.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn of(predicted: &[f64], outcome: &[f32]) -> RegressionMetrics {
        assert_eq!(predicted.len(), outcome.len(), "one outcome a prediction");
        let errors = || {
            predicted
                .iter()
                .zip(outcome)
                .map(|(p, y)| p - f64::from(*y))
        };
        let rows = predicted.len().max(1) as f64;
        let mae = errors().map(f64::abs).sum::<f64>() / rows;
        let mean = outcome.iter().map(|y| f64::from(*y)).sum::<f64>() / rows;
        let share = |value: f64| (mean > 0.0).then_some(value / mean);
        let gains = Gains::new(predicted, outcome);
        RegressionMetrics {
            rows: predicted.len(),
            rmse: (errors().map(|e| e * e).sum::<f64>() / rows).sqrt(),
            mae,
            normalised_mae: share(mae),
            total_error: share(errors().sum::<f64>() / rows),
            decile_error: share(gains.group_error(DECILES)),
            interval_coverage: None,
            normalised_gini: (mean > 0.0).then(|| gains.normalised_gini()).flatten(),
        }
    }
}

/// Groups of rows that predictions are compared with outcomes on.
const DECILES: usize = 10;

/// Whether an outcome counts as positive.
fn is_positive(outcome: f32) -> bool {
    outcome > 0.5
}
