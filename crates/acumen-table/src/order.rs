//! The order in which an import enters the log.

use std::sync::Arc;

use acumen_base::{Event, Span};

/// Events in the order in which they became known.
///
/// At the same instant, what was known with a delay (an outcome, a correction) comes before what
/// was known as it happened: a decision at that instant could have read it. Beyond that the order
/// of the events stands, so that the same file gives the same log.
pub fn sorted_by_known_at(mut events: Vec<Event>) -> Vec<Arc<Event>> {
    events.sort_by_key(|event| (event.known_at, event.delay() <= Span::ZERO));
    events.into_iter().map(Arc::new).collect()
}
