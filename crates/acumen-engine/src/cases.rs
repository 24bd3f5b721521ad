//! Decisions that people look at, and what they found.
//!
//! A case is open from its decision until something is said of its outcome: by a person, whose
//! finding is an event of the log like any other, or by the declared positive event. A later,
//! different finding supersedes; every one of them stays on record.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use acumen_base::limits::{CASES_MAX, ID_BYTES_MAX, TEXT_BYTES_MAX};
use acumen_base::{Decision, Event, Money, Span, Time, Value};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::plan::UseCasePlan;
use crate::spec::review;
use crate::truth::Word;

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The decision's id.
    pub id: String,
    /// The id of the event that was decided on.
    pub event_id: String,
    /// When that happened.
    pub event_time: Time,
    /// When it was decided.
    pub decided_at: Time,
    /// What was done.
    pub action: String,
    /// The score, where there was one.
    pub score: Option<f64>,
    /// What is at stake.
    pub amount: Option<Money>,
    /// The reason that weighed most, in words.
    pub reason: Option<String>,
    /// What counts of what was said of its outcome; `None` while it is open.
    pub positive: Option<bool>,
    /// Where what people found stands in the log, oldest first.
    pub findings: Vec<u64>,
    /// The last of what people found.
    last: Option<bool>,
}

/// What a person found about a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it was positive.
    pub positive: bool,
    /// Who found it.
    pub by: String,
    /// What else there is to say.
    pub note: Option<String>,
}

/// A finding on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub finding: Finding,
    /// When.
    pub at: Time,
    /// Where it stands in the log.
    pub position: u64,
}

/// Which cases are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// Those of whose outcome nothing was said.
    Open,
    /// The others.
    Closed,
    /// All.
    All,
}

/// Which cases come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOrder {
    /// Those decided last.
    Newest,
    /// Those with the most at stake, of equals those decided last.
    Value,
}

/// Cases as they are listed.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseList {
    /// How many there are of the wanted state.
    pub count: usize,
    /// The first of them.
    pub cases: Vec<Case>,
    /// Open cases that were dropped because there were more than [`CASES_MAX`].
    pub dropped: u64,
}

/// The cases of a use case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cases {
    /// By the log position of the decision.
    by_position: BTreeMap<u64, Case>,
    dropped: u64,
    #[serde(skip)]
    positions: HashMap<Arc<str>, u64>,
}

impl Cases {
    /// Saved cases, to be found by the event that was decided on.
    pub(crate) fn indexed(mut self) -> Cases {
        let places = self.by_position.iter();
        self.positions = places
            .map(|(position, case)| (case.event_id.as_str().into(), *position))
            .collect();
        self
    }

    /// Takes in a decision.
    pub(crate) fn decided(&mut self, decision: &Decision, position: u64) {
        let case = Case {
            id: decision.id.clone(),
            event_id: decision.event_id.clone(),
            event_time: decision.event_time,
            decided_at: decision.decided_at,
            action: decision.action.clone(),
            score: decision.score,
            amount: decision.amount,
            reason: decision.reasons.first().map(|reason| reason.text.clone()),
            positive: None,
            findings: Vec::new(),
            last: None,
        };
        let event_id: Arc<str> = decision.event_id.as_str().into();
        self.positions.insert(event_id, position);
        self.by_position.insert(position, case);
        if self.by_position.len() > CASES_MAX
            && let Some((_, oldest)) = self.by_position.pop_first()
        {
            self.positions.remove(oldest.event_id.as_str());
            self.dropped += u64::from(oldest.positive.is_none());
        }
    }

    /// Takes in what was said of an outcome, by the event at a position.
    pub(crate) fn said(&mut self, event_id: &str, word: Word, position: u64) {
        let place = self.positions.get(event_id);
        if let Some(case) = place.and_then(|place| self.by_position.get_mut(place)) {
            case.positive = Some(word.positive);
            if word.found {
                case.findings.push(position);
                case.last = Some(word.positive);
            }
        }
    }

    /// Forgets cases whose outcome has closed: nothing that is said of them counts any more.
    pub(crate) fn forget(&mut self, now: Time, closes: Span) {
        let positions = &mut self.positions;
        self.by_position.retain(|_, case| {
            let kept = case.event_time + closes >= now;
            if !kept {
                positions.remove(case.event_id.as_str());
            }
            kept
        });
    }

    /// The case of an event.
    pub fn get(&self, event_id: &str) -> Option<&Case> {
        self.by_position.get(self.positions.get(event_id)?)
    }

    /// The first so many cases of a state; `worth` makes amounts comparable.
    pub(crate) fn list(
        &self,
        state: CaseState,
        order: CaseOrder,
        most: usize,
        worth: impl Fn(Money) -> i64,
    ) -> CaseList {
        let wanted = |case: &&Case| match state {
            CaseState::Open => case.positive.is_none(),
            CaseState::Closed => case.positive.is_some(),
            CaseState::All => true,
        };
        let mut cases: Vec<&Case> = self.by_position.values().rev().filter(wanted).collect();
        if order == CaseOrder::Value {
            cases.sort_by_key(|case| std::cmp::Reverse(case.amount.map(&worth)));
        }
        CaseList {
            count: cases.len(),
            cases: cases.into_iter().take(most).cloned().collect(),
            dropped: self.dropped,
        }
    }
}

impl Finding {
    /// What is wrong with it, in words.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        let mut wrong = Vec::new();
        if self.by.trim().is_empty() {
            wrong.push("`by` is empty: say who found it".to_owned());
        }
        if self.by.len() > ID_BYTES_MAX {
            wrong.push(format!(
                "`by` has more than {ID_BYTES_MAX} bytes: shorten it"
            ));
        }
        if self
            .note
            .as_ref()
            .is_some_and(|note| note.len() > TEXT_BYTES_MAX)
        {
            wrong.push(format!(
                "`note` has more than {TEXT_BYTES_MAX} bytes: shorten it"
            ));
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(EngineError::NotEnough(wrong.join("; "))),
        }
    }

    /// Whether it says nothing that the last finding of a case did not.
    pub(crate) fn repeats(&self, case: &Case) -> Option<u64> {
        (case.last == Some(self.positive)).then(|| case.findings.last().copied())?
    }

    /// It as an event of the log.
    pub(crate) fn event(&self, plan: &UseCasePlan, case: &Case, at: Time) -> Option<Event> {
        let kind = &plan.declared.review.as_ref()?.event;
        let value = |name: &str| match name {
            review::OF => Value::text(&case.event_id),
            review::POSITIVE => Value::Bool(self.positive),
            review::BY => Value::text(&self.by),
            _ => self.note.as_deref().map_or(Value::Missing, Value::text),
        };
        Some(Event {
            id: format!("{}:{}", case.event_id, case.findings.len() + 1).into(),
            event_time: at,
            known_at: at,
            received_at: at,
            values: kind.fields.iter().map(|field| value(&field.name)).collect(),
            kind: Arc::clone(kind),
        })
    }
}

impl Found {
    /// What the event at a position says that someone found.
    pub fn of(event: &Event, position: u64) -> Found {
        let text = |name: &str| event.value(name).as_text().map(str::to_owned);
        let finding = Finding {
            positive: *event.value(review::POSITIVE) == Value::Bool(true),
            by: text(review::BY).unwrap_or_default(),
            note: text(review::NOTE),
        };
        Found {
            finding,
            at: event.event_time,
            position,
        }
    }
}
