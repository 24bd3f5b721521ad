//! How good predictions were, once the outcomes are known.
//!
//! An outcome above one half is positive. Rows of equal score are one step: they are above a
//! threshold together. Every figure is independent of the order of the rows. A row counts as much
//! as its weight, 1 where there are none: rows of which a share was drawn stand for all of them.

use serde::{Deserialize, Serialize};

mod calibration_error;
mod curve;
mod gains;
pub mod ranking;
mod top_k;

pub use calibration_error::{BINS, Bins, brier_score, calibration_error, log_loss};
pub use curve::{Curve, OperatingPoint};
pub use gains::Gains;
pub use ranking::{ListMetrics, RankingMetrics};
pub use top_k::top_k_precision_by_day;

/// What is reported of a model on one part of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Metrics {
    /// Of a probability.
    Binary(BinaryMetrics),
    /// Of a value.
    Regression(RegressionMetrics),
    /// Of an order.
    Lists(ListMetrics),
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
        BinaryMetrics::weighted(predicted, outcome, None)
    }

    /// The figures of rows that count as much as their weights; `rows` and `positives` are counted
    /// as they are.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weighted(predicted: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> BinaryMetrics {
        let curve = Curve::weighted(predicted, outcome, weight);
        let ece = |bins| calibration_error(predicted, outcome, weight, (bins, BINS));
        BinaryMetrics {
            rows: curve.rows(),
            positives: curve.positives(),
            auc: curve.auc(),
            average_precision: curve.average_precision(),
            log_loss: log_loss(predicted, outcome, weight),
            brier: brier_score(predicted, outcome, weight),
            ece_equal_width: ece(Bins::EqualWidth),
            ece_equal_mass: ece(Bins::EqualMass),
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

/// How much a row counts.
pub(crate) fn weight_of(weight: Option<&[f32]>, row: usize) -> f64 {
    weight.map_or(1.0, |weight| f64::from(weight[row]))
}

/// Whether an outcome counts as positive.
fn is_positive(outcome: f32) -> bool {
    outcome > 0.5
}

#[cfg(test)]
mod tests {
    use acumen_base::Seed;
    use proptest::prelude::*;

    use super::*;
    use crate::calibration::{Calibration, CalibrationMethod};

    /// Probabilities that are a little too sure of themselves, with rare positive outcomes.
    fn rare(rows: usize) -> (Vec<f64>, Vec<f32>) {
        let row = |i: usize| {
            let score = Seed(1).unit(&i.to_string()).powi(6);
            let positive = Seed(2).unit(&i.to_string()) < 0.7 * score;
            (score, f32::from(u8::from(positive)))
        };
        (0..rows).map(row).unzip()
    }

    /// All positive rows and a drawn share of the others, which stand for all.
    fn drawn(p: &[f64], y: &[f32], share: f64, seed: Seed) -> (Vec<f64>, Vec<f32>, Vec<f32>) {
        let kept = |i: &usize| is_positive(y[*i]) || seed.unit(&i.to_string()) < share;
        let kept: Vec<usize> = (0..p.len()).filter(kept).collect();
        let weight = |&i: &usize| {
            if is_positive(y[i]) {
                1.0
            } else {
                1.0 / share as f32
            }
        };
        (
            kept.iter().map(|&i| p[i]).collect(),
            kept.iter().map(|&i| y[i]).collect(),
            kept.iter().map(weight).collect(),
        )
    }

    #[test]
    fn a_drawn_share_of_the_negatives_gives_the_figures_of_all() {
        let (p, y) = rare(20_000);
        let figures = |m: &BinaryMetrics| {
            let point = m.at_precision_95.map_or(0.0, |point| point.recall);
            [
                m.auc.unwrap(),
                m.average_precision.unwrap(),
                m.log_loss,
                m.brier,
                point,
            ]
        };
        let whole = figures(&BinaryMetrics::of(&p, &y));
        let calibrated = |method| Calibration::fit(method, &p, &y, None).apply(0.5);
        let methods = [CalibrationMethod::Platt, CalibrationMethod::Isotonic];
        let whole_calibrated = methods.map(calibrated);
        const DRAWS: u64 = 30;
        let (mut mean, mut unweighted) = ([0.0; 5], 0.0);
        let mut mean_calibrated = [0.0; 2];
        for draw in 0..DRAWS {
            let (p, y, weight) = drawn(&p, &y, 0.2, Seed(100 + draw));
            let found = figures(&BinaryMetrics::weighted(&p, &y, Some(&weight)));
            for (mean, found) in mean.iter_mut().zip(found) {
                *mean += found / DRAWS as f64;
            }
            unweighted += BinaryMetrics::of(&p, &y).average_precision.unwrap() / DRAWS as f64;
            for (mean, method) in mean_calibrated.iter_mut().zip(methods) {
                let fitted = Calibration::fit(method, &p, &y, Some(&weight));
                *mean += fitted.apply(0.5) / DRAWS as f64;
            }
        }
        for (mean, whole) in mean.iter().zip(whole) {
            assert!((mean - whole).abs() < 0.01, "{mean} of {whole}");
        }
        for (mean, whole) in mean_calibrated.iter().zip(whole_calibrated) {
            assert!((mean - whole).abs() < 0.02, "{mean} of {whole}");
        }
        assert!(
            unweighted > whole[1] + 0.05,
            "without weights it looks far better"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_weight_of_two_is_two_rows(
            rows in prop::collection::vec((0_u8..=20, any::<bool>(), 1_u8..4), 1..60)
        ) {
            let row = |&(p, y, _): &(u8, bool, u8)| (f64::from(p) / 20.0, f32::from(u8::from(y)));
            let (p, y): (Vec<f64>, Vec<f32>) = rows.iter().map(row).unzip();
            let weight: Vec<f32> = rows.iter().map(|row| f32::from(row.2)).collect();
            let times = rows.iter().flat_map(|r| std::iter::repeat_n(r, usize::from(r.2)));
            let (p_many, y_many): (Vec<f64>, Vec<f32>) = times.map(row).unzip();
            let (one, many) = (BinaryMetrics::weighted(&p, &y, Some(&weight)), BinaryMetrics::of(&p_many, &y_many));
            let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
            prop_assert_eq!(one.auc.zip(many.auc).is_none_or(|(a, b)| close(a, b)), true);
            prop_assert_eq!(one.average_precision, many.average_precision);
            prop_assert_eq!(one.at_precision_95, many.at_precision_95);
            prop_assert_eq!(one.at_recall_90, many.at_recall_90);
            prop_assert!(close(one.log_loss, many.log_loss) && close(one.brier, many.brier));
            prop_assert!(close(one.ece_equal_width, many.ece_equal_width));
            prop_assert!(close(one.ece_equal_mass, many.ece_equal_mass));
            for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic] {
                let one = Calibration::fit(method, &p, &y, Some(&weight));
                let many = Calibration::fit(method, &p_many, &y_many, None);
                // Whether there is enough to learn from is asked of the rows themselves.
                if std::mem::discriminant(&one) == std::mem::discriminant(&many) {
                    for at in [0.1, 0.5, 0.9] {
                        prop_assert!((one.apply(at) - many.apply(at)).abs() < 1e-6);
                    }
                }
            }
        }
    }
}
