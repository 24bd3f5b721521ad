//! What was said of the outcomes of events, and what is true by it.

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Event, Time, Value};
use serde::{Deserialize, Serialize};

use crate::plan::UseCasePlan;
use crate::spec::OutcomeDecl;

/// One thing that was said of the outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Word {
    /// Since when it is known.
    pub(crate) known_at: Time,
    /// Whether it says that the outcome is positive.
    pub(crate) positive: bool,
}

/// What an event says of the outcome of another one, with that one's id.
pub(crate) fn word<'a>(plan: &UseCasePlan, event: &'a Event) -> Option<(&'a Arc<str>, Word)> {
    let outcome = plan.declared.outcome.as_ref()?;
    if event.kind.name != outcome.positive {
        return None;
    }
    let Value::Text(id) = event.value(&outcome.by) else {
        return None;
    };
    let word = Word {
        known_at: event.known_at,
        positive: true,
    };
    Some((id, word))
}

/// What is true of an event by all that was said of it, in log order, and known at `as_of`.
pub(crate) fn truth(
    outcome: Option<&OutcomeDecl>,
    event_time: Time,
    words: &[Word],
    as_of: Time,
) -> Truth {
    let Some(outcome) = outcome else {
        return Truth::Open;
    };
    // Positives become known early and negatives only by waiting: taking a positive before its
    // neighbours could have become negative would make the newest rows look far too positive.
    if event_time + outcome.negative_after > as_of {
        return Truth::Open;
    }
    let known = words.iter().rev().find(|word| word.known_at <= as_of);
    match known {
        Some(word) if word.positive => Truth::Positive,
        _ => Truth::Negative,
    }
}
