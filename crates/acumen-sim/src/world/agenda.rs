//! What is known to happen, told day by day in order of time.

use std::collections::{BTreeMap, VecDeque};

/// Facts that are planned for days, and those of the day that is being told.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    planned: BTreeMap<i64, Vec<(i64, T)>>,
    ready: VecDeque<T>,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Agenda<T> {
        Agenda {
            planned: BTreeMap::new(),
            ready: VecDeque::new(),
        }
    }

    /// Plans a fact of this instant for this day.
    pub(crate) fn plan(&mut self, day: i64, at_ms: i64, fact: T) {
        self.planned.entry(day).or_default().push((at_ms, fact));
    }

    /// Whether no day has anything planned.
    pub(crate) fn is_empty(&self) -> bool {
        self.planned.is_empty()
    }

    /// Makes ready what is planned for a day.
    pub(crate) fn begin(&mut self, day: i64) {
        let mut today = self.planned.remove(&day).unwrap_or_default();
        // Stable: what is known at one instant keeps the order in which it was planned.
        today.sort_by_key(|(at_ms, _)| *at_ms);
        self.ready.extend(today.into_iter().map(|(_, fact)| fact));
    }

    /// The next fact that is ready.
    pub(crate) fn next(&mut self) -> Option<T> {
        self.ready.pop_front()
    }
}
