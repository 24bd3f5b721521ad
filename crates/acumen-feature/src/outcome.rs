//! Which events turned out positive: positive events joined to the events they speak of.
//!
//! An event of the `of` type is remembered until its outcome closes. A positive event that names
//! it and was known by then makes it positive, once. A positive that comes before the event it
//! names (which was late) waits as long as an event may be late. Where a verdict says what is true
//! either way, the latest word counts, a positive event's or a verdict's.

use std::collections::VecDeque;

use acumen_base::key::hash64;
use acumen_base::{Event, Value};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::condition::Holds;
use crate::entity::{HashedMap, NO_SLOT};
use crate::pipeline::Prepared;

/// An event of which something new was just found to be true.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) outcome: usize,
    /// Whether it is positive from now on, and was not before, or the other way round.
    pub(crate) positive: bool,
    /// When the event happened.
    pub(crate) time: i64,
    /// Where it stands in the log.
    pub(crate) position: u64,
    /// Its slot of each entity.
    pub(crate) slots: Slots,
    /// Which conditions of the plan hold for it.
    pub(crate) holds: Holds,
}

/// The slots of an event, one an entity.
pub(crate) type Slots = SmallVec<[u32; 6]>;

/// A compiled outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutcomePlan {
    /// The event type it is of.
    pub(crate) of: usize,
    /// The events that say what it is.
    pub(crate) tellers: [Option<Teller>; 2],
    pub(crate) closes: i64,
    /// How long a word waits for the event it names.
    pub(crate) waits: i64,
    /// Whether a feature reads it.
    pub(crate) used: bool,
}

/// Events of a type that say what an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Teller {
    pub(crate) kind: usize,
    /// The field that names the event it is about.
    pub(crate) by: usize,
    /// The field that says whether it is positive; where there is none it always is.
    pub(crate) says: Option<usize>,
}

/// What was said of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Word {
    /// Where it stands in the log: the latest word counts.
    position: u64,
    known: i64,
    positive: bool,
}

impl Teller {
    /// What an event says, and of which other one.
    fn word(self, event: &Event, position: u64) -> Option<(u64, Word)> {
        let id = event.values.get(self.by)?.as_text()?;
        let positive = match self.says {
            None => true,
            Some(field) => match event.values.get(field)? {
                Value::Bool(positive) => *positive,
                _ => return None,
            },
        };
        let word = Word {
            position,
            known: event.known_at.0,
            positive,
        };
        Some((hash64(id.as_bytes()), word))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    id: u64,
    time: i64,
    known_at: i64,
    position: u64,
    positive: bool,
    /// Where the word that counts stands in the log, where something was said.
    said: Option<u64>,
    slots: Slots,
    holds: Holds,
}

impl OutcomePlan {
    /// Whether an event or a word of this time is still remembered: until its outcome closes,
    /// and as long again as an event may be late, because the other of the two may stand in a
    /// part that this one is merged with.
    fn remembers(&self, time: i64, now: i64) -> bool {
        time.saturating_add(self.closes).saturating_add(self.waits) >= now
    }

    /// Whether a word known at this time speaks of the event: before its outcome closed, and
    /// not longer ahead of it than an event may be late.
    fn joins(&self, known: i64, open: &Open) -> bool {
        known <= open.time.saturating_add(self.closes)
            && open.known_at <= known.saturating_add(self.waits)
    }
}

/// The state of one outcome.
///
/// Events that may still turn out positive stand in log order; a map leads from their ids' hashes
/// to their numbers. At a million open events two ids share a hash with a probability of 3e-8.
#[derive(Default)]
pub(crate) struct OutcomeIndex {
    open: VecDeque<Open>,
    /// The number of the first of `open`: numbers below it have closed.
    first: u64,
    by_id: HashedMap<u64, u64>,
    /// What was said of events that have not come yet.
    waiting: HashedMap<u64, Word>,
    newest_known: i64,
}

/// What is saved, in an order of its own.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedOutcome {
    open: Vec<Open>,
    waiting: Vec<(u64, Word)>,
    newest_known: i64,
}

impl OutcomeIndex {
    /// Remembers an event; says whether its positive came before it.
    pub(crate) fn remember(
        &mut self,
        plan: &OutcomePlan,
        event: &Event,
        position: u64,
        prepared: &Prepared,
    ) -> bool {
        self.advance(plan, event.known_at.0);
        let id = hash64(event.id.as_bytes());
        let mut open = Open {
            id,
            time: event.event_time.0,
            known_at: event.known_at.0,
            position,
            positive: false,
            said: None,
            slots: Slots::from_slice(&prepared.slots),
            holds: prepared.holds,
        };
        if !self.waiting.is_empty()
            && let Some(word) = self.waiting.remove(&id)
        {
            open.take(plan, word);
        }
        let positive = open.positive;
        self.push(open);
        positive
    }

    fn push(&mut self, open: Open) {
        self.by_id
            .insert(open.id, self.first + self.open.len() as u64);
        self.open.push_back(open);
    }

    fn find(&mut self, id: u64) -> Option<&mut Open> {
        let number = self.by_id.get(&id)?.checked_sub(self.first)?;
        self.open.get_mut(number as usize)
    }

    /// Learns what an event says; gives the event of which something else is true from now on.
    pub(crate) fn learn(
        &mut self,
        plan: &OutcomePlan,
        outcome: usize,
        teller: Teller,
        event: &Event,
        position: u64,
    ) -> Option<Mark> {
        self.advance(plan, event.known_at.0);
        let (id, word) = teller.word(event, position)?;
        let Some(open) = self.find(id) else {
            self.waiting.insert(id, word);
            return None;
        };
        open.take(plan, word).then(|| open.mark(outcome))
    }

    /// Forgets what can no longer matter.
    fn advance(&mut self, plan: &OutcomePlan, known_at: i64) {
        self.newest_known = self.newest_known.max(known_at);
        let now = self.newest_known;
        while let Some(oldest) = self.open.front() {
            if plan.remembers(oldest.time, now) {
                break;
            }
            self.open.pop_front();
            self.first += 1;
        }
        if self.by_id.len() > 1_024 + 2 * self.open.len() {
            let first = self.first;
            self.by_id.retain(|_, number| *number >= first);
        }
        // A power of two is seldom met: the cost of looking at all is spread over as many.
        if self.waiting.len() >= 1_024 && self.waiting.len().is_power_of_two() {
            self.waiting
                .retain(|_, word| plan.remembers(word.known, now));
        }
    }

    pub(crate) fn save(&self, plan: &OutcomePlan) -> SavedOutcome {
        let waiting = self.waiting.iter().map(|(id, word)| (*id, *word));
        let useful = |entry: &(u64, Word)| plan.remembers(entry.1.known, self.newest_known);
        let mut waiting: Vec<_> = waiting.filter(useful).collect();
        waiting.sort_unstable();
        let open = self.open.iter().cloned().collect();
        SavedOutcome {
            open,
            waiting,
            newest_known: self.newest_known,
        }
    }

    pub(crate) fn load(saved: SavedOutcome) -> OutcomeIndex {
        let mut index = OutcomeIndex {
            waiting: saved.waiting.into_iter().collect(),
            newest_known: saved.newest_known,
            ..OutcomeIndex::default()
        };
        saved.open.into_iter().for_each(|open| index.push(open));
        index
    }

    /// The same index where slots and conditions have other numbers.
    pub(crate) fn renumbered(
        &self,
        plan: &OutcomePlan,
        slots: impl Fn(&Slots) -> Slots,
        holds: impl Fn(Holds) -> Holds,
    ) -> OutcomeIndex {
        let mut saved = self.save(plan);
        for open in &mut saved.open {
            open.slots = slots(&open.slots);
            open.holds = holds(open.holds);
        }
        OutcomeIndex::load(saved)
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
        let (mut mine, there) = (self.save(plan), other.save(plan));
        for mut open in there.open {
            for (entity, slot) in open.slots.iter_mut().enumerate() {
                if *slot != NO_SLOT {
                    *slot = slots[entity][*slot as usize];
                }
            }
            mine.open.push(open);
        }
        mine.open.sort_by_key(|open| open.position);
        mine.newest_known = mine.newest_known.max(there.newest_known);
        *self = OutcomeIndex::load(mine);
        for (id, word) in there.waiting {
            let mine = self.waiting.entry(id).or_insert(word);
            *mine = word.max(*mine);
        }
        let mut found = Vec::new();
        let mut waiting: Vec<(u64, Word)> = self.waiting.drain().collect();
        waiting.sort_unstable();
        for (id, word) in waiting {
            match self.find(id) {
                None => {
                    self.waiting.insert(id, word);
                }
                Some(open) => found.extend(open.take(plan, word).then(|| open.mark(outcome))),
            }
        }
        found
    }
}

impl Open {
    /// Takes in a word; says whether something else is true from now on.
    fn take(&mut self, plan: &OutcomePlan, word: Word) -> bool {
        if self.said > Some(word.position) || !plan.joins(word.known, self) {
            return false;
        }
        self.said = Some(word.position);
        std::mem::replace(&mut self.positive, word.positive) != word.positive
    }

    fn mark(&self, outcome: usize) -> Mark {
        Mark {
            outcome,
            positive: self.positive,
            time: self.time,
            position: self.position,
            slots: self.slots.clone(),
            holds: self.holds,
        }
    }
}
