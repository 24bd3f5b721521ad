//! What is minimised: the first and second derivative of each objective.

use std::ops::Range;

use super::histogram::Pair;
use crate::forest::Objective;

/// The least second derivative of a row, as in XGBoost.
const HESSIAN_MIN: f32 = 1e-16;

/// Writes the derivatives of some rows at their margins. `weight` is empty where all are 1.
pub(super) fn derivatives(
    objective: Objective,
    margin: &[f32],
    outcome: &[f32],
    weight: &[f32],
    pairs: &mut [Pair],
) {
    let rows = margin.iter().zip(outcome);
    match objective {
        Objective::BinaryLogistic => {
            for (pair, (margin, outcome)) in pairs.iter_mut().zip(rows) {
                let p = logistic(*margin);
                *pair = [p - outcome, (p * (1.0 - p)).max(HESSIAN_MIN)];
            }
        }
        Objective::SquaredError => {
            for (pair, (margin, outcome)) in pairs.iter_mut().zip(rows) {
                *pair = [margin - outcome, 1.0];
            }
        }
        Objective::Tweedie { variance_power } => {
            let (below, above) = (variance_power - 1.0, 2.0 - variance_power);
            for (pair, (margin, outcome)) in pairs.iter_mut().zip(rows) {
                let seen = outcome * exp(-below * margin);
                let expected = exp(above * margin);
                let hessian = below * seen + above * expected;
                *pair = [expected - seen, hessian.max(HESSIAN_MIN)];
            }
        }
        Objective::Gamma | Objective::LogValue => {
            for (pair, (margin, outcome)) in pairs.iter_mut().zip(rows) {
                let ratio = outcome * exp(-margin);
                *pair = [1.0 - ratio, ratio.max(HESSIAN_MIN)];
            }
        }
    }
    for ([gradient, hessian], weight) in pairs.iter_mut().zip(weight) {
        *gradient *= weight;
        *hessian *= weight;
    }
}

/// The weights of rows with positive outcomes multiplied; empty where all are 1.
pub(super) fn weights(weight: Option<&[f32]>, outcome: &[f32], positive: f32) -> Vec<f32> {
    if positive == 1.0 {
        return weight.map(<[f32]>::to_vec).unwrap_or_default();
    }
    let own = |row: usize| weight.map_or(1.0, |w| w[row]);
    let factor = |outcome: f32| if outcome == 1.0 { positive } else { 1.0 };
    outcome
        .iter()
        .enumerate()
        .map(|(row, outcome)| own(row) * factor(*outcome))
        .collect()
}

/// The margin that a global bias stands for.
pub(super) fn margin_of(objective: Objective, base_score: f64) -> f64 {
    match objective {
        Objective::BinaryLogistic => (base_score / (1.0 - base_score)).ln(),
        Objective::SquaredError => base_score,
        Objective::Tweedie { .. } | Objective::Gamma | Objective::LogValue => base_score.ln(),
    }
}

/// The logistic function.
#[inline]
pub(in crate::learner) fn logistic(margin: f32) -> f32 {
    1.0 / (1.0 + exp(-margin))
}

/// `e^x` within 2e-7 relative, the same on every machine, in steps that the compiler can do for
/// several rows at once (Cody and Waite's reduction, then the Taylor polynomial).
#[inline]
pub(in crate::learner) fn exp(x: f32) -> f32 {
    // Added and taken off, it rounds a float to a whole number, which then stands in its low bits.
    const ROUND: f32 = 12_582_912.0;
    const RANGE: Range<f32> = -87.0..88.0;
    let x = x.clamp(RANGE.start, RANGE.end);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut sum = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + coefficient;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    sum * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_the_last_digits() {
        for i in -8_600..8_700 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "exp({x}): {error}");
        }
        assert!(logistic(1e9) == 1.0 && logistic(-1e9) < 1e-37);
    }

    #[test]
    fn derivatives_match_differences_of_the_loss() {
        let logistic = |m: f64, y: f64| (1.0 + (-m).exp()).ln() + (1.0 - y) * m;
        matches(
            Objective::BinaryLogistic,
            logistic,
            &[(0.3, 1.0), (-2.0, 0.0), (1.5, 0.0)],
        );
        let variance_power = 1.25;
        let tweedie = |m: f64, y: f64| y * (-0.25 * m).exp() / 0.25 + (0.75 * m).exp() / 0.75;
        let values = [(0.3, 2.0), (-1.0, 0.0), (1.5, 0.1)];
        matches(Objective::Tweedie { variance_power }, tweedie, &values);
        let gamma = |m: f64, y: f64| m + y * (-m).exp();
        matches(
            Objective::Gamma,
            gamma,
            &[(0.3, 2.0), (-1.0, 0.5), (1.5, 0.1)],
        );
    }

    fn matches(objective: Objective, loss: impl Fn(f64, f64) -> f64, rows: &[(f32, f32)]) {
        let mut pairs = [[0.0; 2]];
        for (margin, outcome) in rows {
            derivatives(objective, &[*margin], &[*outcome], &[2.0], &mut pairs);
            let (m, y, step) = (f64::from(*margin), f64::from(*outcome), 1e-3);
            let slope = (loss(m + step, y) - loss(m - step, y)) / (2.0 * step);
            let bend = (loss(m + step, y) - 2.0 * loss(m, y) + loss(m - step, y)) / step.powi(2);
            assert!(
                (f64::from(pairs[0][0]) - 2.0 * slope).abs() < 1e-5,
                "{objective:?}"
            );
            assert!(
                (f64::from(pairs[0][1]) - 2.0 * bend).abs() < 1e-4,
                "{objective:?}"
            );
        }
    }
}
