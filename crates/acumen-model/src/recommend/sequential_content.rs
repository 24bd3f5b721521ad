//! `sequential_content`: what users did after an item, counted by what items are like, so that a new
//! one is put forward from its first minute.
//!
//! Pairs of events are those of `sequential_cooccurrence`. Of each, every word `w` of the earlier
//! item is followed by every word `u` of the later one. How much more often than by chance that
//! happens is the pointwise mutual information (Church and Hanks 1990) with a prior of `a` pairs by
//! chance,
//!
//! ```text
//! m(w, u) = ln( (n(w, u) + a p(u)) / ((n(w) + a) p(u)) )
//! ```
//!
//! and an item says of another the mean of `m` over all pairs of their words: naive Bayes, with words
//! that always come together not counted as if they were many. What goes with what is learnt: that a
//! case follows a phone, and that the kind of a product tells more than its colour. The part of `m`
//! that is the same for all `u` changes no order, and is left out, so that pairs that were never seen
//! need no room.

use acumen_base::Seed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::recency::{self, Recency};
use super::scratch::with_zeros;
use super::succession::{self, Succession, steps};
use super::vocabulary::Vocabulary;
use super::worded::Worded;
use super::{
    Attributes, CheckedRecommender, History, RecommendData, RecommendError, RecommendLearner,
    Source,
};
use crate::learner::params::doc;
use crate::learner::threads::threads;
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};

/// What follows what by attributes, by the name `sequential_content`.
#[derive(Debug)]
pub struct SequentialContentLearner;

const DOCS: &[ParamDoc] = &[
    succession::window("3"),
    succession::decay("0.7"),
    doc(
        "smoothing",
        &["prior"],
        ParamRange::Open(0.0, f64::INFINITY),
        "20",
        "so many pairs of events by chance stand beside those that were seen: rare words tell less",
    ),
    recency::last("10"),
    recency::history_decay("0.7"),
    doc(
        "n_threads",
        &["n_jobs"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

#[derive(Debug, Serialize)]
struct SequentialContentParams {
    window: usize,
    decay: f64,
    smoothing: f64,
    #[serde(flatten)]
    recency: Recency,
    n_threads: usize,
}

/// What words say of the words that follow them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequentialContent {
    recency: Recency,
    vocabulary: Vocabulary,
    /// For each word what it says of others, in rising order.
    follows: Vec<Vec<(u32, f32)>>,
    items: Worded,
}

impl RecommendLearner for SequentialContentLearner {
    fn name(&self) -> &'static str {
        "sequential_content"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["attribute_transitions"]
    }

    fn doc(&self) -> &'static str {
        "What users did next after an item, by brands, categories and words: learns which attributes \
         go together and which tell most, and finds new items from their first minute."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = SequentialContentParams {
            window: reader.whole("window", 3),
            decay: reader.number("decay", 0.7),
            smoothing: reader.number("smoothing", 20.0),
            recency: Recency::read(&reader, 10, 0.7),
            n_threads: reader.whole("n_threads", 0),
        };
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl CheckedRecommender for SequentialContentParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        _: Seed,
        _: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let attributes = data.attributes_of_all()?;
        let events = Succession::new(data.interactions);
        if events.is_empty() {
            return Err(RecommendError::NoInterest);
        }
        let vocabulary = Vocabulary::new(attributes, 1);
        let mut items = Worded::new();
        items.extend(vocabulary.shares(attributes));
        let counted = threads(self.n_threads)?.install(|| self.count(&events, &items, &vocabulary));
        Ok(Source::SequentialContent(SequentialContent {
            recency: self.recency,
            follows: self.tells(counted),
            vocabulary,
            items,
        }))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

/// What followed the items with one word: how many pairs, and for each word of the later items how
/// many.
type Counted = (f64, Vec<(u32, f64)>);

impl SequentialContentParams {
    fn count(&self, events: &Succession, items: &Worded, vocabulary: &Vocabulary) -> Vec<Counted> {
        let steps = steps(self.window, self.decay);
        let with = items.by_word(vocabulary.len()).par_iter();
        let count = |sums: &mut Vec<f64>, with: &Vec<(u32, f32)>| {
            let (mut pairs, mut touched) = (0.0, Vec::new());
            for (item, _) in with {
                events.followers(*item as usize, &steps, |other, counts| {
                    pairs += counts;
                    for (word, _) in items.line(other) {
                        let sum = &mut sums[*word as usize];
                        if *sum == 0.0 {
                            touched.push(*word);
                        }
                        *sum += counts;
                    }
                });
            }
            touched.sort_unstable();
            let taken = touched.into_iter();
            let take = |word| (word, std::mem::take(&mut sums[word as usize]));
            (pairs, taken.map(take).collect())
        };
        with.map_init(|| vec![0.0; vocabulary.len()], count)
            .collect()
    }

    /// What each word says of others: `m` but for what is the same for all.
    fn tells(&self, counted: Vec<Counted>) -> Vec<Vec<(u32, f32)>> {
        let all: f64 = counted.iter().map(|(pairs, _)| pairs).sum();
        let mut followed = vec![0.0; counted.len()];
        for (word, count) in counted.iter().flat_map(|(_, counts)| counts) {
            followed[*word as usize] += count;
        }
        let tell = |(word, count): (u32, f64)| {
            let by_chance = self.smoothing * followed[word as usize] / all;
            (word, (count / by_chance).ln_1p() as f32)
        };
        let lines = counted.into_iter();
        lines
            .map(|(_, counts)| counts.into_iter().map(tell).collect())
            .collect()
    }
}

impl SequentialContent {
    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.items.n_items()
    }

    /// Adds items that came after training; words that were not known by then tell nothing.
    pub fn extend(&mut self, attributes: &Attributes) {
        self.items.extend(self.vocabulary.shares(attributes));
    }

    /// Makes what scoring all items needs.
    pub(super) fn prepare(&self) {
        self.items.by_word(self.vocabulary.len());
    }

    /// Works with what some items say of words, each by a weight.
    fn with_profile<R>(
        &self,
        events: impl Iterator<Item = (u32, f32)>,
        work: impl FnOnce(&[f32]) -> R,
    ) -> R {
        with_zeros(self.vocabulary.len(), |profile| {
            for (item, weight) in events {
                for (word, share) in self.items.line(item) {
                    for (other, tells) in &self.follows[*word as usize] {
                        profile[*other as usize] += weight * share * tells;
                    }
                }
            }
            let done = work(profile);
            profile.fill(0.0);
            done
        })
    }

    fn with_past<R>(&self, history: History<'_>, work: impl FnOnce(&[f32]) -> R) -> R {
        let events = self.recency.of(history);
        self.with_profile(events.map(|(_, item, weight)| (item, weight)), work)
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        self.with_past(history, |profile| {
            let score = |item: &u32| self.items.product(*item, profile);
            items.iter().map(score).collect()
        })
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        self.with_past(history, |profile| self.items.products(profile, scores));
    }

    /// What each event that counts adds to the score of an item, by its place in the history.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> Vec<(usize, f32)> {
        let added = |(place, item, weight): (usize, u32, f32)| {
            let one = std::iter::once((item, weight));
            let added = self.with_profile(one, |profile| self.items.product(of, profile));
            (place, added)
        };
        self.recency.of(history).map(added).collect()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.recency.check()?;
        let words = self.vocabulary.len();
        let known = |&(word, tells): &(u32, f32)| (word as usize) < words && tells.is_finite();
        match self.follows.len() == words && self.follows.iter().flatten().all(known) {
            true => self.items.check(words),
            false => Err("what words say of others does not fit the words".to_owned()),
        }
    }
}
