//! Platt scaling.

use serde::{Deserialize, Serialize};

use super::logistic;
use crate::metrics::weight_of;

const ITERATIONS_MAX: usize = 100;
/// A step that changes neither parameter by more has converged.
const STEP_MIN: f64 = 1e-10;
/// Keeps the Hessian invertible where all margins are alike.
const RIDGE: f64 = 1e-12;

/// A logistic function of the margin: `1 / (1 + exp(−(slope · margin + offset)))`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// Never negative.
    pub slope: f64,
    /// The log odds at margin 0.
    pub offset: f64,
}

/// A row that it is fitted to.
struct Point {
    margin: f64,
    target: f64,
    weight: f64,
}

impl Platt {
    /// The probability of a margin.
    pub fn apply(&self, margin: f64) -> f64 {
        logistic(self.slope * margin + self.offset)
    }

    /// Maximum likelihood with Platt's smoothed targets, `(N₊ + 1) / (N₊ + 2)` and
    /// `1 / (N₋ + 2)` (Platt 1999), by Newton's method with step halving (Lin, Lin and Weng
    /// 2007, "A note on Platt's probabilistic outputs for support vector machines").
    /// A row counts as many times as its weight says. Margins that rank the wrong way round give
    /// slope 0.
    pub fn fit(margin: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> Platt {
        let (mut positives, mut negatives) = (0.0, 0.0);
        for (row, y) in outcome.iter().enumerate() {
            let kind = if *y > 0.5 {
                &mut positives
            } else {
                &mut negatives
            };
            *kind += weight_of(weight, row);
        }
        let high = (positives + 1.0) / (positives + 2.0);
        let low = 1.0 / (negatives + 2.0);
        let target = |y: &f32| if *y > 0.5 { high } else { low };
        let rows: Vec<Point> = (0..margin.len())
            .map(|row| Point {
                margin: margin[row],
                target: target(&outcome[row]),
                weight: weight_of(weight, row),
            })
            .collect();
        let offset = ((positives + 1.0) / (negatives + 1.0)).ln();
        let mut platt = Platt { slope: 0.0, offset };
        let mut loss = platt.loss(&rows);
        for _ in 0..ITERATIONS_MAX {
            let (slope_step, offset_step) = platt.newton_step(&rows);
            let mut length = 1.0;
            let next = loop {
                let next = Platt {
                    slope: platt.slope - length * slope_step,
                    offset: platt.offset - length * offset_step,
                };
                let next_loss = next.loss(&rows);
                if next_loss <= loss || length < STEP_MIN {
                    loss = next_loss.min(loss);
                    break next;
                }
                length /= 2.0;
            };
            platt = next;
            if slope_step.abs().max(offset_step.abs()) * length < STEP_MIN {
                break;
            }
        }
        if platt.slope > 0.0 {
            return platt;
        }
        Platt { slope: 0.0, offset }
    }

    /// Cross entropy, written so that no exponential overflows.
    fn loss(&self, rows: &[Point]) -> f64 {
        let terms = rows.iter().map(|row| {
            let f = self.slope * row.margin + self.offset;
            row.weight * (f.max(0.0) - f * row.target + (-f.abs()).exp().ln_1p())
        });
        terms.sum()
    }

    fn newton_step(&self, rows: &[Point]) -> (f64, f64) {
        let (mut g_slope, mut g_offset) = (0.0, 0.0);
        let (mut h_slope, mut h_both, mut h_offset) = (RIDGE, 0.0, RIDGE);
        for row in rows {
            let p = self.apply(row.margin);
            let error = row.weight * (p - row.target);
            let curvature = row.weight * (p * (1.0 - p));
            g_slope += error * row.margin;
            g_offset += error;
            h_slope += curvature * row.margin * row.margin;
            h_both += curvature * row.margin;
            h_offset += curvature;
        }
        let determinant = h_slope * h_offset - h_both * h_both;
        if determinant <= 0.0 {
            return (0.0, g_offset / h_offset);
        }
        (
            (h_offset * g_slope - h_both * g_offset) / determinant,
            (h_slope * g_offset - h_both * g_slope) / determinant,
        )
    }
}
