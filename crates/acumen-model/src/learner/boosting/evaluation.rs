//! How good a model is after each round, on rows that it is not fitted to.

use std::str::FromStr;

use crate::forest::Objective;

/// A measure of quality by XGBoost's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EvalMetric {
    LogLoss,
    Auc,
    AucPr,
    Rmse,
    Mae,
    TweedieLogLoss,
    GammaDeviance,
}

/// Every name.
pub(super) const EVAL_METRICS: [&str; 7] = [
    "logloss",
    "auc",
    "aucpr",
    "rmse",
    "mae",
    "tweedie-nloglik",
    "gamma-deviance",
];

impl FromStr for EvalMetric {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "logloss" => Ok(EvalMetric::LogLoss),
            "auc" => Ok(EvalMetric::Auc),
            "aucpr" => Ok(EvalMetric::AucPr),
            "rmse" => Ok(EvalMetric::Rmse),
            "mae" => Ok(EvalMetric::Mae),
            "tweedie-nloglik" => Ok(EvalMetric::TweedieLogLoss),
            "gamma-deviance" => Ok(EvalMetric::GammaDeviance),
            _ => Err(()),
        }
    }
}

impl EvalMetric {
    pub(super) fn name(self) -> &'static str {
        match self {
            EvalMetric::LogLoss => "logloss",
            EvalMetric::Auc => "auc",
            EvalMetric::AucPr => "aucpr",
            EvalMetric::Rmse => "rmse",
            EvalMetric::Mae => "mae",
            EvalMetric::TweedieLogLoss => "tweedie-nloglik",
            EvalMetric::GammaDeviance => "gamma-deviance",
        }
    }

    /// The metric of an objective when none is named.
    pub(super) fn usual(objective: Objective) -> EvalMetric {
        match objective {
            Objective::BinaryLogistic => EvalMetric::LogLoss,
            Objective::SquaredError | Objective::LogValue => EvalMetric::Rmse,
            Objective::Tweedie { .. } => EvalMetric::TweedieLogLoss,
            Objective::Gamma => EvalMetric::GammaDeviance,
        }
    }

    /// Whether it can be told of the outcomes of an objective.
    pub(super) fn suits(self, objective: Objective) -> bool {
        match self {
            EvalMetric::LogLoss | EvalMetric::Auc | EvalMetric::AucPr => objective.is_binary(),
            EvalMetric::TweedieLogLoss => matches!(objective, Objective::Tweedie { .. }),
            EvalMetric::GammaDeviance => objective == Objective::Gamma,
            EvalMetric::Rmse | EvalMetric::Mae => true,
        }
    }

    /// Whether `a` is better than `b`.
    pub(super) fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            EvalMetric::Auc | EvalMetric::AucPr => a > b,
            _ => a < b,
        }
    }

    /// The metric of margins against outcomes; `weight` is empty where all are 1.
    pub(super) fn of(
        self,
        objective: Objective,
        margin: &[f32],
        outcome: &[f32],
        weight: &[f32],
    ) -> f64 {
        let of_row = |row: usize| weight.get(row).map_or(1.0, |w| f64::from(*w));
        match self {
            EvalMetric::LogLoss => mean(margin, outcome, of_row, |m, y| {
                // ln(1 + e^-m) without overflow; of a positive row, and plus m of a negative one.
                (-m.abs()).exp().ln_1p() + (-m).max(0.0) + (1.0 - y) * m
            }),
            EvalMetric::Rmse => {
                let squared = |m: f64, y: f64| (objective.transform(m as f32) - y).powi(2);
                mean(margin, outcome, of_row, squared).sqrt()
            }
            EvalMetric::Mae => mean(margin, outcome, of_row, |m, y| {
                (objective.transform(m as f32) - y).abs()
            }),
            EvalMetric::TweedieLogLoss => {
                let Objective::Tweedie { variance_power } = objective else {
                    return f64::NAN;
                };
                let power = f64::from(variance_power);
                mean(margin, outcome, of_row, |m, y| {
                    let seen = y * ((1.0 - power) * m).exp() / (1.0 - power);
                    ((2.0 - power) * m).exp() / (2.0 - power) - seen
                })
            }
            EvalMetric::GammaDeviance => mean(margin, outcome, of_row, |m, y| {
                2.0 * (m - y.ln() + y * (-m).exp() - 1.0)
            }),
            EvalMetric::Auc => areas(margin, outcome, of_row).0,
            EvalMetric::AucPr => areas(margin, outcome, of_row).1,
        }
    }
}

fn mean(
    margin: &[f32],
    outcome: &[f32],
    weight: impl Fn(usize) -> f64,
    loss: impl Fn(f64, f64) -> f64,
) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, (m, y)) in margin.iter().zip(outcome).enumerate() {
        sum += weight(row) * loss(f64::from(*m), f64::from(*y));
        total += weight(row);
    }
    sum / total
}

/// The area under the ROC curve and the average precision; equal margins are one step.
fn areas(margin: &[f32], outcome: &[f32], weight: impl Fn(usize) -> f64) -> (f64, f64) {
    let mut order: Vec<usize> = (0..margin.len()).collect();
    order.sort_unstable_by(|&a, &b| margin[b].total_cmp(&margin[a]).then(a.cmp(&b)));
    let (mut positive, mut negative, mut auc, mut precision) = (0.0, 0.0, 0.0, 0.0);
    for step in order.chunk_by(|&a, &b| margin[a] == margin[b]) {
        let (mut up, mut right) = (0.0, 0.0);
        for &row in step {
            up += weight(row) * f64::from(outcome[row]);
            right += weight(row) * (1.0 - f64::from(outcome[row]));
        }
        auc += right * (positive + up / 2.0);
        positive += up;
        negative += right;
        if positive > 0.0 {
            precision += up * positive / (positive + negative);
        }
    }
    (auc / (positive * negative), precision / positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_equal_hand_computed_values() {
        let margin = [2.0, 1.0, 0.0, -1.0];
        let outcome = [1.0, 0.0, 1.0, 0.0];
        let of = |metric: EvalMetric| metric.of(Objective::BinaryLogistic, &margin, &outcome, &[]);
        assert!((of(EvalMetric::Auc) - 0.75).abs() < 1e-12);
        assert!((of(EvalMetric::AucPr) - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        let ln = |m: f64| (1.0 + (-m).exp()).ln();
        let expected = (ln(2.0) + ln(-1.0) + ln(0.0) + ln(1.0)) / 4.0;
        assert!((of(EvalMetric::LogLoss) - expected).abs() < 1e-12);
        let rmse = EvalMetric::Rmse.of(Objective::SquaredError, &margin, &outcome, &[]);
        assert!((rmse - 1.0).abs() < 1e-12);
        let mae = EvalMetric::Mae.of(Objective::SquaredError, &margin, &outcome, &[]);
        assert!((mae - 1.0).abs() < 1e-12);
        let tweedie = Objective::Tweedie {
            variance_power: 1.5,
        };
        let loss = EvalMetric::TweedieLogLoss.of(tweedie, &[0.0, 0.0], &[1.0, 3.0], &[]);
        assert!((loss - 6.0).abs() < 1e-12, "{loss}");
        let deviance = EvalMetric::GammaDeviance.of(Objective::Gamma, &[0.0], &[2.0], &[]);
        assert!(
            (deviance - 2.0 * (1.0 - 2_f64.ln())).abs() < 1e-12,
            "{deviance}"
        );
    }
}
