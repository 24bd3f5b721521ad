//! Pareto/NBD: a customer buys at the rate λ and stops at the rate μ; over customers λ is gamma
//! distributed (r, α) and μ gamma distributed (s, β).
//!
//! Schmittlein, Morrison and Colombo 1987, Management Science 33(1). The likelihood is usually
//! written as a difference of two Gauss hypergeometric functions, which loses all digits where
//! they are close. That difference is one integral over the time τ at which the customer stopped,
//!
//! ```text
//! s ∫ (α + τ)^−(r+x) (β + τ)^−(s+1) dτ   from t_x to T
//! ```
//!
//! whose integrand is positive: a sum over the nodes of a quadrature loses nothing, and its
//! derivatives are sums over the same nodes.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{History, PurchaseProcess, Term};
use crate::quadrature::gauss_legendre;
use crate::special::{digamma, ln_gamma};

/// Nodes of the quadrature on one piece of the integral.
const NODES: usize = 10;
/// By what power of e the integrand changes on a piece at most: with ten nodes the error is below
/// 1e-12 of the piece.
const PIECE_CHANGE: f64 = 6.0;
/// The longest piece, in the logarithm of time.
const PIECE_MAX: f64 = 1.5;
/// Pieces that add less than this share end the integral.
const NEGLIGIBLE: f64 = 1e-17;

static RULE: LazyLock<(Vec<f64>, Vec<f64>)> = LazyLock::new(|| gauss_legendre(NODES));

/// A Pareto/NBD model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoNbd {
    /// Shape of the rates of buying.
    pub r: f64,
    /// Scale of the rates of buying, a time: the mean rate is `r / alpha`.
    pub alpha: f64,
    /// Shape of the rates of stopping.
    pub s: f64,
    /// Scale of the rates of stopping, a time: the mean rate is `s / beta`.
    pub beta: f64,
}

/// Sums over when a customer stopped, relative to the likelihood of one who stopped just after
/// the last purchase.
#[derive(Clone, Copy, Debug, Default)]
struct Stopped {
    /// How likely it is that the customer stopped.
    likelihood: f64,
    /// The same times `ln((α + τ) / (α + t_x))`.
    ln_alpha: f64,
    /// Times `ln((β + τ) / (β + t_x))`.
    ln_beta: f64,
    /// Times `1 / (α + τ)`.
    per_alpha: f64,
    /// Times `1 / (β + τ)`.
    per_beta: f64,
}

impl ParetoNbd {
    /// How likely it is that a customer who last bought at `t_x` has not stopped, and that one has.
    fn sides(&self, history: &History) -> (f64, Stopped) {
        let waited = history.age - history.last;
        let buying = (waited / (self.alpha + history.last)).ln_1p();
        let stopping = (waited / (self.beta + history.last)).ln_1p();
        let going = (-(self.r + history.repeats) * buying - self.s * stopping).exp();
        (going, self.stopped(history))
    }

    /// The integral over θ, where `τ = t_x + low (e^θ − 1)` and `low` is the lesser of `α + t_x`
    /// and `β + t_x`: one of the two powers is `e^θ` itself then, and the other is smooth.
    fn stopped(&self, history: &History) -> Stopped {
        let buys = self.r + history.repeats;
        let (alpha, beta) = (self.alpha + history.last, self.beta + history.last);
        let (low, high) = (alpha.min(beta), alpha.max(beta));
        let range = ((history.age - history.last) / low).ln_1p();
        let steepest = buys + self.s + 1.0;
        let pieces = (range * steepest / PIECE_CHANGE)
            .max(range / PIECE_MAX)
            .ceil()
            .max(1.0);
        let width = range / pieces;
        let mut sum = Stopped::default();
        for piece in 0..pieces as usize {
            let before = sum.likelihood;
            for (at, weight) in RULE.0.iter().zip(&RULE.1) {
                let theta = (piece as f64 + at) * width;
                let since = low * theta.exp_m1();
                let ln_high = (since / high).ln_1p();
                let (ln_alpha, ln_beta) = if alpha == low {
                    (theta, ln_high)
                } else {
                    (ln_high, theta)
                };
                let (per_alpha, per_beta) = (1.0 / (alpha + since), 1.0 / (beta + since));
                let ln_chance = theta - buys * ln_alpha - self.s * ln_beta;
                let chance = weight * width * low * self.s * per_beta * ln_chance.exp();
                sum.likelihood += chance;
                sum.ln_alpha += chance * ln_alpha;
                sum.ln_beta += chance * ln_beta;
                sum.per_alpha += chance * per_alpha;
                sum.per_beta += chance * per_beta;
            }
            // The integrand falls from piece to piece where the first factor falls faster than
            // time grows.
            let is_falling = buys > 1.0;
            if is_falling && sum.likelihood - before <= NEGLIGIBLE * sum.likelihood {
                break;
            }
        }
        sum
    }
}

impl PurchaseProcess for ParetoNbd {
    const TIMES: [bool; 4] = [false, true, false, true];

    fn of([r, alpha, s, beta]: [f64; 4]) -> ParetoNbd {
        ParetoNbd { r, alpha, s, beta }
    }

    fn parameters(&self) -> [f64; 4] {
        [self.r, self.alpha, self.s, self.beta]
    }

    fn count_term(&self, repeats: f64) -> Term {
        let ParetoNbd { r, alpha, s, beta } = *self;
        Term {
            value: ln_gamma(r + repeats) - ln_gamma(r) + r * alpha.ln() + s * beta.ln(),
            gradient: [
                digamma(r + repeats) - digamma(r) + alpha.ln(),
                r / alpha,
                beta.ln(),
                s / beta,
            ],
        }
    }

    fn time_term(&self, history: &History) -> Term {
        let ParetoNbd { r, alpha, s, beta } = *self;
        let History { repeats, last, age } = *history;
        let (going, stopped) = self.sides(history);
        let all = going + stopped.likelihood;
        let (ln_alpha, ln_beta) = ((alpha + last).ln(), (beta + last).ln());
        let alive = going / all;
        let mean = |sum: f64, of_alive: f64| alive * of_alive + sum / all;
        let waited = age - last;
        let (ln_alpha_end, ln_beta_end) = (
            (waited / (alpha + last)).ln_1p(),
            (waited / (beta + last)).ln_1p(),
        );
        let stops = stopped.per_beta / all;
        Term {
            value: all.ln() - (r + repeats) * ln_alpha - s * ln_beta,
            gradient: [
                -ln_alpha - mean(stopped.ln_alpha, ln_alpha_end),
                -(r + repeats) * mean(stopped.per_alpha, 1.0 / (alpha + age)),
                (1.0 - alive) / s - ln_beta - mean(stopped.ln_beta, ln_beta_end),
                -s * mean(stopped.per_beta, 1.0 / (beta + age)) - stops,
            ],
        }
    }

    fn alive(&self, history: &History) -> f64 {
        let (going, stopped) = self.sides(history);
        going / (going + stopped.likelihood)
    }

    /// The mean rate of buying times the mean time left within `horizon`; the latter is
    /// `∫ ((β + T) / (β + T + u))^s du`, a logarithm at `s = 1` and a power elsewhere.
    fn expected(&self, history: &History, horizon: f64) -> f64 {
        let scale = self.beta + history.age;
        let exponent = (1.0 - self.s) * (horizon / scale).ln_1p();
        let growth = match exponent == 0.0 {
            true => 1.0,
            false => exponent.exp_m1() / exponent,
        };
        let time_left = scale * (horizon / scale).ln_1p() * growth;
        let rate = (self.r + history.repeats) / (self.alpha + history.age);
        self.alive(history) * rate * time_left
    }
}
