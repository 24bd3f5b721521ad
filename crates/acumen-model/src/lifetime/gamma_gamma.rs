//! Gamma-Gamma: what customers spend at a purchase is gamma distributed (p, ν) around a mean of
//! their own, and ν is gamma distributed (q, v) over customers; how much is independent of how
//! often.
//!
//! Fader and Hardie 2013, "The gamma-gamma model of monetary value", eq. 1a and 5.

use serde::{Deserialize, Serialize};

use super::fit::{few_first, in_pieces};
use super::maximise::maximise;
use super::{LifetimeError, Term};
use crate::special::{digamma, ln_gamma};

/// What a customer spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spend {
    /// How many purchases (x).
    pub purchases: f64,
    /// The mean value of one of them, in any currency unit.
    pub mean: f64,
}

/// A Gamma-Gamma model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of the values of one customer.
    pub p: f64,
    /// Shape over customers, above 1: otherwise there is no mean.
    pub q: f64,
    /// Scale over customers, a value.
    pub v: f64,
}

impl GammaGamma {
    /// The most likely model of customers with their weights. Who bought nothing or spent nothing
    /// on the whole (all was returned) says nothing of it.
    ///
    /// # Errors
    /// A value that is not finite, or that nobody spent anything.
    pub fn fit(customers: &[(Spend, f64)]) -> Result<GammaGamma, LifetimeError> {
        let mut customers = telling(customers)?;
        // In units of the mean, so that the currency does not matter.
        let (spent, weight) = customers
            .iter()
            .fold((0.0, 0.0), |(spent, all), (spend, weight)| {
                (spent + weight * spend.mean, all + weight)
            });
        let unit = spent / weight;
        for (spend, _) in &mut customers {
            spend.mean /= unit;
        }
        let best = few_first(&customers, [1.0, 0.5, 0.0], |customers, start| {
            maximise(start, |ln: &[f64; 3]| {
                GammaGamma::of_logarithms(ln).slope(customers)
            })
        });
        let model = GammaGamma::of_logarithms(&best.at);
        Ok(GammaGamma {
            v: model.v * unit,
            ..model
        })
    }

    fn of_logarithms(ln: &[f64; 3]) -> GammaGamma {
        let [p, above, v] = ln.map(f64::exp);
        GammaGamma {
            p,
            q: 1.0 + above,
            v,
        }
    }

    /// The mean log-likelihood and its derivatives in the logarithms of [`GammaGamma::of_logarithms`].
    fn slope(&self, customers: &[(Spend, f64)]) -> Term<3> {
        let weight: f64 = customers.iter().map(|(_, weight)| weight).sum();
        let Term {
            value,
            gradient: [p, q, v],
        } = self.term(customers);
        let slopes = [p * self.p, q * (self.q - 1.0), v * self.v];
        Term {
            value: value / weight,
            gradient: slopes.map(|slope| slope / weight),
        }
    }

    /// The log-likelihood of customers with their weights, sorted by purchases.
    pub fn log_likelihood(&self, customers: &[(Spend, f64)]) -> f64 {
        self.term(customers).value
    }

    /// The log-likelihood and its derivatives.
    fn term(&self, customers: &[(Spend, f64)]) -> Term<3> {
        let GammaGamma { p, q, v } = *self;
        in_pieces(customers, |sum: &mut Term<3>, piece| {
            for alike in piece.chunk_by(|(a, _), (b, _)| a.purchases == b.purchases) {
                let x = alike[0].0.purchases;
                let count = ln_gamma(p * x + q) - ln_gamma(p * x) - ln_gamma(q)
                    + q * v.ln()
                    + p * x * x.ln();
                let (both, own, over) = (digamma(p * x + q), digamma(p * x), digamma(q));
                for (Spend { mean, .. }, weight) in alike {
                    let (ln_mean, scale) = (mean.ln(), v + x * mean);
                    let ln_scale = scale.ln();
                    sum.value +=
                        weight * (count + (p * x - 1.0) * ln_mean - (p * x + q) * ln_scale);
                    sum.gradient[0] += weight * x * (both - own + ln_mean + x.ln() - ln_scale);
                    sum.gradient[1] += weight * (both - over + v.ln() - ln_scale);
                    sum.gradient[2] += weight * (q / v - (p * x + q) / scale);
                }
            }
        })
    }

    /// The value to expect of a purchase of a customer: the mean of what was spent, drawn towards
    /// the mean of all customers, the more so the fewer purchases there were. Where nothing was
    /// spent it is the mean of all.
    pub fn expected(&self, spend: &Spend) -> f64 {
        let GammaGamma { p, q, v } = *self;
        let Spend { purchases, mean } = *spend;
        if !(purchases > 0.0 && mean > 0.0) {
            return p * v / (q - 1.0);
        }
        p * (v + purchases * mean) / (p * purchases + q - 1.0)
    }
}

/// The customers who tell something of spending, in an order that does not depend on how they came.
fn telling(customers: &[(Spend, f64)]) -> Result<Vec<(Spend, f64)>, LifetimeError> {
    let is_endless = |(spend, _): &(Spend, f64)| spend.purchases > 0.0 && !spend.mean.is_finite();
    if let Some(row) = customers.iter().position(is_endless) {
        let problem = format!(
            "has a mean value of {}, which is not a finite number; give what the customer spent at \
             a repeat purchase on average",
            customers[row].0.mean
        );
        return Err(LifetimeError::Row { row, problem });
    }
    let tells = |(spend, _): &&(Spend, f64)| spend.purchases > 0.0 && spend.mean > 0.0;
    let mut telling: Vec<(Spend, f64)> = customers.iter().filter(tells).copied().collect();
    telling.sort_unstable_by_key(|(spend, weight)| {
        [spend.purchases, spend.mean, *weight].map(f64::to_bits)
    });
    match telling.is_empty() {
        true => Err(LifetimeError::NoSpend),
        false => Ok(telling),
    }
}
