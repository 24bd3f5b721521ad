//! Answers that are kept for a while: until an event of their key arrives, or another model does.
//!
//! A key is announced between two events, where its row is read; what was announced and is gone
//! when the answer is ready, because an event came between, is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acumen_base::limits::SCORES_CACHED_MAX;
use acumen_base::{Span, Time};

use super::ValueAnswer;

/// The kept answers of one use case.
#[derive(Debug)]
pub(crate) struct ScoreCache {
    ttl: Span,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Arc<str>, Entry>,
    tickets: u64,
}

#[derive(Debug)]
struct Entry {
    ticket: u64,
    /// `None` until it is ready.
    answer: Option<Arc<ValueAnswer>>,
    since: Time,
}

/// What an announced answer is put in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl ScoreCache {
    pub(crate) fn new(ttl: Span) -> ScoreCache {
        ScoreCache {
            ttl,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change of it is whole: one that panicked has left nothing half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer for a key, where one is kept.
    pub(crate) fn get(&self, id: &str, now: Time) -> Option<Arc<ValueAnswer>> {
        let kept = self.kept();
        let entry = kept.entries.get(id)?;
        let fresh = now < entry.since + self.ttl;
        entry.answer.clone().filter(|_| fresh)
    }

    /// Announces an answer; none where there is no room.
    pub(crate) fn announce(&self, id: &Arc<str>, now: Time) -> Option<Ticket> {
        let mut kept = self.kept();
        if kept.entries.len() >= SCORES_CACHED_MAX {
            kept.entries.retain(|_, entry| now < entry.since + self.ttl);
            if kept.entries.len() >= SCORES_CACHED_MAX {
                return None;
            }
        }
        kept.tickets += 1;
        let ticket = kept.tickets;
        let entry = Entry {
            ticket,
            answer: None,
            since: now,
        };
        kept.entries.insert(Arc::clone(id), entry);
        Some(Ticket(ticket))
    }

    /// Keeps an answer that was announced, unless its key has been dropped since.
    pub(crate) fn keep(&self, ticket: Ticket, answer: Arc<ValueAnswer>) {
        let mut kept = self.kept();
        let entry = kept.entries.get_mut(&answer.id);
        if let Some(entry) = entry.filter(|entry| entry.ticket == ticket.0) {
            entry.answer = Some(answer);
        }
    }

    /// Drops the answer for a key: something happened to it.
    pub(crate) fn drop_key(&self, id: &str) {
        self.kept().entries.remove(id);
    }

    /// Drops all: another model answers from here on.
    pub(crate) fn clear(&self) {
        self.kept().entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::Scored;

    fn answer(id: &Arc<str>, value: f64) -> Arc<ValueAnswer> {
        Arc::new(ValueAnswer {
            id: Arc::clone(id),
            scored: Scored {
                value,
                low: None,
                high: None,
                alive: None,
                purchases: None,
                segment: None,
            },
            reasons: Vec::new(),
            model: "m".to_owned(),
            version: "v".to_owned(),
            at: Time(0),
            position: 0,
        })
    }

    #[test]
    fn what_happens_to_a_key_is_not_overtaken_by_an_older_answer() {
        let cache = ScoreCache::new(Span(100));
        let id: Arc<str> = "c1".into();
        let ticket = cache.announce(&id, Time(0)).unwrap();
        assert_eq!(cache.get(&id, Time(0)), None);
        cache.keep(ticket, answer(&id, 1.0));
        assert_eq!(cache.get(&id, Time(99)).unwrap().scored.value, 1.0);
        assert_eq!(cache.get(&id, Time(100)), None);

        let slow = cache.announce(&id, Time(100)).unwrap();
        cache.drop_key(&id);
        cache.keep(slow, answer(&id, 1.0));
        assert_eq!(cache.get(&id, Time(100)), None);
        let newer = cache.announce(&id, Time(101)).unwrap();
        cache.keep(slow, answer(&id, 1.0));
        assert_eq!(cache.get(&id, Time(101)), None);
        cache.keep(newer, answer(&id, 2.0));
        assert_eq!(cache.get(&id, Time(101)).unwrap().scored.value, 2.0);
        cache.clear();
        assert_eq!(cache.get(&id, Time(101)), None);
    }
}
