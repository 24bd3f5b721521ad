//! Candidates that are kept for a while, stale by comparison: of another past of the visitor, or
//! of other sources, they are not used. Lists are never kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acumen_base::{Span, Time};
use acumen_model::recommend::Candidates;

/// Parts that lock by themselves.
const PARTS: usize = 16;
/// Entries of a part, at most.
const ENTRIES_MAX: usize = 8_192;

/// What candidates were made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The version of the visitor's past.
    pub(crate) past: u64,
    /// The epoch of the deployed sources.
    pub(crate) epoch: u64,
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
    since: Time,
    candidates: Arc<Asked>,
}

/// Candidates and the sources that gave them.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) candidates: Candidates,
    /// For each declared source, whether it answered.
    pub(crate) answered: Vec<bool>,
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

    /// What is kept for somebody, if it is still true.
    pub(crate) fn get(&self, who: u128, made: Made, now: Time) -> Option<Arc<Asked>> {
        let part = self.part(who);
        let entry = part.get(&who)?;
        let fresh = entry.made == made && now < entry.since + self.ttl;
        fresh.then(|| Arc::clone(&entry.candidates))
    }

    /// Keeps candidates; in a full part, those whose time is up make room, or else all do.
    pub(crate) fn keep(&self, who: u128, made: Made, now: Time, candidates: Arc<Asked>) {
        let mut part = self.part(who);
        if part.len() >= ENTRIES_MAX && !part.contains_key(&who) {
            part.retain(|_, entry| now < entry.since + self.ttl);
            if part.len() >= ENTRIES_MAX {
                part.clear();
            }
        }
        let since = now;
        let entry = Entry {
            made,
            since,
            candidates,
        };
        part.insert(who, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_past_another_source_and_time_make_them_stale() {
        let kept = KeptCandidates::new(Span(100));
        let made = Made { past: 1, epoch: 2 };
        let asked = || {
            Arc::new(Asked {
                candidates: Candidates::default(),
                answered: Vec::new(),
            })
        };
        kept.keep(7, made, Time(0), asked());
        assert!(kept.get(7, made, Time(99)).is_some());
        assert!(kept.get(7, made, Time(100)).is_none());
        assert!(kept.get(7, Made { past: 2, ..made }, Time(1)).is_none());
        assert!(kept.get(7, Made { epoch: 3, ..made }, Time(1)).is_none());
        assert!(kept.get(8, made, Time(1)).is_none());
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
