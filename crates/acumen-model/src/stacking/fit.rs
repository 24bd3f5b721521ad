//! Fitting the weights: a logistic regression with weights that are not negative, by projected
//! Newton steps (Bertsekas 1982, "Projected Newton methods").

use super::linear::solve;
use super::{Stacking, dot};
use crate::calibration::logistic;
use crate::data::Dataset;
use crate::learner::FitError;
use crate::metrics::weight_of;

const STEPS_MAX: usize = 100;
/// A step that changes no parameter by more has converged.
const STEP_MIN: f64 = 1e-9;
/// Pulls weights that the rows say nothing about towards zero, in units of one row.
const RIDGE: f64 = 1.0;
/// Keeps the covariance invertible where members say the same, as a share of the variances.
const JITTER: f64 = 1e-6;

pub(super) fn fit(rows: &Dataset) -> Result<Stacking, FitError> {
    let Some(first) = rows.outcome.first() else {
        return Err(FitError::NoRows { part: "training" });
    };
    if rows.outcome.iter().all(|outcome| outcome == first) {
        return Err(FitError::OneClass {
            rows: rows.len(),
            value: *first,
        });
    }
    let members = rows.matrix.columns.len();
    let problem = Problem::of(rows);
    let mut parameters = vec![0.0; members + 1];
    parameters[members] = problem.base_rate();
    let mut loss = problem.loss(&parameters);
    for _ in 0..STEPS_MAX {
        let step = problem.step(&parameters);
        let mut length = 1.0;
        let (next, next_loss) = loop {
            let next = moved(&parameters, &step, length);
            let next_loss = problem.loss(&next);
            if next_loss <= loss || length < STEP_MIN {
                break (next, next_loss);
            }
            length /= 2.0;
        };
        let moved = next.iter().zip(&parameters).map(|(a, b)| (a - b).abs());
        let moved = moved.fold(0.0, f64::max);
        if next_loss <= loss {
            (parameters, loss) = (next, next_loss);
        }
        if moved < STEP_MIN {
            break;
        }
    }
    let intercept = parameters.pop().unwrap_or(0.0);
    let (means, covariance) = problem.moments();
    Ok(Stacking {
        weights: parameters,
        intercept,
        means,
        covariance,
    })
}

/// A step, with the weights kept from falling below zero.
fn moved(parameters: &[f64], step: &[f64], length: f64) -> Vec<f64> {
    let members = parameters.len() - 1;
    let moved = parameters.iter().zip(step).enumerate();
    moved
        .map(|(i, (value, step))| match value - length * step {
            below if i < members && below < 0.0 => 0.0,
            value => value,
        })
        .collect()
}

/// Rows of margins (a missing one at its column's mean) with a last column of ones.
struct Problem<'a> {
    rows: Vec<Vec<f64>>,
    outcome: &'a [f32],
    weight: Option<&'a [f32]>,
}

impl Problem<'_> {
    fn of(rows: &Dataset) -> Problem<'_> {
        let mean = |column: &Vec<f32>| {
            let (mut sum, mut all) = (0.0, 0.0);
            for (row, value) in column.iter().enumerate() {
                if !value.is_nan() {
                    let weight = weight_of(rows.weight.as_deref(), row);
                    sum += weight * f64::from(*value);
                    all += weight;
                }
            }
            if all > 0.0 { sum / all } else { 0.0 }
        };
        let means: Vec<f64> = rows.matrix.data.iter().map(mean).collect();
        let row = |i: usize| {
            let margins = rows.matrix.data.iter().zip(&means);
            let margins = margins.map(|(column, mean)| match column[i] {
                missing if missing.is_nan() => *mean,
                margin => f64::from(margin),
            });
            margins.chain([1.0]).collect()
        };
        Problem {
            rows: (0..rows.len()).map(row).collect(),
            outcome: &rows.outcome,
            weight: rows.weight.as_deref(),
        }
    }

    fn weight(&self, row: usize) -> f64 {
        weight_of(self.weight, row)
    }

    /// The log odds of the mean outcome.
    fn base_rate(&self) -> f64 {
        let (mut positive, mut all) = (0.0, 0.0);
        for (row, outcome) in self.outcome.iter().enumerate() {
            positive += self.weight(row) * f64::from(*outcome);
            all += self.weight(row);
        }
        (positive / (all - positive)).ln()
    }

    /// Cross entropy and ridge, written so that no exponential overflows.
    fn loss(&self, parameters: &[f64]) -> f64 {
        let weights = &parameters[..parameters.len() - 1];
        let rows = self.rows.iter().zip(self.outcome).enumerate();
        let terms = rows.map(|(i, (row, outcome))| {
            let f = dot(parameters, row);
            self.weight(i) * (f.max(0.0) - f * f64::from(*outcome) + (-f.abs()).exp().ln_1p())
        });
        terms.sum::<f64>() + RIDGE / 2.0 * dot(weights, weights)
    }

    /// The Newton step over the parameters that may move: those above zero, and those at zero
    /// that want to rise.
    fn step(&self, parameters: &[f64]) -> Vec<f64> {
        let (gradient, hessian) = self.derivatives(parameters);
        let members = parameters.len() - 1;
        let free: Vec<usize> = (0..parameters.len())
            .filter(|&i| i == members || parameters[i] > 0.0 || gradient[i] < 0.0)
            .collect();
        let among = free
            .iter()
            .map(|a| free.iter().map(|b| hessian[*a][*b]).collect())
            .collect();
        let towards = free.iter().map(|i| gradient[*i]).collect();
        let mut step = vec![0.0; parameters.len()];
        for (at, by) in free.iter().zip(solve(among, towards).unwrap_or_default()) {
            step[*at] = by;
        }
        step
    }

    fn derivatives(&self, parameters: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let n = parameters.len();
        let mut gradient = vec![0.0; n];
        let mut hessian = vec![vec![0.0; n]; n];
        for (i, (row, outcome)) in self.rows.iter().zip(self.outcome).enumerate() {
            let p = logistic(dot(parameters, row));
            let slope = self.weight(i) * (p - f64::from(*outcome));
            let curve = self.weight(i) * p * (1.0 - p);
            for (a, value) in row.iter().enumerate() {
                gradient[a] += slope * value;
                for (entry, other) in hessian[a].iter_mut().zip(row) {
                    *entry += curve * value * other;
                }
            }
        }
        for member in 0..n - 1 {
            gradient[member] += RIDGE * parameters[member];
            hessian[member][member] += RIDGE;
        }
        // The intercept, too, where every row is certain.
        hessian[n - 1][n - 1] += f64::EPSILON;
        (gradient, hessian)
    }

    /// Means and covariance of the margins.
    fn moments(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let members = self.rows[0].len() - 1;
        let all: f64 = (0..self.rows.len()).map(|row| self.weight(row)).sum();
        let sum = |value: &dyn Fn(&[f64]) -> f64| -> f64 {
            let rows = self.rows.iter().enumerate();
            rows.map(|(i, row)| self.weight(i) * value(row))
                .sum::<f64>()
                / all
        };
        let means: Vec<f64> = (0..members).map(|a| sum(&|row| row[a])).collect();
        let with = |a: usize, b: usize| {
            let shared = sum(&|row| (row[a] - means[a]) * (row[b] - means[b]));
            if a == b {
                shared * (1.0 + JITTER) + JITTER
            } else {
                shared
            }
        };
        let covariance = (0..members)
            .map(|a| (0..members).map(|b| with(a, b)).collect())
            .collect();
        (means, covariance)
    }
}
