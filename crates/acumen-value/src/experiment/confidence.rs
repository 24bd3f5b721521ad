//! Differences with intervals that hold at all times together.
//!
//! The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas
//! ("Time-uniform central limit theory and asymptotic confidence sequences", 2021), with the
//! parameter of its mixture tuned to one number of units, at which it is narrowest.

use serde::Serialize;

use super::moments::{Moments, RatioMoments};

/// How sure an interval is, and for how many units it is tuned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConfidenceSequence {
    /// The chance that the truth is ever outside: 0.05.
    pub alpha: f64,
    /// The number of units at which it is narrowest: 5,000.
    pub tuned_for: f64,
}

/// A difference between two arms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error at this time.
    pub error: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The p-value, valid at all times.
    pub p: f64,
}

impl Default for ConfidenceSequence {
    fn default() -> ConfidenceSequence {
        ConfidenceSequence {
            alpha: 0.05,
            tuned_for: 5_000.0,
        }
    }
}

impl ConfidenceSequence {
    /// The parameter of the mixture.
    pub fn rho(&self) -> f64 {
        let doubt = -2.0 * self.alpha.ln();
        ((doubt + (doubt + 1.0).ln()) / self.tuned_for).sqrt()
    }

    /// Half of the width for a variance of one unit, after so many.
    pub fn half_width(&self, variance: f64, count: f64) -> f64 {
        let (rho, wide) = (self.rho(), count * self.rho().powi(2) + 1.0);
        let inside = 2.0 * wide / (count * rho).powi(2) * (wide.sqrt() / self.alpha).ln();
        variance.sqrt() * inside.sqrt()
    }

    /// By how much B is above A; nothing where an arm has fewer than two units.
    pub fn absolute(&self, a: &Moments, b: &Moments) -> Option<Difference> {
        let variance = a.variance_of_mean()? + b.variance_of_mean()?;
        self.of(b.mean() - a.mean(), variance, a.count + b.count)
    }

    /// By which share of A's mean B is above it, by the delta method; nothing where A's mean is 0
    /// or an arm has fewer than two units.
    pub fn relative(&self, a: &Moments, b: &Moments) -> Option<Difference> {
        let parts = [
            (a.mean(), a.variance_of_mean()?),
            (b.mean(), b.variance_of_mean()?),
        ];
        self.lift(parts, a.count + b.count)
    }

    /// The same of quotients.
    pub fn relative_of_ratios(&self, a: &RatioMoments, b: &RatioMoments) -> Option<Difference> {
        let parts = [
            (a.ratio(), a.variance_of_ratio()?),
            (b.ratio(), b.variance_of_ratio()?),
        ];
        self.lift(parts, a.above.count + b.above.count)
    }

    fn lift(&self, [(a, of_a), (b, of_b)]: [(f64, f64); 2], count: f64) -> Option<Difference> {
        if a == 0.0 {
            return None;
        }
        let variance = of_b / (a * a) + of_a * b * b / a.powi(4);
        self.of((b - a) / a.abs(), variance, count)
    }

    fn of(&self, estimate: f64, variance: f64, count: f64) -> Option<Difference> {
        if !estimate.is_finite() || !variance.is_finite() {
            return None;
        }
        let half = self.half_width(variance * count, count);
        let wide = count * self.rho().powi(2) + 1.0;
        let evidence = match variance > 0.0 {
            true => self.rho().powi(2) * count * estimate * estimate / variance / (2.0 * wide),
            false if estimate == 0.0 => 0.0,
            false => f64::INFINITY,
        };
        Some(Difference {
            estimate,
            error: variance.sqrt(),
            low: estimate - half,
            high: estimate + half,
            p: (wide.sqrt() * (-evidence).exp()).min(1.0),
        })
    }
}
