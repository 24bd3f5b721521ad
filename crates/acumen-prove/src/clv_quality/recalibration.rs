//! A law between predicted and true values, fitted so that totals come out right: boosting with a
//! logarithmic link falls short of the largest values.

/// The logarithm of a value is two straight lines of the logarithm of what was predicted, which
/// meet where half of the predicted total lies below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Law {
    /// Intercept, slope, and what is added to the slope above the knee.
    line: [f64; 3],
    /// Logarithm of a prediction.
    knee: f64,
    /// What a prediction is at least counted as.
    least: f64,
}

/// What a prediction is at least counted as, as a share of the mean.
const LEAST_SHARE: f64 = 1e-3;
/// Newton's steps; some six suffice.
const STEPS_MAX: usize = 50;

impl Law {
    /// The most likely law of Poisson outcomes, by Newton's method: the predicted total is then
    /// that of the outcomes, and so is the total weighted by the logarithm of the prediction.
    pub(super) fn fit(predicted: &[f64], outcome: &[f32]) -> Law {
        let mean = |of: &mut dyn Iterator<Item = f64>| of.sum::<f64>() / predicted.len() as f64;
        let center = mean(&mut predicted.iter().copied());
        let height = mean(&mut outcome.iter().map(|y| f64::from(*y)));
        let mut law = Law {
            line: [(height / center).ln(), 1.0, 0.0],
            knee: knee(predicted),
            least: center * LEAST_SHARE,
        };
        for _ in 0..STEPS_MAX {
            let (mut gradient, mut curvature) = ([0.0; 3], [[0.0; 3]; 3]);
            for (p, y) in predicted.iter().zip(outcome) {
                let x = law.terms(*p);
                let expected = law.apply(*p);
                for i in 0..3 {
                    gradient[i] += (f64::from(*y) - expected) * x[i];
                    for j in 0..3 {
                        curvature[i][j] += expected * x[i] * x[j];
                    }
                }
            }
            let step = solve(curvature, gradient);
            for (line, step) in law.line.iter_mut().zip(step) {
                *line += step;
            }
            if step.iter().all(|step| step.abs() < 1e-10) {
                break;
            }
        }
        law
    }

    /// The value of a prediction.
    pub(super) fn apply(&self, predicted: f64) -> f64 {
        let terms = self.terms(predicted).into_iter();
        terms.zip(self.line).map(|(x, b)| x * b).sum::<f64>().exp()
    }

    fn terms(&self, predicted: f64) -> [f64; 3] {
        let log = predicted.max(self.least).ln();
        [1.0, log, (log - self.knee).max(0.0)]
    }
}

/// The logarithm of the prediction below which half of the predicted total lies.
fn knee(predicted: &[f64]) -> f64 {
    let mut rising = predicted.to_vec();
    rising.sort_by(f64::total_cmp);
    let half = rising.iter().sum::<f64>() / 2.0;
    let mut below = 0.0;
    let found = rising.iter().find(|value| {
        below += **value;
        below >= half
    });
    found.map_or(0.0, |value| value.ln())
}

/// Three linear equations of a positive definite matrix, by elimination.
fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        for row in pivot + 1..3 {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            let above = matrix[pivot];
            for (value, above) in matrix[row].iter_mut().zip(above) {
                *value -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    let mut solution = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|i| matrix[row][i] * solution[i]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_is_found_again_and_totals_come_out_right() {
        let predicted: Vec<f64> = (1..400).map(|i| f64::from(i) * 0.7).collect();
        let half = knee(&predicted).exp();
        let bent = |p: f64| 1.3 * p.powf(1.2) * (p / half).max(1.0).powf(0.3);
        let truth: Vec<f32> = predicted.iter().map(|p| bent(*p) as f32).collect();
        let law = Law::fit(&predicted, &truth);
        let off = predicted.iter().map(|p| law.apply(*p) / bent(*p) - 1.0);
        assert!(
            off.fold(0.0_f64, |most, off| most.max(off.abs())) < 1e-3,
            "{law:?}"
        );
        let noisy: Vec<f32> = (0_u16..399).map(|i| f32::from(i * 79 % 500)).collect();
        let law = Law::fit(&predicted, &noisy);
        let total: f64 = predicted.iter().map(|p| law.apply(*p)).sum();
        let sum: f64 = noisy.iter().map(|y| f64::from(*y)).sum();
        assert!((total / sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_knee_halves_the_total() {
        assert_eq!(knee(&[1.0, 1.0, 2.0, 4.0]), 2.0_f64.ln());
    }
}
