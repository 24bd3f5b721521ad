//! What customers will be worth, from when and for how much they bought: models of buying until
//! one stops, with the rate and the stopping differing from customer to customer.
//!
//! | model | while a customer buys | and stops | source |
//! |---|---|---|---|
//! | [`BgNbd`] | at random times, at a rate of their own | after any purchase, with a probability of their own | Fader, Hardie and Lee 2005, "Counting your customers the easy way" |
//! | [`ParetoNbd`] | the same | at any time, at a rate of their own | Schmittlein, Morrison and Colombo 1987, "Counting your customers" |
//! | [`GammaGamma`] | spends amounts around a mean of their own | – | Fader and Hardie 2013, "The gamma-gamma model of monetary value" |
//!
//! All they need of a customer is a [`History`]: how many purchases after the first, when the last
//! one was, and how long the customer is known. Times are in any unit, the same everywhere.
//! Nothing is learnt from what came later, so they need no outcomes and no past to be trained on
//! but the present.
//!
//! Customers of equal history are one row with a weight: exact, and a million customers by the day
//! are far fewer histories.

use serde::{Deserialize, Serialize};

mod bg_nbd;
mod discount;
mod fit;
mod gamma_gamma;
mod histories;
mod maximise;
mod model;
mod pareto_nbd;
#[cfg(test)]
mod tests;

pub use bg_nbd::BgNbd;
pub use fit::{Fit, fit};
pub use gamma_gamma::{GammaGamma, Spend};
pub use histories::Histories;
pub use model::{BrokenLifetime, LastPurchase, LifetimeModel, Predicts, Process, Reads, Says};
pub use pareto_nbd::ParetoNbd;

/// When a customer bought, as far as the models look at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Purchases after the first (x); whole.
    pub repeats: f64,
    /// The time from the first purchase to the last (t_x); 0 where there was one only.
    pub last: f64,
    /// The time from the first purchase to now (T).
    pub age: f64,
}

impl History {
    /// A customer who has just bought for the first time.
    pub const NEW: History = History {
        repeats: 0.0,
        last: 0.0,
        age: 0.0,
    };
}

/// A part of a log-likelihood, with its derivative in each of the parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term<const N: usize = 4> {
    /// The part.
    pub value: f64,
    /// Its derivatives.
    pub gradient: [f64; N],
}

impl<const N: usize> Term<N> {
    const ZERO: Term<N> = Term {
        value: 0.0,
        gradient: [0.0; N],
    };

    fn add(&mut self, other: &Term<N>, weight: f64) {
        self.value += weight * other.value;
        for (sum, part) in self.gradient.iter_mut().zip(&other.gradient) {
            *sum += weight * part;
        }
    }
}

/// A model of when customers buy and when they stop.
pub trait PurchaseProcess: Copy + Send + Sync {
    /// Which of the parameters are a time, in the unit of the histories.
    const TIMES: [bool; 4];

    /// The model of four positive parameters.
    fn of(parameters: [f64; 4]) -> Self;

    /// Its parameters.
    fn parameters(&self) -> [f64; 4];

    /// The part of the log-likelihood of a history that depends on the number of purchases alone.
    fn count_term(&self, repeats: f64) -> Term;

    /// The rest of the log-likelihood of a history.
    fn time_term(&self, history: &History) -> Term;

    /// The probability that a customer has not stopped.
    fn alive(&self, history: &History) -> f64;

    /// How many purchases to expect of a customer within `horizon` from now.
    fn expected(&self, history: &History, horizon: f64) -> f64;

    /// The same with purchases later than now counting less: `exp(−rate · time)`.
    fn discounted(&self, history: &History, horizon: f64, rate: f64) -> f64 {
        discount::discounted(|until| self.expected(history, until), horizon, rate)
    }
}

/// Why histories teach nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// A history that cannot be.
    #[error("row {row} {problem}")]
    Row {
        /// Which, counted from 0.
        row: usize,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// Nobody bought twice.
    #[error(
        "none of the {customers} customers bought a second time, so nothing can be said of when \
         they buy again; widen the training window or check the purchases that are counted"
    )]
    NoRepeats {
        /// How many customers.
        customers: usize,
    },
    /// Nobody who bought again spent anything.
    #[error(
        "none of the customers who bought again has a mean value above 0, so nothing can be said \
         of what they spend; check the column of values"
    )]
    NoSpend,
}
