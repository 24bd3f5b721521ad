//! Lists that were shown and whose outcomes are still to come, and what is learnt from them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use acumen_base::{Listing, Span, Time};
use acumen_decision::bandit::{Bandit, BanditError};
use serde::{Deserialize, Serialize};

/// How long an outcome may come after its list.
pub(super) const OPEN_FOR: Span = Span::days(1);
/// Lists that wait for outcomes, at most: the oldest is forgotten.
const OPEN_MAX: usize = 200_000;

/// Lists that wait for outcomes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lists {
    open: HashMap<Arc<str>, Open>,
    order: VecDeque<Arc<str>>,
    told: Told,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    at: Time,
    places: BTreeMap<Arc<str>, Seen>,
}

/// An item of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {
    context: Vec<f32>,
    /// Whether it is known to have been seen, and so is learnt from.
    seen: bool,
}

/// What has been said of lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Lists that were shown.
    pub lists: u64,
    /// Items of them that were seen.
    pub seen: u64,
    /// Items that were said to be seen once more.
    pub seen_again: u64,
    /// Outcomes of items of lists.
    pub outcomes: u64,
    /// What named a list that is not known (any more), or an item that was not in it.
    pub unknown: u64,
}

/// What is said of an item of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) list: &'a Arc<str>,
    pub(crate) item: &'a Arc<str>,
    pub(crate) shown: bool,
    pub(crate) reward: Option<f64>,
}

impl Lists {
    /// Waits for the outcomes of a list; where nobody will say what was seen, all of it was. The
    /// bandit learns from the first so many numbers that are known of an item.
    pub(crate) fn show(
        &mut self,
        (list, width): (&Listing, usize),
        all_seen: bool,
        bandit: Option<&mut Bandit>,
    ) {
        self.told.lists += 1;
        let id: Arc<str> = list.id.as_str().into();
        let places = list.places.iter().map(|place| {
            let seen = Seen {
                context: place.context[..width.min(place.context.len())].to_vec(),
                seen: all_seen,
            };
            (Arc::from(place.item.as_str()), seen)
        });
        let open = Open {
            at: list.at,
            places: places.collect(),
        };
        if let (true, Some(bandit)) = (all_seen, bandit) {
            for seen in open.places.values() {
                self.told.seen += 1;
                let _of_another_width = learn(bandit, &seen.context, 0.0);
            }
        }
        if self.open.insert(Arc::clone(&id), open).is_none() {
            self.order.push_back(id);
        }
        self.forget(list.at);
    }

    /// Takes in what is said of an item of a list.
    pub(crate) fn hear(&mut self, word: Word<'_>, bandit: Option<&mut Bandit>) {
        let open = self.open.get_mut(word.list);
        let Some(seen) = open.and_then(|open| open.places.get_mut(word.item)) else {
            self.told.unknown += 1;
            return;
        };
        match (word.shown, seen.seen) {
            (true, true) => self.told.seen_again += 1,
            (_, false) => self.told.seen += 1,
            (false, true) => {}
        }
        let reward = word.reward.unwrap_or(0.0);
        self.told.outcomes += u64::from(word.reward.is_some());
        if let Some(bandit) = bandit {
            // An outcome of what is known to have been seen is more of the same observation.
            let _of_another_width = match seen.seen {
                false => learn(bandit, &seen.context, reward),
                true => bandit.reward(0, &wide(&seen.context), reward),
            };
        }
        seen.seen = true;
    }

    pub(crate) fn told(&self) -> Told {
        self.told
    }

    fn forget(&mut self, now: Time) {
        while let Some(oldest) = self.order.front() {
            let old = |open: &Open| open.at + OPEN_FOR < now;
            let is_old = self.open.get(oldest).is_none_or(old);
            if !is_old && self.order.len() <= OPEN_MAX {
                break;
            }
            self.open.remove(oldest);
            self.order.pop_front();
        }
    }
}

fn learn(bandit: &mut Bandit, context: &[f32], reward: f64) -> Result<(), BanditError> {
    bandit.learn(0, &wide(context), reward)
}

fn wide(context: &[f32]) -> Vec<f64> {
    context.iter().map(|value| f64::from(*value)).collect()
}
