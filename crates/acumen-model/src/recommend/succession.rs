//! What followed what: events of interest, user after user, and by item.

use super::interactions::Interactions;
use crate::learner::params::doc;
use crate::learner::{ParamDoc, ParamRange};

/// The events of interest, user after user.
pub(super) struct Succession {
    items: Vec<u32>,
    weights: Vec<f32>,
    /// Where the events of the same user end.
    ends: Vec<usize>,
    /// The places of each item's events, and where those of an item begin.
    places: Vec<usize>,
    starts: Vec<usize>,
}

impl Succession {
    pub(super) fn new(interactions: &Interactions) -> Succession {
        let n_items = interactions.n_items();
        let mut events = Succession {
            items: Vec::new(),
            weights: Vec::new(),
            ends: Vec::new(),
            places: Vec::new(),
            starts: vec![0; n_items + 1],
        };
        for user in 0..interactions.n_users() {
            let history = interactions.history(user);
            let all = history.items.iter().zip(history.weights);
            for (item, weight) in all.filter(|(_, weight)| **weight > 0.0) {
                events.items.push(*item);
                events.weights.push(*weight);
                events.starts[*item as usize + 1] += 1;
            }
            events.ends.resize(events.items.len(), events.items.len());
        }
        for item in 0..n_items {
            events.starts[item + 1] += events.starts[item];
        }
        events.places = (0..events.items.len()).collect();
        events.places.sort_by_key(|&place| events.items[place]);
        events
    }

    pub(super) fn n_items(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether nothing tells of interest.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Tells of every other item that followed an item, once for each pair of events, and how much
    /// the pair counts: the product of the weights, times what so many steps count.
    pub(super) fn followers(&self, item: usize, steps: &[f64], mut tell: impl FnMut(u32, f64)) {
        for &place in &self.places[self.starts[item]..self.starts[item + 1]] {
            let weight = f64::from(self.weights[place]);
            let later = place + 1..self.ends[place];
            for (next, step) in later.zip(steps) {
                let other = self.items[next];
                // Whoever looks at an item again says nothing of others.
                if other as usize != item {
                    tell(other, step * weight * f64::from(self.weights[next]));
                }
            }
        }
    }
}

/// What a pair counts for by the steps between its events.
pub(super) fn steps(window: usize, decay: f64) -> Vec<f64> {
    (0..window).map(|step| decay.powi(step as i32)).collect()
}

/// How far apart the events of a pair may be.
pub(super) const fn window(default: &'static str) -> ParamDoc {
    doc(
        "window",
        &[],
        ParamRange::Whole(1, 1_000),
        default,
        "how many events of a user a later one may come after and still count",
    )
}

/// How pairs further apart count less.
pub(super) const fn decay(default: &'static str) -> ParamDoc {
    doc(
        "decay",
        &[],
        ParamRange::Share(0.0, 1.0),
        default,
        "what a pair counts for, as a share of one that is a step nearer",
    )
}
