//! Platt scaling.

use serde::{Deserialize, Serialize};

use super::logistic;

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

impl Platt {
    /// The probability of a margin.
    pub fn apply(&self, margin: f64) -> f64 {
        logistic(self.slope * margin + self.offset)
    }

    /// Maximum likelihood with Platt's smoothed targets, `(N₊ + 1) / (N₊ + 2)` and
    /// `1 / (N₋ + 2)` (Platt 1999), by Newton's method with step halving (Lin, Lin and Weng
    /// 2007, "A note on Platt's probabilistic outputs for support vector machines").
    /// Margins that rank the wrong way round give slope 0.
    pub fn fit(margin: &[f64], outcome: &[f32]) -> Platt {
        let positives = outcome.iter().filter(|y| **y > 0.5).count() as f64;
        let negatives = outcome.len() as f64 - positives;
        let high = (positives + 1.0) / (positives + 2.0);
        let low = 1.0 / (negatives + 2.0);
        let targets: Vec<f64> = outcome
            .iter()
            .map(|y| if *y > 0.5 { high } else { low })
            .collect();
        let offset = ((positives + 1.0) / (negatives + 1.0)).ln();
        let mut platt = Platt { slope: 0.0, offset };
        let mut loss = platt.loss(margin, &targets);
        for _ in 0..ITERATIONS_MAX {
            let (slope_step, offset_step) = platt.newton_step(margin, &targets);
            let mut length = 1.0;
            let next = loop {
                let next = Platt {
                    slope: platt.slope - length * slope_step,
                    offset: platt.offset - length * offset_step,
                };
                let next_loss = next.loss(margin, &targets);
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
    fn loss(&self, margin: &[f64], targets: &[f64]) -> f64 {
        let terms = margin.iter().zip(targets).map(|(margin, target)| {
            let f = self.slope * margin + self.offset;
            f.max(0.0) - f * target + (-f.abs()).exp().ln_1p()
        });
        terms.sum()
    }

    fn newton_step(&self, margin: &[f64], targets: &[f64]) -> (f64, f64) {
        let (mut g_slope, mut g_offset) = (0.0, 0.0);
        let (mut h_slope, mut h_both, mut h_offset) = (RIDGE, 0.0, RIDGE);
        for (margin, target) in margin.iter().zip(targets) {
            let p = self.apply(*margin);
            let (error, curvature) = (p - target, p * (1.0 - p));
            g_slope += error * margin;
            g_offset += error;
            h_slope += curvature * margin * margin;
            h_both += curvature * margin;
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
