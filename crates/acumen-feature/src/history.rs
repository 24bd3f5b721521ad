//! A bounded set of events of one key, ordered by event time and then by place in the log.
//!
//! It holds every event that a row may still be read before (as long as events may be late), and
//! of the older ones the last few: all that any later row can ask for.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::condition::Where;
use crate::state::{Facts, Logic};

/// One remembered event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry<T> {
    pub(crate) time: i64,
    pub(crate) position: u64,
    pub(crate) value: T,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// How long an event may be late.
    pub(crate) lateness: i64,
    /// How many of the older events.
    pub(crate) last: usize,
}

/// The remembered events of one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct History<T> {
    pub(crate) entries: VecDeque<Entry<T>>,
    pub(crate) newest_known: i64,
}

impl<T> Default for History<T> {
    fn default() -> History<T> {
        History {
            entries: VecDeque::new(),
            newest_known: i64::MIN,
        }
    }
}

impl<T: Clone> History<T> {
    /// Adds an event in its place.
    pub(crate) fn place(&mut self, entry: Entry<T>, known_at: i64) {
        let key = (entry.time, entry.position);
        let at = match self.entries.back() {
            Some(newest) if (newest.time, newest.position) > key => {
                self.entries.partition_point(|e| (e.time, e.position) < key)
            }
            _ => self.entries.len(),
        };
        self.entries.insert(at, entry);
        self.newest_known = self.newest_known.max(known_at);
    }

    /// Adds an event and forgets what no row can ask for any more.
    pub(crate) fn insert(&mut self, entry: Entry<T>, known_at: i64, keep: Keep) {
        self.place(entry, known_at);
        self.prune(keep);
    }

    fn prune(&mut self, keep: Keep) {
        let horizon = self.newest_known.saturating_sub(keep.lateness);
        while self
            .entries
            .get(keep.last)
            .is_some_and(|entry| entry.time <= horizon)
        {
            self.entries.pop_front();
        }
    }

    /// How many of the remembered events happened at or before an instant.
    pub(crate) fn until(&self, at: i64) -> usize {
        match self.entries.back() {
            Some(newest) if newest.time > at => self.entries.partition_point(|e| e.time <= at),
            _ => self.entries.len(),
        }
    }

    /// The newest event at or before an instant.
    pub(crate) fn last(&self, at: i64) -> Option<&Entry<T>> {
        self.entries.get(self.until(at).checked_sub(1)?)
    }

    /// Unites two parts without forgetting anything.
    pub(crate) fn unite(&mut self, other: &History<T>) {
        let mut all: Vec<Entry<T>> = self.entries.drain(..).collect();
        all.extend(other.entries.iter().cloned());
        all.sort_by_key(|entry| (entry.time, entry.position));
        self.entries = all.into();
        self.newest_known = self.newest_known.max(other.newest_known);
    }

    /// Unites two parts.
    pub(crate) fn merge(&mut self, other: &History<T>, keep: Keep) {
        self.unite(other);
        self.prune(keep);
    }
}

/// An operator's logic over the last events of a key.
pub(crate) trait Remembers: Send + Sync + 'static {
    /// What is remembered of an event.
    type Value: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    fn keep(&self) -> Keep;
    fn width(&self) -> usize;
    /// What is to be remembered of an event (of any type); nothing where it is passed over.
    fn value(&self, facts: &Facts<'_>) -> Option<Self::Value>;
    /// Reads the columns at an instant; `current` is the event that the row is of.
    fn read(
        &self,
        of: &History<Self::Value>,
        current: Option<&Facts<'_>>,
        at: i64,
        out: &mut [f64],
    );
    /// The condition on the events that are remembered.
    fn when(&self) -> Option<Where> {
        None
    }
}

impl<R: Remembers> Logic for R {
    type Of = History<R::Value>;

    fn width(&self) -> usize {
        Remembers::width(self)
    }

    fn read(&self, of: &mut Self::Of, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        Remembers::read(self, of, current, at, out);
    }

    fn observe(&self, of: &mut Self::Of, facts: &Facts<'_>) {
        if facts.holds.admits(Remembers::when(self))
            && let Some(value) = self.value(facts)
        {
            let entry = Entry {
                time: facts.time,
                position: facts.position,
                value,
            };
            of.insert(entry, facts.known_at, self.keep());
        }
    }

    fn when(&self) -> Option<Where> {
        Remembers::when(self)
    }

    fn newest(&self, of: &Self::Of, at: i64) -> Option<i64> {
        of.last(at).map(|entry| entry.time)
    }

    fn merge(&self, of: &mut Self::Of, other: &Self::Of) {
        of.merge(other, self.keep());
    }
}
