//! What sources put forward is kept for a while, and stale by comparison: of other sources it is not
//! used, and of an older past of the visitor only the items are, each scored anew. Lists are never
//! kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acumen_base::{Span, Time};
use acumen_model::recommend::{Candidates, Proposal};

/// Parts that lock by themselves.
const PARTS: usize = 16;
/// Entries of a part, at most.
const ENTRIES_MAX: usize = 8_192;

/// What candidates were made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The version of the visitor's past.
    pub(crate) past: u64,
    /// The epoch of the deployed sources, and how many picks of people time has taken off.
    pub(crate) epoch: (u64, u64),
}

/// Candidates by visitor.
#[derive(Debug)]
pub(crate) struct KeptCandidates {
    ttl: Span,
    parts: Vec<Mutex<HashMap<u128, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    made: Made,
    /// When some source looked at all items.
    since: Time,
    asked: Arc<Asked>,
}

/// Candidates and what each declared source put forward; nothing of one that did not answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) candidates: Candidates,
    /// For each ensemble the places of the candidates, those that its sources together say most for
    /// first.
    pub(crate) orders: Vec<Vec<u32>>,
    /// How many candidates there is room for: others were not worth keeping.
    pub(crate) room: usize,
    pub(crate) proposals: Vec<Option<Arc<Proposal>>>,
}

/// What is kept of somebody.
#[derive(Debug)]
pub(crate) struct Known {
    /// The version of their past that it is of: of an older one, sources that look at all items
    /// would put forward much the same.
    pub(crate) past: u64,
    /// When some source looked at all items.
    pub(crate) since: Time,
    pub(crate) asked: Arc<Asked>,
}

impl KeptCandidates {
    pub(crate) fn new(ttl: Span) -> KeptCandidates {
        KeptCandidates {
            ttl,
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
        }
    }

    fn part(&self, who: u128) -> MutexGuard<'_, HashMap<u128, Entry>> {
        // Every change is whole: one that panicked has left nothing half done.
        let part = &self.parts[(who % PARTS as u128) as usize];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept for somebody, if it is of these sources and not too old.
    pub(crate) fn get(&self, who: u128, epoch: (u64, u64), now: Time) -> Option<Known> {
        let part = self.part(who);
        let entry = part.get(&who)?;
        let fresh = entry.made.epoch == epoch && now < entry.since + self.ttl;
        fresh.then(|| Known {
            past: entry.made.past,
            since: entry.since,
            asked: Arc::clone(&entry.asked),
        })
    }

    /// Keeps candidates for which all items were looked at at some time; in a full part, those
    /// whose time is up make room, or else all do.
    pub(crate) fn keep(&self, who: u128, made: Made, since: Time, asked: Arc<Asked>) {
        let mut part = self.part(who);
        if part.len() >= ENTRIES_MAX && !part.contains_key(&who) {
            part.retain(|_, entry| since < entry.since + self.ttl);
            if part.len() >= ENTRIES_MAX {
                part.clear();
            }
        }
        part.insert(who, Entry { made, since, asked });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_past_another_source_and_time_make_them_stale() {
        let kept = KeptCandidates::new(Span(100));
        let made = Made {
            past: 1,
            epoch: (2, 0),
        };
        let asked = || {
            Arc::new(Asked {
                candidates: Candidates::default(),
                orders: Vec::new(),
                room: 0,
                proposals: Vec::new(),
            })
        };
        kept.keep(7, made, Time(0), asked());
        let get = |who, epoch, at| kept.get(who, epoch, Time(at));
        let known = get(7, (2, 0), 99).unwrap();
        assert_eq!((known.past, known.since), (1, Time(0)));
        assert!(get(7, (2, 0), 100).is_none());
        assert!(get(7, (3, 0), 1).is_none());
        assert!(get(7, (1, 1), 1).is_none());
        assert!(get(8, (2, 0), 1).is_none());
        for who in 0..(PARTS * ENTRIES_MAX * 2) as u128 {
            kept.keep(who, made, Time(1), asked());
        }
        let entries: usize = kept
            .parts
            .iter()
            .map(|part| part.lock().unwrap().len())
            .sum();
        assert!(entries <= PARTS * ENTRIES_MAX);
    }
}
