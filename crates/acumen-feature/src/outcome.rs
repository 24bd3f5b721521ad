//! Which events turned out positive: positive events joined to the events they speak of.
//!
//! An event of the `of` type is remembered until its outcome closes. A positive event that names
//! it and was known by then makes it positive, once. A positive that comes before the event it
//! names (which was late) waits as long as an event may be late.

use std::cell::Cell;

use acumen_base::{Event, Key, Value};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::entity::{HashedMap, NO_SLOT};

/// An event that was just found to be positive.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) outcome: usize,
    /// When the event happened that turned out positive.
    pub(crate) time: i64,
    /// Where it stands in the log.
    pub(crate) position: u64,
    /// Its slot of each entity.
    pub(crate) slots: Slots,
}

/// The slots of an event, one an entity.
pub(crate) type Slots = SmallVec<[u32; 6]>;

/// A compiled outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutcomePlan {
    /// The event type it is of.
    pub(crate) of: usize,
    /// The event type that makes it positive.
    pub(crate) positive: usize,
    /// The field of the positive event that names the other.
    pub(crate) by: usize,
    pub(crate) closes: i64,
    /// How long a positive waits for the event it names.
    pub(crate) waits: i64,
    /// Whether a feature reads it.
    pub(crate) used: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    time: i64,
    known_at: i64,
    position: u64,
    positive: bool,
    slots: Slots,
}

impl OutcomePlan {
    /// Whether a positive known at this time speaks of the event: before its outcome closed, and
    /// not longer ahead of it than an event may be late.
    fn joins(&self, known: i64, open: &Open) -> bool {
        known <= open.time.saturating_add(self.closes)
            && open.known_at <= known.saturating_add(self.waits)
    }
}

/// The state of one outcome.
#[derive(Default)]
pub(crate) struct OutcomeIndex {
    open: HashedMap<Key, Open>,
    /// When each positive became known whose event has not come yet.
    waiting: HashedMap<Key, i64>,
    newest_known: i64,
    /// How many entries there were after the last sweep.
    swept: Cell<usize>,
}

/// What is saved, ordered by key.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedOutcome {
    open: Vec<(Key, Open)>,
    waiting: Vec<(Key, i64)>,
    newest_known: i64,
}

impl OutcomeIndex {
    /// Remembers an event; says whether its positive came before it.
    pub(crate) fn remember(
        &mut self,
        plan: &OutcomePlan,
        event: &Event,
        position: u64,
        slots: &[u32],
    ) -> bool {
        self.advance(plan, event.known_at.0);
        let key = Key::of(&event.id);
        let mut open = Open {
            time: event.event_time.0,
            known_at: event.known_at.0,
            position,
            positive: false,
            slots: Slots::from_slice(slots),
        };
        let waiting = self.waiting.remove(&key);
        let positive = waiting.is_some_and(|known| plan.joins(known, &open));
        open.positive = positive;
        self.open.insert(key, open);
        positive
    }

    /// Learns of a positive event; gives the event that it makes positive.
    pub(crate) fn learn(
        &mut self,
        plan: &OutcomePlan,
        outcome: usize,
        event: &Event,
    ) -> Option<Mark> {
        let known_at = event.known_at.0;
        self.advance(plan, known_at);
        let key = Key::of(event.values.get(plan.by).and_then(Value::as_text)?);
        let Some(open) = self.open.get_mut(&key) else {
            self.waiting.insert(key, known_at);
            return None;
        };
        if open.positive || !plan.joins(known_at, open) {
            return None;
        }
        open.positive = true;
        Some(Mark {
            outcome,
            time: open.time,
            position: open.position,
            slots: open.slots.clone(),
        })
    }

    /// Forgets what can no longer matter, whenever the index has doubled.
    fn advance(&mut self, plan: &OutcomePlan, known_at: i64) {
        self.newest_known = self.newest_known.max(known_at);
        let size = self.open.len() + self.waiting.len();
        if size < 1_024 || size < 2 * self.swept.get() {
            return;
        }
        let now = self.newest_known;
        self.open
            .retain(|_, open| open.time.saturating_add(plan.closes) >= now);
        self.waiting
            .retain(|_, known| known.saturating_add(plan.waits) >= now);
        self.swept
            .set((self.open.len() + self.waiting.len()).max(512));
    }

    pub(crate) fn save(&self) -> SavedOutcome {
        let mut open: Vec<_> = self.open.iter().map(|(k, v)| (*k, v.clone())).collect();
        open.sort_unstable_by_key(|entry| entry.0);
        let mut waiting: Vec<_> = self.waiting.iter().map(|(k, v)| (*k, *v)).collect();
        waiting.sort_unstable_by_key(|entry| entry.0);
        SavedOutcome {
            open,
            waiting,
            newest_known: self.newest_known,
        }
    }

    pub(crate) fn load(saved: SavedOutcome) -> OutcomeIndex {
        OutcomeIndex {
            swept: Cell::new(saved.open.len() + saved.waiting.len()),
            open: saved.open.into_iter().collect(),
            waiting: saved.waiting.into_iter().collect(),
            newest_known: saved.newest_known,
        }
    }

    /// Unites two parts; gives the marks that follow from an event in one and its positive in
    /// the other. `slots[entity][slot]` is the slot here of a slot there.
    pub(crate) fn merge(
        &mut self,
        plan: &OutcomePlan,
        outcome: usize,
        other: &OutcomeIndex,
        slots: &[Vec<u32>],
    ) -> Vec<Mark> {
        let there = other.save();
        self.newest_known = self.newest_known.max(there.newest_known);
        for (key, mut open) in there.open {
            for (entity, slot) in open.slots.iter_mut().enumerate() {
                if *slot != NO_SLOT {
                    *slot = slots[entity][*slot as usize];
                }
            }
            self.open.entry(key).or_insert(open);
        }
        for (key, known) in there.waiting {
            let mine = self.waiting.entry(key).or_insert(known);
            *mine = known.max(*mine);
        }
        let mut found = Vec::new();
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|key, known| {
            let Some(open) = self.open.get_mut(key) else {
                return true;
            };
            if !open.positive && plan.joins(*known, open) {
                open.positive = true;
                found.push(Mark {
                    outcome,
                    time: open.time,
                    position: open.position,
                    slots: open.slots.clone(),
                });
            }
            false
        });
        self.waiting = waiting;
        found.sort_unstable_by_key(|mark| mark.position);
        found
    }
}
