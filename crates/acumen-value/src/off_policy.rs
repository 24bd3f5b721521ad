//! What another policy would have been worth, from the log of one that explored.
//!
//! A row of the log is one decision: its reward, the probability with which the action was taken
//! (the *propensity*), and the probability with which the other policy would have taken it. With
//! `w` their quotient,
//!
//! ```text
//! inverse propensity (IPS)      mean(w r)                  Horvitz and Thompson 1952
//! self-normalised (SNIPS)       Σ w r / Σ w                Swaminathan and Joachims 2015
//! direct method (DM)            mean(v)
//! doubly robust (DR)            mean(v + w (r − q))        Dudík, Langford and Li 2011
//! ```
//!
//! where a model of the reward says `q` of the action that was taken and `v` of the other policy's
//! actions, on average over them. IPS needs right propensities and DM a right model; DR needs one
//! of the two. Intervals are those of the mean of independent rows; of SNIPS by the delta method.
//!
//! None of them can say anything about actions that the log never took: [`Overlap`] is looked at
//! first.

mod model;
mod overlap;
#[cfg(test)]
mod tests;

pub use model::{CellMeans, cell_means};
pub use overlap::{Concern, Overlap};

use serde::Serialize;

/// The standard normal quantile of 97.5 %: intervals are those of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The log of a policy that explored, by column.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// What came of each decision.
    pub reward: &'a [f64],
    /// With which probability its action was taken; above 0.
    pub propensity: &'a [f64],
    /// With which probability the other policy would have taken it.
    pub target: &'a [f64],
    /// What a model says of the rewards, where there is one.
    pub model: Option<Modelled<'a>>,
}

/// What a model of the reward says of each decision.
#[derive(Clone, Copy, Debug)]
pub struct Modelled<'a> {
    /// Of the action that was taken.
    pub taken: &'a [f64],
    /// Of the other policy's actions, on average over them.
    pub target: &'a [f64],
}

/// A value a decision, with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// All estimates of one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimates {
    /// Inverse propensity scoring.
    pub ips: Estimate,
    /// The same, normalised by the weights.
    pub snips: Estimate,
    /// The direct method; `None` without a model.
    pub dm: Option<Estimate>,
    /// Doubly robust; `None` without a model.
    pub dr: Option<Estimate>,
    /// What the policy of the log was worth.
    pub logged: Estimate,
    /// Whether the log can say anything about the other policy.
    pub overlap: Overlap,
    /// How many weights were cut at the limit.
    pub clipped: usize,
}

/// Why a log cannot be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OffPolicyError {
    /// Too few rows.
    #[error("there are {0} decisions, and an interval needs two at least")]
    TooFew(usize),
    /// Columns of different lengths.
    #[error("there are {rewards} rewards, but {found} values of {what}")]
    Lengths {
        /// Of what.
        what: &'static str,
        /// How many rewards.
        rewards: usize,
        /// How many values.
        found: usize,
    },
    /// A number that is none, or no probability.
    #[error("the {what} of decision {row} is {value}, which is not {expected}")]
    Number {
        /// `reward`, `propensity`, and so on.
        what: &'static str,
        /// The first such row, counted from 0.
        row: usize,
        /// Its value.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
}

impl Logged<'_> {
    /// All estimates of the other policy; weights above `clip` are cut to it.
    ///
    /// # Errors
    /// Where columns do not fit each other, or a value is no reward or no probability.
    pub fn evaluate(&self, clip: Option<f64>) -> Result<Estimates, OffPolicyError> {
        self.check()?;
        let quotients = self.target.iter().zip(self.propensity).map(|(t, p)| t / p);
        let raw: Vec<f64> = quotients.collect();
        let limit = clip.unwrap_or(f64::INFINITY);
        let weights: Vec<f64> = raw.iter().map(|weight| weight.min(limit)).collect();
        let weighed = || weights.iter().zip(self.reward).map(|(w, r)| w * r);
        let robust = |model: Modelled<'_>| {
            let errors = self.reward.iter().zip(model.taken).map(|(r, q)| r - q);
            let moved = errors.zip(&weights).map(|(error, w)| error * w);
            mean(model.target.iter().zip(moved).map(|(v, moved)| v + moved))
        };
        Ok(Estimates {
            ips: mean(weighed()),
            snips: self.normalised(&weights),
            dm: self.model.map(|model| mean(model.target.iter().copied())),
            dr: self.model.map(robust),
            logged: mean(self.reward.iter().copied()),
            overlap: Overlap::of(&weights),
            clipped: raw.iter().filter(|weight| **weight > limit).count(),
        })
    }

    /// `Σ w r / Σ w`; 0 where the other policy would have done nothing that was done.
    fn normalised(&self, weights: &[f64]) -> Estimate {
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 {
            return Estimate::of(0.0, f64::INFINITY);
        }
        let pairs = || weights.iter().zip(self.reward);
        let value = pairs().map(|(w, r)| w * r).sum::<f64>() / sum;
        let squares = pairs().map(|(w, r)| (w * (r - value)) * (w * (r - value)));
        Estimate::of(value, squares.sum::<f64>().sqrt() / sum)
    }

    fn check(&self) -> Result<(), OffPolicyError> {
        let rewards = self.reward.len();
        if rewards < 2 {
            return Err(OffPolicyError::TooFew(rewards));
        }
        let any = |value: f64| value.is_finite();
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let above = |value: f64| value > 0.0 && value <= 1.0;
        let number = "a finite number";
        column(self.reward, rewards, ("reward", number), any)?;
        let expected = "a probability above 0: what was taken had one";
        column(self.propensity, rewards, ("propensity", expected), above)?;
        let expected = "a probability from 0 to 1";
        column(
            self.target,
            rewards,
            ("target probability", expected),
            share,
        )?;
        if let Some(model) = self.model {
            column(model.taken, rewards, ("modelled reward", number), any)?;
            column(model.target, rewards, ("modelled value", number), any)?;
        }
        Ok(())
    }
}

fn column(
    values: &[f64],
    rewards: usize,
    (what, expected): (&'static str, &'static str),
    valid: impl Fn(f64) -> bool,
) -> Result<(), OffPolicyError> {
    if values.len() != rewards {
        let found = values.len();
        return Err(OffPolicyError::Lengths {
            what,
            rewards,
            found,
        });
    }
    match values.iter().position(|value| !valid(*value)) {
        Some(row) => Err(OffPolicyError::Number {
            what,
            row,
            value: values[row],
            expected,
        }),
        None => Ok(()),
    }
}

impl Estimate {
    fn of(value: f64, error: f64) -> Estimate {
        Estimate {
            value,
            error,
            low: value - Z * error,
            high: value + Z * error,
        }
    }
}

/// The mean of independent values.
fn mean(values: impl Iterator<Item = f64> + Clone) -> Estimate {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
    Estimate::of(mean, (squares / (count - 1.0) / count).sqrt())
}
