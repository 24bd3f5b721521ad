//! Entities as dense numbers: a key is looked up once per event, state is then indexed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use acumen_base::{Event, Key, Value};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// A slot that an event has none of: it does not carry the entity's id.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// Stands between the ids of an entity of several fields; no id holds it.
const JOINT: &str = "\u{1f}";

/// The fields that together carry an entity's id: one, or several joined by `+`.
pub fn id_fields(declared: &str) -> impl Iterator<Item = &str> {
    declared.split('+').map(str::trim)
}

/// The id of an entity that an event carries in the declared fields, as
/// [`read_entity`](crate::Pipeline::read_entity) takes it: of several fields, the ids with U+001F
/// between them. None where the event lacks one of them.
pub fn entity_id(event: &Event, declared: &str) -> Option<String> {
    let mut id = String::new();
    let fields = id_fields(declared).map(|field| event.value(field));
    join(fields, |part| id.push_str(part)).then_some(id)
}

/// Where an event type keeps the id of an entity.
pub(crate) type IdPlaces = SmallVec<[usize; 2]>;

/// The key of an entity by the places of its id.
pub(crate) fn key_at(event: &Event, places: &[usize]) -> Option<Key> {
    let value = |place: &usize| event.values.get(*place).unwrap_or(&Value::Missing);
    match places {
        [one] => value(one).as_text().map(Key::of),
        several => {
            let mut id = SmallVec::<[u8; 64]>::new();
            let whole = join(several.iter().map(value), |part| {
                id.extend_from_slice(part.as_bytes());
            });
            whole.then(|| Key::of_bytes(&id))
        }
    }
}

/// The id behind the key of an entity, by its places.
pub(crate) fn id_at(event: &Event, places: &[usize]) -> Option<String> {
    let mut id = String::new();
    let values = places
        .iter()
        .map(|place| event.values.get(*place).unwrap_or(&Value::Missing));
    join(values, |part| id.push_str(part)).then_some(id)
}

/// Gives the parts of an id one after the other; whether all of them are there.
fn join<'a>(ids: impl Iterator<Item = &'a Value>, mut push: impl FnMut(&str)) -> bool {
    for (number, id) in ids.enumerate() {
        if number > 0 {
            push(JOINT);
        }
        let Some(id) = id.as_text() else {
            return false;
        };
        push(id);
    }
    true
}

/// A hasher for keys that are hashes already: it takes their low bits.
#[derive(Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
    fn write_u128(&mut self, value: u128) {
        self.0 = (value >> 64) as u64 ^ value as u64;
    }
}

/// A map whose keys are hashes.
pub(crate) type HashedMap<K, V> = HashMap<K, V, BuildHasherDefault<Hashed>>;

/// The keys of an entity that were carried by events of some types, in the order in which they
/// were first seen there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u32>", into = "Vec<u32>")]
pub(crate) struct Seen {
    order: Vec<u32>,
    /// By slot.
    is_in: Vec<bool>,
}

impl Seen {
    /// Notes that an event carries the key of a slot.
    pub(crate) fn note(&mut self, slot: u32) {
        let at = slot as usize;
        if slot == NO_SLOT || self.contains(slot) {
            return;
        }
        if at >= self.is_in.len() {
            self.is_in.resize(at + 1, false);
        }
        self.is_in[at] = true;
        self.order.push(slot);
    }

    /// Whether an event has carried it.
    pub(crate) fn contains(&self, slot: u32) -> bool {
        self.is_in.get(slot as usize).is_some_and(|is_in| *is_in)
    }

    /// The slots in order.
    pub(crate) fn slots(&self) -> &[u32] {
        &self.order
    }
}

impl From<Vec<u32>> for Seen {
    fn from(order: Vec<u32>) -> Seen {
        let mut seen = Seen::default();
        order.into_iter().for_each(|slot| seen.note(slot));
        seen
    }
}

impl From<Seen> for Vec<u32> {
    fn from(seen: Seen) -> Vec<u32> {
        seen.order
    }
}

/// The keys of one entity, in the order in which they were first seen.
#[derive(Default)]
pub(crate) struct EntityIndex {
    slots: HashedMap<Key, u32>,
    keys: Vec<Key>,
    /// The ids behind the keys, where they are kept.
    ids: Option<Vec<Arc<str>>>,
}

impl EntityIndex {
    /// The slot of a key, a new one for a new key.
    pub(crate) fn slot(&mut self, key: Key) -> u32 {
        let next = self.keys.len() as u32;
        let slot = *self.slots.entry(key).or_insert(next);
        if slot == next {
            self.keys.push(key);
        }
        slot
    }

    /// The slot of a key that was seen before.
    pub(crate) fn find(&self, key: Key) -> Option<u32> {
        self.slots.get(&key).copied()
    }

    /// All keys by slot.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// An index that keeps the ids of its keys, or one that does not.
    pub(crate) fn keeping_ids(keeps: bool) -> EntityIndex {
        EntityIndex {
            ids: keeps.then(Vec::new),
            ..EntityIndex::default()
        }
    }

    /// Notes the id of the key that came last, where ids are kept and it is new.
    pub(crate) fn name(&mut self, id: impl FnOnce() -> Option<String>) {
        if let Some(ids) = self.ids.as_mut().filter(|ids| ids.len() < self.keys.len()) {
            ids.push(id().unwrap_or_default().into());
        }
    }

    /// The ids by slot, where they are kept.
    pub(crate) fn ids(&self) -> Option<&[Arc<str>]> {
        self.ids.as_deref()
    }

    /// Takes over the keys of another index; gives the slots that they have here.
    pub(crate) fn unite(&mut self, other: &EntityIndex) -> Vec<u32> {
        let slot = |(there, key): (usize, &Key)| {
            let slot = self.slot(*key);
            self.name(|| Some(other.ids.as_ref()?.get(there)?.to_string()));
            slot
        };
        other.keys.iter().enumerate().map(slot).collect()
    }

    /// An index with these keys in this order, and their ids where they are kept.
    pub(crate) fn of(keys: Vec<Key>, ids: Option<Vec<Arc<str>>>) -> EntityIndex {
        let slots = keys.iter().copied().zip(0..).collect();
        EntityIndex { slots, keys, ids }
    }
}
