//! Which event ids the log holds, and what each said.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use acumen_base::{Event, Key, Time};

use crate::bytes::{Cursor, Malformed};

/// How an event stands to what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Its id was not seen (or has been forgotten).
    New,
    /// The same event stands at this position: answer as then.
    Same(u64),
    /// Another event of its id stands at this position: an error of the sender.
    Conflict(u64),
}

/// The ids of the log's events: 32 bytes each, and the table's spare room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    entries: HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>,
    /// Pairs of (instant, position): every event before the position became known at the instant
    /// or before. Rising in both; at most one for each [`MARK_MILLIS`].
    marks: Vec<(Time, u64)>,
    newest: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    body: u64,
    position: u64,
}

/// Ids are forgotten in steps of this length.
const MARK_MILLIS: i64 = 60_000;
const ENTRY_BYTES: usize = 32;

/// A snapshot of [`Seen`] that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved event ids cannot be read: {0}")]
pub struct SeenError(String);

impl Seen {
    /// Nothing seen.
    pub fn new() -> Seen {
        Seen::default()
    }

    /// How an event stands to what was seen.
    pub fn check(&self, event: &Event) -> Freshness {
        match self.entries.get(&event.dedup_key()) {
            None => Freshness::New,
            Some(entry) if entry.body == event.body_hash() => Freshness::Same(entry.position),
            Some(entry) => Freshness::Conflict(entry.position),
        }
    }

    /// Remembers an event that stands at a position; positions rise.
    pub fn insert(&mut self, event: &Event, position: u64) {
        if let Some(newest) = self.newest
            && self
                .marks
                .last()
                .is_none_or(|mark| mark.0.0 + MARK_MILLIS <= newest.0)
        {
            self.marks.push((newest, position));
        }
        self.newest = self.newest.max(Some(event.known_at));
        let entry = Entry {
            body: event.body_hash(),
            position,
        };
        self.entries.insert(event.dedup_key(), entry);
    }

    /// Forgets ids of events that became known before an instant (to the minute, and never one
    /// that became known at or after it); returns how many.
    pub fn forget_before(&mut self, oldest_kept: Time) -> usize {
        let gone = self.marks.partition_point(|mark| mark.0 < oldest_kept);
        let Some(last) = gone.checked_sub(1) else {
            return 0;
        };
        let first_kept = self.marks[last].1;
        self.marks.drain(..gone);
        let before = self.entries.len();
        self.entries.retain(|_, entry| entry.position >= first_kept);
        self.entries
            .shrink_to(self.entries.len() + self.entries.len() / 4);
        before - self.entries.len()
    }

    /// How many ids are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of it as bytes, the same for the same content.
    pub fn save(&self) -> Vec<u8> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(key, entry)| (entry.position, **key));
        let room = 32 + 16 * self.marks.len() + ENTRY_BYTES * entries.len();
        let mut bytes = Vec::with_capacity(room);
        let newest = self.newest.map_or(i64::MIN, |time| time.0);
        bytes.extend_from_slice(&newest.to_le_bytes());
        bytes.extend_from_slice(&(self.marks.len() as u64).to_le_bytes());
        for (time, position) in &self.marks {
            bytes.extend_from_slice(&time.0.to_le_bytes());
            bytes.extend_from_slice(&position.to_le_bytes());
        }
        bytes.extend_from_slice(&(entries.len() as u64).to_le_bytes());
        for (key, entry) in entries {
            bytes.extend_from_slice(&key.0.to_le_bytes());
            bytes.extend_from_slice(&entry.body.to_le_bytes());
            bytes.extend_from_slice(&entry.position.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Seen::save`] wrote.
    ///
    /// # Errors
    /// [`SeenError`] where it is not that.
    pub fn load(bytes: &[u8]) -> Result<Seen, SeenError> {
        read(bytes).map_err(|what| SeenError(what.to_string()))
    }
}

fn read(bytes: &[u8]) -> Result<Seen, Malformed> {
    let mut cursor = Cursor::new(bytes);
    let newest = i64::from_le_bytes(cursor.array()?);
    let mut seen = Seen {
        newest: (newest != i64::MIN).then_some(Time(newest)),
        ..Seen::default()
    };
    for _ in 0..u64::from_le_bytes(cursor.array()?) {
        let time = Time(i64::from_le_bytes(cursor.array()?));
        seen.marks.push((time, u64::from_le_bytes(cursor.array()?)));
    }
    let count = u64::from_le_bytes(cursor.array()?);
    let room = (count as usize).min(bytes.len() / ENTRY_BYTES);
    seen.entries.reserve(room);
    for _ in 0..count {
        let key = Key(u128::from_le_bytes(cursor.array()?));
        let entry = Entry {
            body: u64::from_le_bytes(cursor.array()?),
            position: u64::from_le_bytes(cursor.array()?),
        };
        seen.entries.insert(key, entry);
    }
    cursor.end()?;
    Ok(seen)
}

/// A key is a hash already: its low half is taken as it is.
#[derive(Clone, Copy, Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = acumen_base::key::hash64(bytes);
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use acumen_base::{EventType, Field, FieldType, Span, Value};

    use super::*;

    fn event(id: &str, amount: i64, known_at: i64) -> Event {
        let field = Field {
            name: "amount".into(),
            kind: FieldType::Int,
            optional: false,
            personal: false,
            signed: false,
        };
        Event {
            kind: Arc::new(EventType {
                name: "order".into(),
                id_field: "order_id".into(),
                time_field: "at".into(),
                lateness: Span::ZERO,
                fields: vec![field],
            }),
            id: id.into(),
            event_time: Time(1),
            known_at: Time(known_at),
            received_at: Time(known_at),
            values: vec![Value::Int(amount)],
        }
    }

    #[test]
    fn the_same_id_with_another_body_is_a_conflict() {
        let mut seen = Seen::new();
        assert_eq!(seen.check(&event("a", 1, 5)), Freshness::New);
        seen.insert(&event("a", 1, 5), 7);
        assert_eq!(seen.check(&event("a", 1, 9)), Freshness::Same(7));
        assert_eq!(seen.check(&event("a", 2, 5)), Freshness::Conflict(7));
        assert_eq!(seen.check(&event("b", 1, 5)), Freshness::New);
    }

    #[test]
    fn what_is_old_is_forgotten_and_nothing_younger() {
        let mut seen = Seen::new();
        // One event every ten seconds, every third one of them known 40 seconds early.
        let known_at = |n: i64| n * 10_000 - 40_000 * i64::from(n % 3 == 0);
        for n in 0..1_000 {
            seen.insert(&event(&n.to_string(), 0, known_at(n)), n as u64);
        }
        let oldest_kept = Time(5_000_000);
        let forgotten = seen.forget_before(oldest_kept);
        assert!((480..=500).contains(&forgotten), "{forgotten}");
        for n in 0..1_000 {
            let there = seen.check(&event(&n.to_string(), 0, 0)) != Freshness::New;
            assert!(there || known_at(n) < oldest_kept.0, "{n}");
        }
        assert_eq!(seen.forget_before(oldest_kept), 0);
    }

    #[test]
    fn it_is_saved_and_loaded_whole() {
        let mut seen = Seen::new();
        for n in 0..500 {
            seen.insert(&event(&n.to_string(), n, n * 9_000), n as u64);
        }
        seen.forget_before(Time(1_000_000));
        let bytes = seen.save();
        let mut loaded = Seen::load(&bytes).unwrap();
        assert_eq!(loaded, seen);
        assert_eq!(loaded.save(), bytes);
        assert_eq!(
            loaded.forget_before(Time(3_000_000)),
            seen.forget_before(Time(3_000_000))
        );
        assert_eq!(loaded, seen);
        for length in 0..bytes.len() {
            assert!(Seen::load(&bytes[..length]).is_err());
        }
    }
}
