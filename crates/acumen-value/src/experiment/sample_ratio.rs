//! Whether arms have as many units as they should: where they do not, something in between loses
//! some, and no difference can be trusted.

use serde::Serialize;

/// How sure the prior of the sequential test is that shares are as declared, in units.
const PRIOR: f64 = 100.0;
/// Below this p-value the shares are off.
const ALARM: f64 = 0.001;

/// What the counts say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SampleRatio {
    /// The sum of squared distances as shares of what is expected.
    pub chi_squared: f64,
    /// The p-value of one look at a time fixed before.
    pub p: f64,
    /// The p-value of this look that holds however often one looks (Lindon and Malek 2022); the
    /// least of all looks counts.
    pub sequential_p: f64,
}

impl SampleRatio {
    /// Whether the shares are off, at any look.
    pub fn is_off(&self) -> bool {
        self.sequential_p < ALARM
    }
}

/// Compares the units of arms with their weights, which add up to 1; arms of weight 0 are left
/// out. Nothing where fewer than two arms have a weight, or there are no units.
///
/// # Panics
/// If there are not as many counts as weights.
pub fn sample_ratio(counts: &[u64], weights: &[f64]) -> Option<SampleRatio> {
    assert_eq!(counts.len(), weights.len(), "one count an arm");
    let arms = counts
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0);
    let arms: Vec<(f64, f64)> = arms
        .map(|(count, weight)| (*count as f64, *weight))
        .collect();
    let all: f64 = arms.iter().map(|(count, _)| count).sum();
    if arms.len() < 2 || all == 0.0 {
        return None;
    }
    let distance = |(count, weight): &(f64, f64)| (count - all * weight).powi(2) / (all * weight);
    let chi_squared = arms.iter().map(distance).sum();
    // The marginal likelihood under a Dirichlet prior, beside that of the declared shares.
    let favour = |(count, weight): &(f64, f64)| {
        let prior = PRIOR * weight;
        libm::lgamma(prior + count) - libm::lgamma(prior) - count * weight.ln()
    };
    let evidence =
        libm::lgamma(PRIOR) - libm::lgamma(PRIOR + all) + arms.iter().map(favour).sum::<f64>();
    Some(SampleRatio {
        chi_squared,
        p: upper_gamma((arms.len() - 1) as f64 / 2.0, chi_squared / 2.0),
        sequential_p: (-evidence).exp().min(1.0),
    })
}

/// The regularised upper incomplete gamma function: by its series below a + 1, by its continued
/// fraction above (Press et al. 2007, section 6.2).
fn upper_gamma(a: f64, x: f64) -> f64 {
    const TERMS: usize = 1_000;
    const SMALL: f64 = 1e-300;
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for k in 1..TERMS {
            term *= x / (a + k as f64);
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return 1.0 - front * sum;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / SMALL, 1.0 / b);
    let mut fraction = d;
    for k in 1..TERMS {
        let k = k as f64;
        let factor = -k * (k - a);
        b += 2.0;
        d = 1.0 / (factor * d + b);
        c = b + factor / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    front * fraction
}
