//! What was said of the outcomes of events, and what is true by it.

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Event, Time, Value};
use serde::{Deserialize, Serialize};

use crate::plan::UseCasePlan;
use crate::spec::{OutcomeDecl, review};

/// One thing that was said of the outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Word {
    /// Since when it is known.
    pub(crate) known_at: Time,
    /// Whether it says that the outcome is positive.
    pub(crate) positive: bool,
    /// Whether people found it, who look at an event whatever it turns out to be.
    pub(crate) found: bool,
}

/// What is known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) truth: Truth,
    /// Whether people have looked at it: what was done does not hide its truth then.
    pub(crate) found: bool,
}

/// What an event says of the outcome of another one, with that one's id.
pub(crate) fn word<'a>(plan: &UseCasePlan, event: &'a Event) -> Option<(&'a Arc<str>, Word)> {
    let outcome = plan.declared.outcome.as_ref()?;
    let found = plan.disposes(&event.kind.name);
    let (by, positive) = if event.kind.name == outcome.positive {
        (outcome.by.as_str(), true)
    } else if found {
        let positive = event.value(review::POSITIVE);
        (review::OF, *positive == Value::Bool(true))
    } else {
        return None;
    };
    let Value::Text(id) = event.value(by) else {
        return None;
    };
    let word = Word {
        known_at: event.known_at,
        positive,
        found,
    };
    Some((id, word))
}

/// What is true of an event by all that was said of it, in log order, and known at `as_of`.
pub(crate) fn truth(
    outcome: Option<&OutcomeDecl>,
    event_time: Time,
    words: &[Word],
    as_of: Time,
) -> Known {
    let known = |truth, found| Known { truth, found };
    let Some(outcome) = outcome else {
        return known(Truth::Open, false);
    };
    let mut said = words.iter().filter(|word| word.known_at <= as_of);
    let found = said.clone().any(|word| word.found);
    // Positives become known early and negatives only by waiting: taking a positive before its
    // neighbours could have become negative would make the newest rows look far too positive.
    // What people looked at is known either way at once.
    if event_time + outcome.negative_after > as_of && !found {
        return known(Truth::Open, false);
    }
    match said.next_back() {
        Some(word) if word.positive => known(Truth::Positive, found),
        _ => known(Truth::Negative, found),
    }
}
