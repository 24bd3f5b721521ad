//! The state of operators: what every operator offers, and the part that all keyed ones share.

use std::any::Any;

use acumen_base::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::condition::{Holds, Where};
use crate::entity::NO_SLOT;
use crate::gather::{Hops, Met};
use crate::outcome::Mark;

/// An event as operators see it: everything is looked up already.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) event: &'a Event,
    pub(crate) position: u64,
    /// Which declared event type.
    pub(crate) kind: usize,
    /// Whether it came in time to be applied.
    pub(crate) applies: bool,
    /// When it happened.
    pub(crate) time: i64,
    /// When it became known.
    pub(crate) known_at: i64,
    /// Its slot of each entity, or [`NO_SLOT`].
    pub(crate) slots: &'a [u32],
    /// Every numeric operand of the plan, or [`crate::operand::MISSING`].
    pub(crate) operands: &'a [i64],
    /// A bit for each outcome that is known to be positive as the event arrives.
    pub(crate) positive: u32,
    /// Which conditions of the plan hold for it.
    pub(crate) holds: Holds,
}

/// The slots of another part, as slots here: `slots[entity][there]`.
pub(crate) type Slotted<'a> = &'a [Vec<u32>];

/// One unit of state with its columns.
pub(crate) trait State: Send + Sync {
    /// How many columns it writes.
    fn width(&self) -> usize;
    /// The entity it is kept of.
    fn entity(&self) -> Option<usize>;
    /// Every entity whose slots it needs.
    fn entities(&self) -> SmallVec<[usize; 2]> {
        self.entity().into_iter().collect()
    }
    /// The entity whose keys do not know of each other: their events may be fed key by key.
    fn by_key(&self) -> Option<usize> {
        None
    }
    /// The condition on the events that it observes.
    fn when(&self) -> Option<Where> {
        None
    }
    /// The outcome that it hears of.
    fn outcome(&self) -> Option<usize> {
        None
    }
    /// The keys that a row reaches through it, for gathering.
    fn hops(&mut self, _facts: &Facts<'_>) -> Hops {
        Hops::default()
    }
    /// The same keys with when and by which event each was met last.
    fn met(&mut self, _facts: &Facts<'_>) -> [Vec<Met>; 2] {
        Default::default()
    }
    /// Reads the row's columns from the events before this one (adding its own value where the
    /// feature includes it), then observes it if it applies.
    fn step(&mut self, facts: &Facts<'_>, out: Option<&mut [f64]>);
    /// Reads the columns of one key at an instant, without an event; gives the time of the newest
    /// event behind them.
    fn read_key(&mut self, slot: u32, at: i64, out: &mut [f64]) -> Option<i64>;
    /// All state as bytes.
    fn save(&self) -> Result<Vec<u8>, postcard::Error>;
    /// Takes over saved state.
    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error>;
    /// Unites the state of another part of the log.
    fn merge(&mut self, other: &dyn State, slots: Slotted<'_>);
    /// Learns whether an earlier event was positive.
    fn mark(&mut self, mark: &Mark);
    /// For `merge`.
    fn as_any(&self) -> &dyn Any;
}

/// An operator's logic over one key of its entity.
pub(crate) trait Logic: Send + Sync + 'static {
    /// What is kept of a key.
    type Of: Default + Serialize + DeserializeOwned + Send + Sync + 'static;

    fn width(&self) -> usize;
    /// Reads the columns at an instant; `current` is the event that the row is of.
    fn read(&self, of: &mut Self::Of, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]);
    /// Observes an event that applies (of any type: the logic picks its own).
    fn observe(&self, of: &mut Self::Of, facts: &Facts<'_>);
    /// Learns whether an earlier event was positive.
    fn mark(&self, _of: &mut Self::Of, _mark: &Mark) {}
    /// The outcome it wants to hear of.
    fn outcome(&self) -> Option<usize> {
        None
    }
    /// The condition on the events that it observes.
    fn when(&self) -> Option<Where> {
        None
    }
    /// The time of the newest event at or before an instant.
    fn newest(&self, of: &Self::Of, at: i64) -> Option<i64>;
    fn merge(&self, of: &mut Self::Of, other: &Self::Of);
}

/// State of an entity: one `L::Of` a slot.
pub(crate) struct Keyed<L: Logic> {
    pub(crate) logic: L,
    pub(crate) entity: usize,
    keys: Vec<L::Of>,
}

impl<L: Logic> Keyed<L> {
    pub(crate) fn new(logic: L, entity: usize) -> Keyed<L> {
        Keyed {
            logic,
            entity,
            keys: Vec::new(),
        }
    }

    fn key(&mut self, slot: u32) -> &mut L::Of {
        let slot = slot as usize;
        if slot >= self.keys.len() {
            self.keys.resize_with(slot + 1, L::Of::default);
        }
        &mut self.keys[slot]
    }
}

impl<L: Logic> State for Keyed<L> {
    fn width(&self) -> usize {
        self.logic.width()
    }

    fn entity(&self) -> Option<usize> {
        Some(self.entity)
    }

    fn by_key(&self) -> Option<usize> {
        Some(self.entity)
    }

    fn when(&self) -> Option<Where> {
        self.logic.when()
    }

    fn outcome(&self) -> Option<usize> {
        self.logic.outcome()
    }

    fn step(&mut self, facts: &Facts<'_>, out: Option<&mut [f64]>) {
        let slot = facts.slots[self.entity];
        if slot == NO_SLOT {
            if let Some(out) = out {
                out.fill(f64::NAN);
            }
        } else if !facts.applies && slot as usize >= self.keys.len() {
            // Nothing was observed of the key, and nothing is now.
            if let Some(out) = out {
                let nothing = &mut L::Of::default();
                self.logic.read(nothing, Some(facts), facts.time, out);
            }
        } else {
            self.key(slot);
            let of = &mut self.keys[slot as usize];
            if let Some(out) = out {
                self.logic.read(of, Some(facts), facts.time, out);
            }
            if facts.applies {
                self.logic.observe(of, facts);
            }
        }
    }

    fn read_key(&mut self, slot: u32, at: i64, out: &mut [f64]) -> Option<i64> {
        self.key(slot);
        let of = &mut self.keys[slot as usize];
        self.logic.read(of, None, at, out);
        self.logic.newest(of, at)
    }

    fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(&self.keys)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        self.keys = postcard::from_bytes(bytes)?;
        Ok(())
    }

    fn merge(&mut self, other: &dyn State, slots: Slotted<'_>) {
        let Some(other) = other.as_any().downcast_ref::<Keyed<L>>() else {
            return;
        };
        for (there, of) in other.keys.iter().enumerate() {
            let here = slots[self.entity][there];
            self.key(here);
            self.logic.merge(&mut self.keys[here as usize], of);
        }
    }

    fn mark(&mut self, mark: &Mark) {
        let slot = mark.slots[self.entity];
        if self.logic.outcome() == Some(mark.outcome) && slot != NO_SLOT {
            self.key(slot);
            self.logic.mark(&mut self.keys[slot as usize], mark);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
