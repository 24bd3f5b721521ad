//! A model of lifetime value that reads the columns of rows and answers like any other.

use acumen_base::Deadline;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{BgNbd, GammaGamma, History, ParetoNbd, PurchaseProcess, Spend};
use crate::data::Matrix;
use crate::fitted::Scorer;
use crate::shap::Explanation;

/// When customers buy and stop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// They stop after a purchase.
    BgNbd(BgNbd),
    /// They stop at any time.
    ParetoNbd(ParetoNbd),
}

/// Which columns hold a customer's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// Purchases after the first.
    pub frequency: usize,
    /// The last purchase.
    pub last: LastPurchase,
    /// The time since the first purchase.
    pub age: usize,
    /// The mean value of a purchase after the first.
    pub value: Option<usize>,
}

/// A column that says when the last purchase was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastPurchase {
    /// The time from the first purchase to the last.
    AfterFirst(usize),
    /// The time from the last purchase to now.
    BeforeNow(usize),
}

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicts {
    /// What a customer will spend within the horizon.
    Value,
    /// How many purchases a customer will make within the horizon.
    Purchases,
    /// The probability that a customer has not stopped.
    Alive,
}

/// A model of lifetime value; its margin is what it predicts.
///
/// It answers for any row. Missing values are 0, which makes a row without any a customer who has
/// just bought for the first time; a last purchase after now is one now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LifetimeModel {
    /// When customers buy and stop.
    pub process: Process,
    /// What they spend; `None` where nothing was said of values.
    pub spend: Option<GammaGamma>,
    /// The columns that are read.
    pub reads: Reads,
    /// What is predicted.
    pub predicts: Predicts,
    /// How far ahead, in the unit of time of the columns.
    pub horizon: f64,
    /// The interest by which what comes one unit of time later counts less.
    pub discount: f64,
    /// How many columns a row has.
    pub n_features: usize,
    /// The mean of each column that is read, in their order; what an explanation starts from.
    pub usual: Vec<f64>,
}

/// What a model of lifetime value says of a customer, whatever it predicts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Says {
    /// The probability that the customer has not stopped.
    pub alive: f64,
    /// How many purchases to expect within the horizon.
    pub purchases: f64,
    /// What they are worth together; `None` where nothing is known of values.
    pub value: Option<f64>,
}

impl Says {
    /// As columns of a row.
    pub(crate) fn columns(&self) -> [f32; 3] {
        let value = self.value.unwrap_or(f64::NAN);
        [self.alive, self.purchases, value].map(|value| value as f32)
    }
}

/// A stored model of lifetime value that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BrokenLifetime(&'static str);

impl Process {
    /// The probability that a customer has not stopped.
    pub fn alive(&self, history: &History) -> f64 {
        match self {
            Process::BgNbd(model) => model.alive(history),
            Process::ParetoNbd(model) => model.alive(history),
        }
    }

    /// How many purchases to expect of a customer within `horizon` from now, those later than now
    /// counting `exp(−rate · time)`.
    pub fn expected(&self, history: &History, horizon: f64, rate: f64) -> f64 {
        match self {
            Process::BgNbd(model) => model.discounted(history, horizon, rate),
            Process::ParetoNbd(model) => model.discounted(history, horizon, rate),
        }
    }

    fn parameters(&self) -> [f64; 4] {
        match self {
            Process::BgNbd(model) => model.parameters(),
            Process::ParetoNbd(model) => model.parameters(),
        }
    }
}

impl Reads {
    /// The columns, each once.
    pub fn columns(&self) -> Vec<usize> {
        let last = match self.last {
            LastPurchase::AfterFirst(column) | LastPurchase::BeforeNow(column) => column,
        };
        let mut columns = vec![self.frequency, last, self.age];
        columns.extend(self.value);
        columns
    }

    /// The history that a row holds, as it stands there.
    pub(crate) fn history(&self, row: impl Fn(usize) -> f64) -> History {
        let age = row(self.age);
        History {
            repeats: row(self.frequency),
            last: match self.last {
                LastPurchase::AfterFirst(column) => row(column),
                LastPurchase::BeforeNow(column) => age - row(column),
            },
            age,
        }
    }

    /// What the row says of spending.
    pub(crate) fn spend(&self, row: impl Fn(usize) -> f64) -> Option<Spend> {
        self.value.map(|value| Spend {
            purchases: row(self.frequency),
            mean: row(value),
        })
    }
}

impl LifetimeModel {
    /// What it predicts of a row.
    fn predict(&self, row: impl Fn(usize) -> f64) -> f64 {
        let history = self.reads.history(&row).nearest();
        if self.predicts == Predicts::Alive {
            return self.process.alive(&history);
        }
        let rate = self.discount.ln_1p();
        let purchases = self.process.expected(&history, self.horizon, rate);
        let spend = self.spend.filter(|_| self.predicts == Predicts::Value);
        match (spend, self.reads.spend(&row)) {
            (Some(model), Some(spend)) => purchases * model.expected(&spend),
            _ => purchases,
        }
    }

    /// What it says of a row beside what it predicts.
    pub fn says(&self, row: impl Fn(usize) -> f64) -> Says {
        let history = self.reads.history(&row).nearest();
        let rate = self.discount.ln_1p();
        let purchases = self.process.expected(&history, self.horizon, rate);
        let each = self.spend.zip(self.reads.spend(&row));
        Says {
            alive: self.process.alive(&history),
            purchases,
            value: each.map(|(model, spend)| purchases * model.expected(&spend)),
        }
    }

    /// Whether it is what it says.
    pub(crate) fn check(&self) -> Result<(), BrokenLifetime> {
        let is_positive = |value: &f64| value.is_finite() && *value > 0.0;
        let spend = self
            .spend
            .map_or([1.0; 3], |spend| [spend.p, spend.q - 1.0, spend.v]);
        let parameters = self.process.parameters();
        if !parameters.iter().chain(&spend).all(is_positive) {
            return Err(BrokenLifetime("its parameters are not positive numbers"));
        }
        if !is_positive(&self.horizon) || !(0.0..=1.0).contains(&self.discount) {
            return Err(BrokenLifetime("its horizon or discount is no such number"));
        }
        let columns = self.reads.columns();
        let has_spend = self.spend.is_some() == self.reads.value.is_some();
        if columns.iter().any(|column| *column >= self.n_features)
            || columns.len() != self.usual.len()
            || !has_spend
            || self.usual.iter().any(|value| !value.is_finite())
        {
            return Err(BrokenLifetime(
                "the columns that it reads do not fit its rows",
            ));
        }
        Ok(())
    }

    /// What it is made of, for people.
    pub(crate) fn describe(&self) -> String {
        let buying = match self.process {
            Process::BgNbd(BgNbd { r, alpha, a, b }) => {
                format!("BG/NBD (r {r:.4}, alpha {alpha:.4}, a {a:.4}, b {b:.4})")
            }
            Process::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => {
                format!("Pareto/NBD (r {r:.4}, alpha {alpha:.4}, s {s:.4}, beta {beta:.4})")
            }
        };
        match self.spend {
            Some(GammaGamma { p, q, v }) => {
                format!("{buying} and Gamma-Gamma (p {p:.4}, q {q:.4}, v {v:.4})")
            }
            None => buying,
        }
    }
}

impl Scorer for LifetimeModel {
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        let value = |column: usize| f64::from(row[column]);
        (!deadline.expired()).then(|| self.predict(value) as f32)
    }

    fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        let of = |row: usize| self.predict(|column| f64::from(rows.data[column][row])) as f32;
        (0..rows.n_rows).into_par_iter().map(of).collect()
    }

    /// Exact Shapley values against the usual customer: of every subset of the columns that are
    /// read, what is predicted if only they were as in the row.
    fn explain(&self, row: &[f32]) -> Explanation {
        let columns = self.reads.columns();
        let mixed = |subset: usize| {
            self.predict(|column| match columns.iter().position(|of| *of == column) {
                Some(at) if subset >> at & 1 == 0 => self.usual[at],
                _ => f64::from(row[column]),
            })
        };
        let predicted: Vec<f64> = (0..1 << columns.len()).map(mixed).collect();
        let mut contributions = vec![0.0; self.n_features];
        for (at, column) in columns.iter().enumerate() {
            let without = (0..predicted.len()).filter(|subset| subset >> at & 1 == 0);
            contributions[*column] = without
                .map(|subset| {
                    let share = share(subset.count_ones() as usize, columns.len());
                    share * (predicted[subset | 1 << at] - predicted[subset])
                })
                .sum();
        }
        Explanation {
            expected: predicted[0],
            contributions,
        }
    }
}

/// Of all orders of `all` columns, the share in which exactly `before` given ones come before a
/// given other one.
fn share(before: usize, all: usize) -> f64 {
    let factorial = |n: usize| (1..=n).product::<usize>() as f64;
    factorial(before) * factorial(all - before - 1) / factorial(all)
}
