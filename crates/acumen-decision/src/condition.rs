//! Conditions over events that have been: a rule that is tried out, beside those that are declared.

use std::collections::BTreeSet;

use acumen_base::{Event, Problem};
use acumen_expr::Compiled;

use crate::compile::condition;
use crate::frame::{Facts, Source};
use crate::policy::{Policy, Suppress};
use crate::state::State;

/// A checked condition in the terms of one policy.
#[derive(Clone, Debug)]
pub struct Condition {
    when: Compiled,
}

/// What a condition reads, so that nothing else has to be fetched for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Columns of the row, by position.
    pub columns: BTreeSet<usize>,
    /// Fields of the event, by position.
    pub fields: BTreeSet<usize>,
    /// Whether it reads the event's id.
    pub event_id: bool,
    /// Whether it reads the score or the probability.
    pub score: bool,
}

/// An event of the past as a condition sees it.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its row, one number a column of the policy (NaN: missing).
    pub values: &'a [f64],
    /// The lists that it may search.
    pub state: &'a State,
    /// What the models said of it, where they were asked.
    pub probability: Option<f64>,
    /// The same as a score.
    pub score: Option<f64>,
}

impl Policy {
    /// Checks a condition that is no declared rule's; reports all problems at once, each at its
    /// offset in the text, under the key `rule`.
    pub fn condition(&self, text: &str) -> Result<Condition, Vec<Problem>> {
        let when = condition("rule", text, &self.scope)?;
        Ok(Condition { when })
    }

    /// What a condition reads.
    pub fn reads(&self, condition: &Condition) -> Reads {
        self.read_by(&condition.when)
    }

    fn read_by(&self, when: &Compiled) -> Reads {
        let mut reads = Reads::default();
        for slot in when.slots() {
            match self.sources[*slot] {
                Source::Field(field) | Source::Place(field, _) => drop(reads.fields.insert(field)),
                Source::Column(column) => drop(reads.columns.insert(column)),
                Source::EventId => reads.event_id = true,
                Source::Probability | Source::Score => reads.score = true,
                Source::EventTime => {}
            }
        }
        reads
    }

    /// Whether a declared rule would fire: its condition holds, and no list keeps it from firing.
    pub fn fires(&self, rule: usize, past: &Past<'_>) -> bool {
        let rule = &self.rules[rule];
        let suppressed = |by: Suppress| by.holds(past.event, past.state);
        !rule.suppress.is_some_and(suppressed) && rule.when.is_true(&self.seen(past))
    }

    /// What a declared rule reads.
    pub fn rule_reads(&self, rule: usize) -> Reads {
        let rule = &self.rules[rule];
        let mut reads = self.read_by(&rule.when);
        reads.fields.extend(rule.suppress.map(|by| by.field));
        reads
    }

    /// Whether a condition holds; one on a missing value does not.
    pub fn holds(&self, condition: &Condition, past: &Past<'_>) -> bool {
        condition.when.is_true(&self.seen(past))
    }

    fn seen<'a>(&'a self, past: &Past<'a>) -> Facts<'a> {
        Facts {
            sources: &self.sources,
            event: past.event,
            values: past.values,
            state: past.state,
            probability: past.probability,
            score: past.score,
        }
    }

    /// How severe an action is: its place among [`Policy::actions`].
    pub fn severity(&self, action: &str) -> Option<usize> {
        self.bands.severity(action)
    }
}
