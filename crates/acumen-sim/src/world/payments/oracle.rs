//! The oracle: what can be known of a payment by one who knows the world.
//!
//! Every payment of an episode is drawn from the densities of one side (fraud or its genuine
//! look-alike) of a family. The oracle knows these densities, the rates at which both sides
//! start on that day, the customer's own level, typing and usual merchants, and which family a
//! payment belongs to. It does not know the side. Its probability is Bayes' rule over everything
//! the episode has shown up to and including that payment:
//!
//! ```text
//! odds = rate(fraud) / rate(genuine) × Π  p(shown | fraud) / p(shown | genuine)
//! ```
//!
//! Approximations: (1) the family is taken as known, which favours the oracle: its curve is an
//! upper bound in that respect; (2) the gap is the planned one, before a genuine payer's travel
//! time is added (minutes); (3) a location jump that nobody can travel counts as proof inside
//! the two families in which the fraud may be elsewhere; (4) friendly fraud is drawn
//! independently of everything shown, so its probability is its rate.

use super::parameters::{Parameters, Profile};

/// A profile ready to be drawn from and weighed.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) profile: Profile,
    /// Cumulative shares of the categories, in the order of the parameters.
    pub(crate) cumulative: Vec<f64>,
}

/// What one payment of an episode shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// Whether it is the first of its episode.
    pub(crate) first: bool,
    /// Whether the episode started at night (weighed with the first payment).
    pub(crate) night: bool,
    /// Whether it happens in another city (weighed with the first payment).
    pub(crate) away: bool,
    /// The logarithm of the gap in minutes since the payment before.
    pub(crate) gap: f64,
    /// Whether it is at the merchant of the payment before.
    pub(crate) stayed: bool,
    /// The category; nothing new where it stayed.
    pub(crate) category: usize,
    /// Whether it is online.
    pub(crate) online: bool,
    /// Whether it could have been otherwise in that category.
    pub(crate) online_chosen: bool,
    /// Whether the device is new to the customer, the first time that a device is seen.
    pub(crate) fresh: Option<bool>,
    /// Whether a fresh device was seen with others before.
    pub(crate) reused: Option<bool>,
    /// Whether the merchant is a usual one, and by what chance one drawn at random is.
    pub(crate) usual: Option<(bool, f64)>,
    /// How far the amount lies above the customer's usual in the category (log scale).
    pub(crate) amount: f64,
    /// How far the typing lies from the customer's own.
    pub(crate) typing: Option<f64>,
}

/// How far the span has passed (0 to 1) and whether presents are bought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    pub(crate) progress: f64,
    pub(crate) presents: bool,
}

/// Nothing that is shown counts for more than this (log odds): e^-16 is one in nine million.
const EVIDENCE_MAX: f64 = 16.0;

impl Side {
    pub(crate) fn new(profile: &Profile, parameters: &Parameters) -> Side {
        let weight = |name: &String| profile.categories.get(name).copied().unwrap_or(0.0);
        let total: f64 = parameters.categories.keys().map(weight).sum();
        let mut sum = 0.0;
        let cumulative = parameters.categories.keys().map(|name| {
            sum += weight(name) / total;
            sum
        });
        Side {
            cumulative: cumulative.collect(),
            profile: profile.clone(),
        }
    }

    /// The chance that an episode starts on a day, for one eligible customer.
    pub(crate) fn starts(&self, when: When) -> f64 {
        let profile = &self.profile;
        if when.progress < profile.from {
            return 0.0;
        }
        let drift = 1.0 + (profile.rate_by_end - 1.0) * when.progress;
        let season = if when.presents { profile.season } else { 1.0 };
        profile.per_customer_year / 365.0 * drift * season
    }

    /// Where the logarithm of an amount lies on this side.
    pub(crate) fn amount(&self, when: When) -> f64 {
        self.profile.amount + self.profile.amount_drift * when.progress
    }

    /// The chance that another payment follows.
    pub(crate) fn continues(&self) -> f64 {
        1.0 - 1.0 / self.profile.payments
    }

    fn category_share(&self, category: usize) -> f64 {
        let below = category.checked_sub(1).map_or(0.0, |c| self.cumulative[c]);
        self.cumulative[category] - below
    }

    /// The logarithm of the density of what is shown.
    fn density(&self, shown: &Shown, when: When) -> f64 {
        let profile = &self.profile;
        let mut sum = 0.0;
        if shown.first {
            sum += chance(shown.night, profile.night) + chance(shown.away, profile.away);
        } else {
            sum += normal(shown.gap, profile.gap_minutes.ln(), profile.gap_spread);
            sum += self.continues().max(1e-9).ln() + chance(shown.stayed, profile.stay);
        }
        if !shown.stayed {
            sum += self.category_share(shown.category).max(1e-9).ln();
            if shown.online_chosen {
                sum += chance(shown.online, profile.online);
            }
            if let Some((usual, at_random)) = shown.usual {
                sum += chance(usual, profile.usual + (1.0 - profile.usual) * at_random);
            }
        }
        if let Some(fresh) = shown.fresh {
            sum += chance(fresh, profile.fresh_device);
        }
        if let Some(reused) = shown.reused {
            sum += chance(reused, profile.reuse_device);
        }
        let plain = normal(shown.amount, self.amount(when), profile.amount_spread);
        sum += if shown.first || profile.finale <= 0.0 {
            plain
        } else {
            let large = normal(shown.amount, profile.finale_amount, profile.amount_spread);
            (profile.finale * large.exp() + (1.0 - profile.finale) * plain.exp() + 1e-300).ln()
        };
        if let Some(typing) = shown.typing {
            sum += normal(typing, profile.typing, profile.typing_spread);
        }
        sum
    }
}

/// What the payment adds to the log odds of fraud.
pub(crate) fn evidence(fraud: &Side, genuine: &Side, shown: &Shown, when: When) -> f64 {
    let difference = fraud.density(shown, when) - genuine.density(shown, when);
    difference.clamp(-EVIDENCE_MAX, EVIDENCE_MAX)
}

/// The probability of log odds.
pub(crate) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn normal(x: f64, mean: f64, deviation: f64) -> f64 {
    -0.5 * ((x - mean) / deviation).powi(2) - deviation.ln()
}

fn chance(happened: bool, share: f64) -> f64 {
    let share = if happened { share } else { 1.0 - share };
    share.max(1e-6).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_become_probabilities() {
        assert_eq!(probability(0.0), 0.5);
        assert!((probability(19_f64.ln()) - 0.95).abs() < 1e-12);
        assert_eq!(probability(f64::NEG_INFINITY), 0.0);
        assert_eq!(probability(f64::INFINITY), 1.0);
    }
}
