//! Running totals: how many decisions, what they came to, and what they were worth.

use std::collections::BTreeMap;

use acumen_base::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::spec::TruthSource;

/// The totals of one use case. `open + settled = decided`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// The currency of all amounts.
    pub currency: Currency,
    /// Where the truth comes from.
    pub truth: TruthSource,
    /// Decisions taken in.
    pub decided: u64,
    /// Those whose truth is not known, the censored ones among them.
    pub open: u64,
    /// Those whose truth will not be known, because their action hides it.
    pub censored: u64,
    /// Those whose truth is known.
    pub settled: u64,
    /// Those settled ones whose formulas had no value: a field was missing, or an amount was of a
    /// currency without a rate.
    pub unvalued: u64,
    /// Those that had become negative when a positive event arrived.
    pub corrected: u64,
    /// Positive events for which there is no decision here, or one that had closed.
    pub unmatched: u64,
    /// By action, mildest first.
    pub actions: Vec<ActionTotals>,
    /// What interventions turned out to be.
    pub interventions: Interventions,
    /// What was let through of the actions that hide the truth, by the bits of its propensity.
    pub explored: BTreeMap<u64, Explored>,
    /// What settled decisions turned out to be at which a rule fired, by rule.
    pub rules: BTreeMap<String, RuleTotals>,
}

/// Settled decisions at which one rule fired, whether it acted or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTotals {
    /// Those that turned out positive; their value is that of the action that the rule asks for.
    pub positive: Cell,
    /// Those that turned out negative.
    pub negative: Cell,
}

impl RuleTotals {
    pub(crate) fn new(currency: Currency) -> RuleTotals {
        let nothing = Cell::nothing(currency);
        RuleTotals {
            positive: nothing,
            negative: nothing,
        }
    }

    /// The share of its firings that was right; `None` where no truth is known.
    pub fn precision(&self) -> Option<f64> {
        let (right, wrong) = (self.positive.count as f64, self.negative.count as f64);
        ratio(right, right + wrong)
    }

    /// Negatives for each positive; `None` where there is no positive.
    pub fn false_positive_ratio(&self) -> Option<f64> {
        ratio(self.negative.count as f64, self.positive.count as f64)
    }

    /// What the action that it asks for was worth more than the baseline.
    pub fn saved(&self) -> Money {
        let saved = |cell: &Cell| cell.value.minor.saturating_sub(cell.baseline.minor);
        let minor = saved(&self.positive).saturating_add(saved(&self.negative));
        Money::new(minor, self.positive.value.currency)
    }
}

/// The totals of one action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionTotals {
    /// The action.
    pub action: String,
    /// How often it was taken.
    pub decided: u64,
    /// Of these, how many are open.
    pub open: u64,
    /// Of the open ones, how many are censored.
    pub censored: u64,
    /// Those that turned out positive.
    pub positive: Cell,
    /// Those that turned out negative.
    pub negative: Cell,
}

/// Settled decisions of one action and one truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// How many.
    pub count: u64,
    /// How many of them have no value.
    pub unvalued: u64,
    /// What they were worth.
    pub value: Money,
    /// What the baseline action would have been worth under the same truth.
    pub baseline: Money,
}

impl Cell {
    fn nothing(currency: Currency) -> Cell {
        Cell {
            count: 0,
            unvalued: 0,
            value: Money::new(0, currency),
            baseline: Money::new(0, currency),
        }
    }
}

/// Settled decisions by whether another action than the baseline was called for (before
/// exploration). Actions that hide the truth count here only where a simulator knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interventions {
    /// Called for, and positive.
    pub right: u64,
    /// Called for, and negative.
    pub wrong: u64,
    /// Not called for, and positive.
    pub missed: u64,
    /// Not called for, and negative.
    pub quiet: u64,
}

/// Settled decisions that were let through in place of an action that hides the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// Those that turned out positive.
    pub positive: u64,
    /// Those that turned out negative.
    pub negative: u64,
    /// What the replaced action would have been worth above the baseline, in minor units.
    pub replaced_minor: i64,
}

impl Totals {
    /// Nothing yet.
    pub(crate) fn new(currency: Currency, truth: TruthSource, actions: &[String]) -> Totals {
        let cell = Cell::nothing(currency);
        let action = |name: &String| ActionTotals {
            action: name.clone(),
            decided: 0,
            open: 0,
            censored: 0,
            positive: cell,
            negative: cell,
        };
        Totals {
            currency,
            truth,
            decided: 0,
            open: 0,
            censored: 0,
            settled: 0,
            unvalued: 0,
            corrected: 0,
            unmatched: 0,
            actions: actions.iter().map(action).collect(),
            interventions: Interventions::default(),
            explored: BTreeMap::new(),
            rules: BTreeMap::new(),
        }
    }

    /// What the settled decisions were worth.
    pub fn value(&self) -> Money {
        self.sum(|cell| cell.value.minor)
    }

    /// What they would have been worth under the baseline action.
    pub fn baseline(&self) -> Money {
        self.sum(|cell| cell.baseline.minor)
    }

    /// What the settled decisions saved: their value less that of the baseline action under the
    /// same truth. Censored ones are not in it: see [`Totals::saved_censored_estimate`].
    pub fn saved(&self) -> Money {
        self.sum(|cell| cell.value.minor.saturating_sub(cell.baseline.minor))
    }

    /// What the censored decisions saved, estimated from those that were let through in their
    /// place: each of propensity p stands for (1 − p) / p of them. `None` where none has settled.
    pub fn saved_censored_estimate(&self) -> Option<Money> {
        let settled = |explored: &Explored| explored.positive + explored.negative > 0;
        self.explored.values().any(settled).then(|| {
            let scaled = self.explored.iter().map(|(bits, explored)| {
                let p = f64::from_bits(*bits);
                (explored.replaced_minor as f64 * (1.0 - p) / p).round_ties_even() as i64
            });
            Money::new(scaled.fold(0, i64::saturating_add), self.currency)
        })
    }

    /// The share of interventions that were right; explored ones are weighted by 1 / propensity.
    /// `None` where no truth of an intervention is known.
    pub fn precision(&self) -> Option<f64> {
        let (right, wrong) = self.weighted();
        ratio(right, right + wrong)
    }

    /// The share of positives that were intervened on, weighted likewise.
    pub fn recall(&self) -> Option<f64> {
        let (right, _) = self.weighted();
        ratio(right, right + self.interventions.missed as f64)
    }

    /// Right and wrong interventions, the explored ones standing for those that they sample.
    fn weighted(&self) -> (f64, f64) {
        let mut right = self.interventions.right as f64;
        let mut wrong = self.interventions.wrong as f64;
        for (bits, explored) in &self.explored {
            let p = f64::from_bits(*bits);
            right += explored.positive as f64 / p;
            wrong += explored.negative as f64 / p;
        }
        (right, wrong)
    }

    fn sum(&self, part: impl Fn(&Cell) -> i64) -> Money {
        let cells = self.actions.iter().flat_map(|a| [&a.positive, &a.negative]);
        let minor = cells.map(part).fold(0, i64::saturating_add);
        Money::new(minor, self.currency)
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
