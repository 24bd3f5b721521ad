//! What some users did last, held out to judge a network after each epoch by what serves.

use acumen_model::metrics::ranking::{RankingMetrics, place_among};
use acumen_model::recommend::{History, Proposal, Source};
use rayon::prelude::*;

use super::windows::Sequence;

/// One user of so many is judged on, as long as these are not too many.
const ONE_OF: usize = 10;
/// How many users are judged on at most.
const USERS_MAX: usize = 1_000;
/// How many items the one that came next is looked for among.
const AMONG_MAX: usize = 1_000;
/// The fewest events of a user who is judged on: two are left to learn from.
const EVENTS_MIN: usize = 3;

/// Histories, and what came next.
pub(crate) struct HeldOut {
    users: Vec<(Vec<u32>, Vec<f32>, u32)>,
    /// Items evenly apart.
    among: Vec<u32>,
}

impl HeldOut {
    /// Takes the last event of some users away; of too few users that is nobody.
    pub(crate) fn take(sequences: &mut [Sequence], n_items: usize) -> HeldOut {
        let long = |events: &&mut Sequence| events.len() >= EVENTS_MIN;
        let mut long: Vec<&mut Sequence> = sequences.iter_mut().filter(long).collect();
        let apart = ONE_OF.max(long.len().div_ceil(USERS_MAX));
        let chosen = long.iter_mut().skip(apart - 1).step_by(apart);
        let users = chosen.filter_map(|events| {
            let (wanted, _) = events.pop()?;
            let (items, weights) = events.iter().copied().unzip();
            Some((items, weights, wanted))
        });
        let every = n_items.div_ceil(AMONG_MAX).max(1);
        HeldOut {
            users: users.collect(),
            among: (0..n_items as u32).step_by(every).collect(),
        }
    }

    /// The mean gain (NDCG over the whole list) of what came next among items that the user has
    /// not touched; `None` where nobody is judged on.
    pub(crate) fn gain(&self, source: &Source) -> Option<f64> {
        let plain = Proposal {
            items: Vec::new(),
            mean: 0.0,
            deviation: 1.0,
        };
        let place = |(items, weights, wanted): &(Vec<u32>, Vec<f32>, u32)| {
            let untouched = self.among.iter().copied();
            let untouched = untouched.filter(|item| item != wanted && !items.contains(item));
            let asked: Vec<u32> = std::iter::once(*wanted).chain(untouched).collect();
            let scores = source.score_some(History { items, weights }, &asked, &plain);
            Some(place_among(scores[0], scores[1..].iter().copied()))
        };
        let places: Vec<Option<f64>> = self.users.par_iter().map(place).collect();
        let found = RankingMetrics::at(self.among.len() + 1, &places);
        (!places.is_empty()).then_some(found.ndcg)
    }
}
