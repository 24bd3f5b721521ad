//! What visitors did last, as requests read it: written by the sequencer alone.

use std::collections::HashMap;

use acumen_base::{Key, Time};
use serde::{Deserialize, Serialize};

use super::moment::Words;
use super::parts::Parts;
use crate::spec::Outcome;

/// Items that a visitor hid or has, at most: the oldest are forgotten.
const AWAY_MAX: usize = 1_000;

/// Everybody's past.
#[derive(Debug)]
pub(crate) struct Visitors {
    parts: Parts<HashMap<Key, Visitor>>,
    remember: usize,
}

/// One visitor's past.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Visitor {
    /// How many events there were: what was made of fewer is stale.
    version: u32,
    /// The newest events that tell something, the oldest first.
    events: Vec<Did>,
    hidden: Vec<u32>,
    had: Vec<u32>,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Did {
    item: u32,
    weight: f32,
    at: Time,
}

/// The past of whoever asks: what they did under their name and in this visit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Past {
    /// Changes with every event.
    pub(crate) version: u64,
    pub(crate) items: Vec<u32>,
    pub(crate) weights: Vec<f32>,
    pub(crate) times: Vec<Time>,
    /// Items that they do not want to see, rising.
    pub(crate) hidden: Vec<u32>,
    /// Items that they have, rising.
    pub(crate) had: Vec<u32>,
    /// Items that they were shown lately, rising, each as often as it was.
    pub(crate) seen: Vec<u32>,
    /// What is said of the moment of the request.
    pub(crate) said: Words,
}

impl Visitors {
    pub(crate) fn new(remember: usize) -> Visitors {
        Visitors {
            parts: Parts::default(),
            remember,
        }
    }

    /// Takes in what somebody did with an item.
    pub(crate) fn did(
        &self,
        who: Key,
        (item, weight, at): (u32, f32, Time),
        outcome: Option<Outcome>,
    ) {
        let mut part = self.parts.write(who);
        let visitor = part.entry(who).or_default();
        visitor.version = visitor.version.wrapping_add(1);
        if weight != 0.0 {
            visitor.remember(Did { item, weight, at }, self.remember);
        }
        let away = match outcome {
            Some(Outcome::Hidden) => &mut visitor.hidden,
            Some(Outcome::Had) => &mut visitor.had,
            None => return,
        };
        if !away.contains(&item) {
            away.push(item);
            if away.len() > AWAY_MAX {
                away.remove(0);
            }
        }
    }

    /// The past of somebody, who may be known by name, by their visit, or by both.
    pub(crate) fn past(&self, who: &[Key]) -> Past {
        let mut past = Past::default();
        let mut events: Vec<Did> = Vec::with_capacity(self.remember);
        for key in who {
            if let Some(visitor) = self.parts.read(*key).get(key) {
                past.version = past.version.wrapping_mul(0x1_0001) + u64::from(visitor.version);
                events.extend(&visitor.events);
                past.hidden.extend(&visitor.hidden);
                past.had.extend(&visitor.had);
            }
        }
        // Stable: of one instant, the order in which they came.
        events.sort_by_key(|did| did.at);
        let newest = events.len().saturating_sub(self.remember);
        past.items = events[newest..].iter().map(|did| did.item).collect();
        past.weights = events[newest..].iter().map(|did| did.weight).collect();
        past.times = events[newest..].iter().map(|did| did.at).collect();
        for away in [&mut past.hidden, &mut past.had] {
            away.sort_unstable();
            away.dedup();
        }
        past
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.parts.each().map(|part| part.len()).sum()
    }

    /// What a snapshot keeps, in the order of the keys.
    pub(crate) fn save(&self) -> Vec<(Key, Visitor)> {
        let mut all = Vec::with_capacity(self.len());
        for part in self.parts.each() {
            all.extend(part.iter().map(|(key, visitor)| (*key, visitor.clone())));
        }
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }

    /// From a snapshot.
    pub(crate) fn load(&self, saved: Vec<(Key, Visitor)>) {
        for (key, visitor) in saved {
            self.parts.write(key).insert(key, visitor);
        }
    }
}

impl Visitor {
    /// Puts an event where it belongs in time: events may come late.
    fn remember(&mut self, did: Did, most: usize) {
        let place = self.events.partition_point(|known| known.at <= did.at);
        self.events.insert(place, did);
        if self.events.len() > most {
            self.events.remove(0);
        }
    }
}

impl Past {
    /// How often they were shown an item lately.
    pub(crate) fn times_seen(&self, item: u32) -> usize {
        let from = self.seen.partition_point(|seen| *seen < item);
        let same = self.seen[from..].iter().take_while(|seen| **seen == item);
        same.count()
    }

    /// Adds what a request tells of, after everything else.
    pub(crate) fn and_then(&mut self, item: u32, weight: f32, at: Time) {
        self.items.push(item);
        self.weights.push(weight);
        self.times.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasts_are_merged_in_time_and_bounded() {
        let visitors = Visitors::new(3);
        let (name, visit) = (Key::of("c1"), Key::of("s1"));
        visitors.did(visit, (7, 1.0, Time(10)), None);
        visitors.did(name, (8, 1.0, Time(5)), None);
        let before = visitors.past(&[name, visit]);
        assert_eq!(before.items, [8, 7]);
        visitors.did(name, (9, 2.0, Time(20)), Some(Outcome::Had));
        visitors.did(name, (6, 1.0, Time(1)), Some(Outcome::Hidden));
        let past = visitors.past(&[name, visit]);
        assert_eq!(past.items, [8, 7, 9], "the oldest goes first");
        assert_eq!(past.times, [5, 10, 20].map(Time));
        assert_eq!((past.had, past.hidden), (vec![9], vec![6]));
        assert_ne!(past.version, before.version);
        assert_eq!(visitors.past(&[Key::of("c2")]), Past::default());
        let again = Visitors::new(3);
        again.load(visitors.save());
        assert_eq!(again.past(&[name, visit]), visitors.past(&[name, visit]));
        assert_eq!(again.len(), 2);
    }
}
