//! BG/NBD: a customer buys at the rate λ and stops after a purchase with the probability p; over
//! customers λ is gamma distributed (r, α) and p beta distributed (a, b).
//!
//! Fader, Hardie and Lee 2005, Marketing Science 24(2): eq. 6 is the likelihood, eq. 10 the
//! expectation.

use serde::{Deserialize, Serialize};

use super::{History, PurchaseProcess, Term};
use crate::calibration::logistic;
use crate::special::{digamma, ln_beta, ln_gamma};

/// A BG/NBD model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgNbd {
    /// Shape of the rates.
    pub r: f64,
    /// Scale of the rates, a time: the mean rate is `r / alpha`.
    pub alpha: f64,
    /// First shape of the probabilities to stop, whose mean is `a / (a + b)`.
    pub a: f64,
    /// Second shape of the probabilities to stop.
    pub b: f64,
}

impl BgNbd {
    /// The logarithm of how much likelier a history is of a customer who stopped with the last
    /// purchase than of one who did not; of one who never bought again nobody can have stopped.
    fn ln_stopped(&self, history: &History) -> f64 {
        let BgNbd { r, alpha, a, b } = *self;
        let History { repeats, last, age } = *history;
        if repeats == 0.0 {
            return f64::NEG_INFINITY;
        }
        let unseen = (r + repeats) * ((age - last) / (alpha + last)).ln_1p();
        (a / (b + repeats - 1.0)).ln() + unseen
    }

    /// What a customer who has not stopped is expected to buy within `horizon`: the sum over `j`
    /// of the probability that more than `j` purchases would come if nobody stopped, times that
    /// of not stopping at `j` purchases. The paper's closed form is 0/0 at `a = 1` and loses all
    /// digits around it; here every term is a probability, and none is taken from another.
    fn expected_alive(&self, history: &History, horizon: f64) -> f64 {
        /// The probability of all that is left when the sum ends.
        const NEGLIGIBLE: f64 = 1e-13;
        /// Below this logarithm a probability is no normal float.
        const LN_TINY: f64 = -600.0;
        let BgNbd { r, alpha, a, b } = *self;
        let shape = r + history.repeats;
        let odds = horizon / (alpha + history.age);
        let share = odds / (1.0 + odds);
        // The number of purchases is negative binomial: shape, and `share` as its ratio.
        let mut ln_chance = -shape * odds.ln_1p();
        let mut chance = ln_chance.exp();
        let (mut more, mut going, mut sum, mut j) = (1.0 - chance, 1.0, 0.0, 0.0);
        loop {
            sum += more * going;
            going *= (b + history.repeats + j) / (a + b + history.repeats + j);
            let ratio = share * (shape + j) / (j + 1.0);
            // Ratios fall or stay below 1 from here on, so the rest is at most a geometric series.
            if ratio < 1.0 && chance * ratio <= NEGLIGIBLE * (1.0 - ratio) {
                return sum;
            }
            if ln_chance < LN_TINY {
                ln_chance += ratio.ln();
                chance = ln_chance.exp();
            } else {
                chance *= ratio;
            }
            more -= chance;
            j += 1.0;
        }
    }
}

impl PurchaseProcess for BgNbd {
    const TIMES: [bool; 4] = [false, true, false, false];

    fn of([r, alpha, a, b]: [f64; 4]) -> BgNbd {
        BgNbd { r, alpha, a, b }
    }

    fn parameters(&self) -> [f64; 4] {
        [self.r, self.alpha, self.a, self.b]
    }

    fn count_term(&self, repeats: f64) -> Term {
        let BgNbd { r, alpha, a, b } = *self;
        let together = digamma(a + b) - digamma(a + b + repeats);
        Term {
            value: ln_gamma(r + repeats) - ln_gamma(r) + r * alpha.ln() + ln_beta(a, b + repeats)
                - ln_beta(a, b),
            gradient: [
                digamma(r + repeats) - digamma(r) + alpha.ln(),
                r / alpha,
                together,
                together + digamma(b + repeats) - digamma(b),
            ],
        }
    }

    fn time_term(&self, history: &History) -> Term {
        let BgNbd { r, alpha, a, b } = *self;
        let History { repeats, last, age } = *history;
        let (shape, ln_age) = (r + repeats, (alpha + age).ln());
        if repeats == 0.0 {
            return Term {
                value: -shape * ln_age,
                gradient: [-ln_age, -shape / (alpha + age), 0.0, 0.0],
            };
        }
        let ln_last = (alpha + last).ln();
        let ln_stopped = (a / (b + repeats - 1.0)).ln() + shape * (ln_age - ln_last);
        let alive = logistic(-ln_stopped);
        let stopped = 1.0 - alive;
        Term {
            // ln(1 + e^x) without overflow.
            value: ln_stopped.max(0.0) + (-ln_stopped.abs()).exp().ln_1p() - shape * ln_age,
            gradient: [
                -alive * ln_age - stopped * ln_last,
                -shape * (alive / (alpha + age) + stopped / (alpha + last)),
                stopped / a,
                -stopped / (b + repeats - 1.0),
            ],
        }
    }

    fn alive(&self, history: &History) -> f64 {
        logistic(-self.ln_stopped(history))
    }

    fn expected(&self, history: &History, horizon: f64) -> f64 {
        self.alive(history) * self.expected_alive(history, horizon)
    }
}
