//! Whether a log has enough of what another policy would do.

use serde::Serialize;

/// Below this share of the rows, the effective number of them is too small.
const EFFECTIVE_LEAST: f64 = 0.01;
/// Above this share of all weight, one decision decides alone.
const ONE_MOST: f64 = 0.05;
/// By how many standard errors the mean weight may be off 1.
const ERRORS_MOST: f64 = 4.0;

/// How the weights are spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overlap {
    /// `(Σ w)² / Σ w²`: as many equal rows would say as much.
    pub effective_rows: f64,
    /// Near 1 where every action of the other policy is in the log as often as it was logged to be.
    pub mean_weight: f64,
    /// The standard error of it.
    pub mean_weight_error: f64,
    /// The largest weight.
    pub max_weight: f64,
    /// What speaks against an evaluation; empty where nothing does.
    pub concerns: Vec<Concern>,
}

/// Something that speaks against an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// The log has next to nothing of what the other policy would do.
    #[error("the log has next to nothing of what the policy would do; let it explore more")]
    FewRows,
    /// One decision decides.
    #[error("one decision has more than a twentieth of all weight; clip weights or explore more")]
    OneRow,
    /// Weights do not have the mean that they must have.
    #[error(
        "the mean weight is not 1: propensities are wrong, or the policy does what the log never does"
    )]
    MeanWeight,
}

impl Overlap {
    pub(super) fn of(weights: &[f64]) -> Overlap {
        let count = weights.len() as f64;
        let sum: f64 = weights.iter().sum();
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0);
        let mut overlap = Overlap {
            effective_rows: if squares > 0.0 {
                sum * sum / squares
            } else {
                0.0
            },
            mean_weight: mean,
            mean_weight_error: (variance / (count - 1.0)).sqrt(),
            max_weight: weights.iter().copied().fold(0.0, f64::max),
            concerns: Vec::new(),
        };
        if overlap.effective_rows < EFFECTIVE_LEAST * count {
            overlap.concerns.push(Concern::FewRows);
        }
        // Of few rows each has much of the weight, whatever the policies are.
        if overlap.max_weight > (ONE_MOST * sum).max(2.0 * mean) {
            overlap.concerns.push(Concern::OneRow);
        }
        if (mean - 1.0).abs() > ERRORS_MOST * overlap.mean_weight_error + 1e-9 {
            overlap.concerns.push(Concern::MeanWeight);
        }
        overlap
    }
}
