//! What visitors were shown lately, so that lists do not tire: written by the sequencer alone, read
//! by requests.

use std::collections::HashMap;

use acumen_base::{Key, Span, Time};
use serde::{Deserialize, Serialize};

use super::parts::Parts;

/// What is remembered of a visitor, at most: the oldest is forgotten.
const SIGHTS_MAX: usize = 200;
/// A part of so many visitors is not worth looking through for those that are long gone.
const FEW: usize = 1_000;

/// What everybody was shown.
#[derive(Debug)]
pub(crate) struct Sights {
    within: Span,
    parts: Parts<Part>,
}

#[derive(Debug, Default)]
struct Part {
    of: HashMap<Key, Vec<Sight>>,
    /// How many visitors were left when those that are long gone were last forgotten.
    left: usize,
}

/// An item that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sight {
    item: u32,
    at: Time,
}

/// What a snapshot keeps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedSights(Vec<(Key, Vec<Sight>)>);

impl Sights {
    /// What is shown is remembered for so long.
    pub(crate) fn new(within: Span) -> Sights {
        Sights {
            within,
            parts: Parts::default(),
        }
    }

    /// Somebody was shown an item.
    pub(crate) fn saw(&self, who: Key, item: u32, at: Time) {
        let mut part = self.parts.write(who);
        if part.of.len() > FEW + 2 * part.left {
            let gone = |sights: &Vec<Sight>| sights.iter().all(|old| old.at + self.within < at);
            part.of.retain(|_, sights| !gone(sights));
            part.left = part.of.len();
        }
        let sights = part.of.entry(who).or_default();
        sights.retain(|old| old.at + self.within >= at);
        if sights.len() == SIGHTS_MAX {
            sights.remove(0);
        }
        sights.push(Sight { item, at });
    }

    /// The items that somebody was shown lately, rising, each as often as it was; they may be known
    /// by name, by their visit, or by both.
    pub(crate) fn of(&self, who: &[Key], now: Time) -> Vec<u32> {
        let mut items = Vec::new();
        for key in who {
            if let Some(sights) = self.parts.read(*key).of.get(key) {
                let lately = sights.iter().filter(|sight| sight.at + self.within >= now);
                items.extend(lately.map(|sight| sight.item));
            }
        }
        items.sort_unstable();
        items
    }

    /// What a snapshot keeps, in the order of the keys.
    pub(crate) fn save(&self) -> SavedSights {
        let mut all = Vec::new();
        for part in self.parts.each() {
            all.extend(part.of.iter().map(|(key, sights)| (*key, sights.clone())));
        }
        all.sort_unstable_by_key(|(key, _)| *key);
        SavedSights(all)
    }

    /// From a snapshot.
    pub(crate) fn load(&self, saved: SavedSights) {
        for (key, sights) in saved.0 {
            self.parts.write(key).of.insert(key, sights);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_counted_while_it_is_recent() {
        let sights = Sights::new(Span(100));
        let (name, visit) = (Key::of("c1"), Key::of("s1"));
        sights.saw(name, 7, Time(10));
        sights.saw(visit, 7, Time(50));
        sights.saw(name, 3, Time(60));
        assert_eq!(sights.of(&[name, visit], Time(60)), [3, 7, 7]);
        assert_eq!(sights.of(&[name, visit], Time(111)), [3, 7]);
        assert!(sights.of(&[Key::of("c2")], Time(60)).is_empty());
        let again = Sights::new(Span(100));
        again.load(sights.save());
        assert_eq!(again.of(&[name, visit], Time(60)), [3, 7, 7]);
    }

    #[test]
    fn the_memory_is_bounded() {
        let sights = Sights::new(Span(100));
        let who = Key::of("c1");
        for item in 0..300 {
            sights.saw(who, item, Time(1));
        }
        let kept = sights.of(&[who], Time(1));
        assert_eq!((kept.len(), kept[0]), (SIGHTS_MAX, 100));
        // Whoever is long gone is forgotten as others come.
        for number in 0..100_000 {
            sights.saw(Key::of(&format!("v{number}")), 1, Time(10 * number));
        }
        let parts = sights.parts.each().count();
        assert!(sights.save().0.len() <= parts * (FEW + 1));
    }
}
