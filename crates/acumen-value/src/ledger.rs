//! The ledger: decisions wait in it for their truth.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use acumen_base::decision::Firing;
use acumen_base::outcome::Truth;
use acumen_base::{Currency, Decision, Event, Outcome, Time};
use serde::{Deserialize, Serialize};

use crate::spec::TruthSource;
use crate::totals::{Cell, RuleTotals, Totals};
use crate::valuation::{Rates, Valuation, Worth};

/// Decisions that wait for their truth, and the totals of all.
///
/// What it is told in the same order gives the same totals, however often it is told the time in
/// between. A decision is kept until it closes; that an event is decided only once is up to the
/// caller from then on.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub(crate) valuation: Arc<Valuation>,
    pub(crate) entries: HashMap<Arc<str>, Entry>,
    /// When something happens to an entry by itself: it matures, or it closes.
    pub(crate) due: BTreeSet<(Time, Arc<str>)>,
    pub(crate) rates: Rates,
    pub(crate) totals: Totals,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    event_time: Time,
    /// The action that was taken, by its place among the actions.
    action: u32,
    /// The action that exploration replaced, or the same.
    called_for: u32,
    propensity: f64,
    truth: Truth,
    /// Whether its truth will not be known.
    censored: bool,
    /// Whether `negative_after` has passed.
    matured: bool,
    /// What the action taken, the one called for and the baseline are worth.
    taken: Worth,
    replaced: Worth,
    baseline: Worth,
    /// The rules that fired.
    rules: Vec<Fired>,
}

/// A rule that fired, acting or as a shadow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fired {
    rule: Arc<str>,
    /// What the action that it asks for is worth.
    worth: Worth,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(valuation: impl Into<Arc<Valuation>>) -> Ledger {
        let valuation = valuation.into();
        let spec = &valuation.spec;
        Ledger {
            totals: Totals::new(spec.currency, spec.truth, &spec.actions),
            entries: HashMap::new(),
            due: BTreeSet::new(),
            rates: Rates::new(),
            valuation,
        }
    }

    /// The newest rates of currencies.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Sets how many major units of the ledger's currency one of another is worth, for decisions
    /// from here on. Refused (`false`) unless it is a finite number above 0.
    pub fn set_rate(&mut self, from: Currency, rate: f64) -> bool {
        let valid = rate.is_finite() && rate > 0.0;
        if valid {
            self.rates.insert(from, rate);
        }
        valid
    }

    /// Takes in a decision and the event that it answers. `false`: it is there already, or its
    /// action is none of the declared ones.
    pub fn decided(&mut self, decision: &Decision, event: &Event) -> bool {
        let place = |name: &str| self.valuation.spec.actions.iter().position(|a| a == name);
        let action = place(&decision.action);
        let called_for = place(&decision.action_without_exploration);
        let (Some(action), Some(called_for)) = (action, called_for) else {
            return false;
        };
        if self.entries.contains_key(decision.event_id.as_str()) {
            return false;
        }
        let worth = |action| self.valuation.worth(action, event, &self.rates);
        let entry = Entry {
            event_time: decision.event_time,
            action: action as u32,
            called_for: called_for as u32,
            propensity: decision.propensity,
            truth: Truth::Open,
            censored: false,
            matured: false,
            taken: worth(action),
            replaced: worth(called_for),
            baseline: worth(self.valuation.baseline),
            rules: self.fired(decision, event),
        };
        let id: Arc<str> = decision.event_id.as_str().into();
        self.due.insert((self.matures(&entry), Arc::clone(&id)));
        self.entries.insert(id, entry);
        self.totals.decided += 1;
        self.totals.open += 1;
        self.totals.actions[action].decided += 1;
        self.totals.actions[action].open += 1;
        true
    }

    /// The rules that fired, with what the actions that they ask for are worth. A suppressed one
    /// did not fire.
    fn fired(&self, decision: &Decision, event: &Event) -> Vec<Fired> {
        let actions = &self.valuation.spec.actions;
        let fired = decision
            .rules
            .iter()
            .filter(|hit| hit.firing != Firing::Suppressed);
        fired
            .filter_map(|hit| {
                let effect = actions.iter().position(|name| *name == hit.effect)?;
                Some(Fired {
                    rule: hit.id.as_str().into(),
                    worth: self.valuation.worth(effect, event, &self.rates),
                })
            })
            .collect()
    }

    /// Takes in a positive event. Gives the outcome where it settles or corrects a decision.
    pub fn positive(&mut self, of_event_id: &str, known_at: Time) -> Option<Outcome> {
        self.told(of_event_id, Truth::Positive, known_at)
    }

    /// Takes in a finding that there is nothing positive, before `negative_after` has passed or
    /// against what was said before. Gives the outcome where it settles or corrects a decision.
    pub fn negative(&mut self, of_event_id: &str, known_at: Time) -> Option<Outcome> {
        self.told(of_event_id, Truth::Negative, known_at)
    }

    fn told(&mut self, of_event_id: &str, truth: Truth, known_at: Time) -> Option<Outcome> {
        let Some((id, mut entry)) = self.entries.remove_entry(of_event_id) else {
            self.totals.unmatched += 1;
            return None;
        };
        let outcome = self.turn(&id, &mut entry, truth, known_at);
        self.entries.insert(id, entry);
        outcome
    }

    /// Lets time pass: decisions without a positive event become negative (or censored, where
    /// their action hides the truth), and old ones close. Gives outcomes in the order of their
    /// time.
    pub fn advance(&mut self, now: Time) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((at, id)) = self.due.pop_first() else {
                break;
            };
            let Some(mut entry) = self.entries.remove(&id) else {
                continue;
            };
            if entry.matured {
                continue; // It closes: nothing can change it any more.
            }
            entry.matured = true;
            if entry.truth == Truth::Open {
                outcomes.extend(self.mature(&id, &mut entry, at));
            }
            let closes = self.closes(&entry);
            if closes > at {
                self.due.insert((closes, Arc::clone(&id)));
                self.entries.insert(id, entry);
            }
        }
        outcomes
    }

    /// The totals so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What its decisions are worth by declaration.
    pub fn valuation(&self) -> &Valuation {
        &self.valuation
    }

    /// When a decision's next change of its own is due.
    pub(crate) fn next_due(&self, entry: &Entry) -> Time {
        if entry.matured {
            self.closes(entry)
        } else {
            self.matures(entry)
        }
    }

    fn matures(&self, entry: &Entry) -> Time {
        entry.event_time + self.valuation.spec.negative_after
    }

    fn closes(&self, entry: &Entry) -> Time {
        entry.event_time + self.valuation.spec.closes
    }

    fn turn(
        &mut self,
        id: &str,
        entry: &mut Entry,
        truth: Truth,
        known_at: Time,
    ) -> Option<Outcome> {
        if known_at > self.closes(entry) {
            self.totals.unmatched += 1;
            return None;
        }
        // Whether it was told that the time was over, or is only about to be, is all the same.
        let over = known_at > self.matures(entry) && !self.is_hidden(entry);
        let open = entry.truth == Truth::Open;
        if entry.truth == truth || (open && over && truth == Truth::Negative) {
            return None;
        }
        self.totals.corrected += u64::from(over || !open);
        if open {
            self.leave_open(entry);
        } else {
            self.settle(entry, false);
        }
        entry.truth = truth;
        self.settle(entry, true);
        Some(self.outcome(id, entry, known_at))
    }

    /// The time for a positive event is over.
    fn mature(&mut self, id: &str, entry: &mut Entry, at: Time) -> Option<Outcome> {
        if self.is_hidden(entry) {
            entry.censored = true;
            self.totals.censored += 1;
            self.totals.actions[entry.action as usize].censored += 1;
            return None;
        }
        self.leave_open(entry);
        entry.truth = Truth::Negative;
        self.settle(entry, true);
        Some(self.outcome(id, entry, at))
    }

    /// Whether the action that was taken hides the truth.
    fn is_hidden(&self, entry: &Entry) -> bool {
        self.totals.truth == TruthSource::Observed && self.valuation.hides[entry.action as usize]
    }

    fn leave_open(&mut self, entry: &mut Entry) {
        let censored = u64::from(std::mem::take(&mut entry.censored));
        let of_action = &mut self.totals.actions[entry.action as usize];
        of_action.open -= 1;
        of_action.censored -= censored;
        self.totals.open -= 1;
        self.totals.censored -= censored;
        self.totals.settled += 1;
    }

    /// Adds a settled decision to the totals, or takes it out again.
    fn settle(&mut self, entry: &Entry, add: bool) {
        let count = |total: &mut u64| if add { *total += 1 } else { *total -= 1 };
        let of_action = &mut self.totals.actions[entry.action as usize];
        let cell = match entry.truth {
            Truth::Positive => &mut of_action.positive,
            _ => &mut of_action.negative,
        };
        count(&mut cell.count);
        match entry.values() {
            Some((taken, baseline)) => add_money(cell, taken, baseline, add),
            None => {
                count(&mut cell.unvalued);
                count(&mut self.totals.unvalued);
            }
        }
        self.classify(entry, add);
        self.settle_rules(entry, add);
    }

    /// Adds a settled decision to the totals of the rules that fired, or takes it out again.
    fn settle_rules(&mut self, entry: &Entry, add: bool) {
        let count = |total: &mut u64| if add { *total += 1 } else { *total -= 1 };
        for fired in &entry.rules {
            let name = fired.rule.to_string();
            let of_rule = self.totals.rules.entry(name);
            let of_rule = of_rule.or_insert(RuleTotals::new(self.totals.currency));
            let cell = match entry.truth {
                Truth::Positive => &mut of_rule.positive,
                _ => &mut of_rule.negative,
            };
            count(&mut cell.count);
            match entry.worth(fired.worth).zip(entry.worth(entry.baseline)) {
                Some((effect, baseline)) => add_money(cell, effect, baseline, add),
                None => count(&mut cell.unvalued),
            }
        }
    }

    /// Counts what was called for against what was true.
    fn classify(&mut self, entry: &Entry, add: bool) {
        let count = |total: &mut u64| if add { *total += 1 } else { *total -= 1 };
        let positive = entry.truth == Truth::Positive;
        let called_for = entry.called_for as usize;
        let observed = self.totals.truth == TruthSource::Observed;
        if observed && self.valuation.hides[called_for] {
            // Only those let through are a fair sample: of the others only the positive ones
            // would ever be seen.
            if entry.action != entry.called_for && entry.propensity > 0.0 {
                let explored = self
                    .totals
                    .explored
                    .entry(entry.propensity.to_bits())
                    .or_default();
                count(if positive {
                    &mut explored.positive
                } else {
                    &mut explored.negative
                });
                let saved = entry.replaced_above_baseline();
                let signed = if add { saved } else { saved.saturating_neg() };
                explored.replaced_minor = explored.replaced_minor.saturating_add(signed);
            }
            return;
        }
        let interventions = &mut self.totals.interventions;
        count(match (called_for != self.valuation.baseline, positive) {
            (true, true) => &mut interventions.right,
            (true, false) => &mut interventions.wrong,
            (false, true) => &mut interventions.missed,
            (false, false) => &mut interventions.quiet,
        });
    }

    fn outcome(&self, id: &str, entry: &Entry, known_at: Time) -> Outcome {
        let spec = &self.valuation.spec;
        let money = |minor| acumen_base::Money::new(minor, spec.currency);
        Outcome {
            use_case: spec.use_case.clone(),
            event_id: id.to_owned(),
            action: spec.actions[entry.action as usize].clone(),
            truth: entry.truth,
            known_at,
            value: entry.worth(entry.taken).map(money),
        }
    }
}

impl Entry {
    /// The worth under its truth.
    fn worth(&self, worth: Worth) -> Option<i64> {
        match self.truth {
            Truth::Open => None,
            Truth::Positive => worth.positive,
            Truth::Negative => worth.negative,
        }
    }

    /// What was done and what the baseline are worth; neither without the other, so that the
    /// difference of their sums means something.
    fn values(&self) -> Option<(i64, i64)> {
        Some((self.worth(self.taken)?, self.worth(self.baseline)?))
    }

    fn replaced_above_baseline(&self) -> i64 {
        let (replaced, baseline) = (self.worth(self.replaced), self.worth(self.baseline));
        replaced
            .zip(baseline)
            .map_or(0, |(replaced, baseline)| replaced.saturating_sub(baseline))
    }
}

fn add_money(cell: &mut Cell, taken: i64, baseline: i64, add: bool) {
    let signed = |minor: i64| if add { minor } else { minor.saturating_neg() };
    cell.value.minor = cell.value.minor.saturating_add(signed(taken));
    cell.baseline.minor = cell.baseline.minor.saturating_add(signed(baseline));
}
