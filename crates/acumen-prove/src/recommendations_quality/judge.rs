//! Where the item that came next stands, by a blend of sources.

use acumen_base::Seed;
use acumen_base::random::Stream;
use acumen_model::metrics::ranking::{PlaceOfWanted, RankingMetrics, place_among};
use acumen_model::recommend::candidates::standardise;
use acumen_model::recommend::{History, Interactions, Source};
use rayon::prelude::*;

/// How long lists are.
pub(super) const LIST: usize = 10;
/// Negatives of the protocol that samples them.
const NEGATIVES: usize = 100;

/// Histories, and what came next.
pub(super) struct Cut {
    pub(super) histories: Interactions,
    pub(super) wanted: Vec<u32>,
}

/// NDCG and hit rate at 10.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) ndcg: f64,
    pub(super) hit_rate: f64,
}

impl Figures {
    pub(super) fn of(places: &[PlaceOfWanted]) -> Figures {
        let found = RankingMetrics::at(LIST, places);
        Figures {
            ndcg: found.ndcg,
            hit_rate: found.hit_rate,
        }
    }

    pub(super) fn pair(&self) -> [f64; 2] {
        [self.ndcg, self.hit_rate]
    }
}

impl Cut {
    /// The `last`-but-one event of each user is what came next, counted from 1 for the last.
    pub(super) fn new(events: &Interactions, last: usize) -> Cut {
        let wanted = |user| {
            let items = events.history(user).items;
            items[items.len() - last]
        };
        Cut {
            wanted: (0..events.n_users()).map(wanted).collect(),
            histories: events.without_last(last),
        }
    }

    /// About so many users, evenly apart.
    pub(super) fn some(&self, count: usize) -> Vec<usize> {
        let all = self.wanted.len();
        (0..all).step_by(all.div_ceil(count).max(1)).collect()
    }

    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.wanted.len()).collect()
    }

    /// Which items a user has not touched.
    pub(super) fn untouched(&self, user: usize) -> Vec<bool> {
        let mut untouched = vec![true; self.histories.n_items()];
        let touched = self.histories.history(user).items.iter();
        touched.for_each(|item| untouched[*item as usize] = false);
        untouched
    }

    /// The blended scores of all items for a user.
    pub(super) fn scores(&self, blend: &[(&Source, f32)], user: usize) -> Vec<f32> {
        let mut sums = vec![0.0; self.histories.n_items()];
        let mut scores = vec![0.0; self.histories.n_items()];
        for (source, weight) in blend.iter().filter(|(_, weight)| *weight != 0.0) {
            source.score(self.histories.history(user), &mut scores);
            standardise(&mut scores);
            sums.iter_mut()
                .zip(&scores)
                .for_each(|(sum, score)| *sum += weight * score);
        }
        sums
    }

    /// The places of what came next among all items that the user has not touched.
    pub(super) fn places(&self, blend: &[(&Source, f32)], users: &[usize]) -> Vec<PlaceOfWanted> {
        let place = |user: &usize| {
            let wanted = self.wanted[*user] as usize;
            let mut may = self.untouched(*user);
            let scores = self.scores(blend, *user);
            may[wanted] = false;
            let others = scores.iter().zip(&may).filter(|(_, may)| **may);
            Some(place_among(scores[wanted], others.map(|(score, _)| *score)))
        };
        users.par_iter().map(place).collect()
    }

    /// The places among 100 items by chance that the user has not touched.
    pub(super) fn sampled(&self, blend: &[(&Source, f32)], seed: Seed) -> Vec<PlaceOfWanted> {
        let place = |user: usize| {
            let wanted = self.wanted[user] as usize;
            let may = self.untouched(user);
            let scores = self.scores(blend, user);
            let mut draws = Stream::new(seed.derive(&format!("negatives {user}")));
            let drawn = std::iter::repeat_with(|| draws.below(may.len()));
            let drawn = drawn
                .filter(|item| may[*item] && *item != wanted)
                .take(NEGATIVES);
            Some(place_among(scores[wanted], drawn.map(|item| scores[item])))
        };
        (0..self.wanted.len()).into_par_iter().map(place).collect()
    }

    pub(super) fn history(&self, user: usize) -> History<'_> {
        self.histories.history(user)
    }
}
