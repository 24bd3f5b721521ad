//! `content`: items like those one knows, by their attributes. It needs no events with an item,
//! so that a new one is found from its first minute.
//!
//! An item is the vector of its words ([`Vocabulary`]). A user is the sum of the vectors of their
//! newest items, each older one less.

use acumen_base::Seed;
use serde::{Deserialize, Serialize};

use super::recency::{self, Recency};
use super::scratch::with_zeros;
use super::vocabulary::Vocabulary;
use super::worded::Worded;
use super::{
    Attributes, CheckedRecommender, History, RecommendData, RecommendError, RecommendLearner,
    Source,
};
use crate::learner::{ParamDoc, ParamProblem, Params, Progress, Reader};

/// Likeness of attributes by the name `content`.
#[derive(Debug)]
pub struct ContentLearner;

const DOCS: &[ParamDoc] = &[recency::last("20"), recency::history_decay("0.85")];

#[derive(Debug, Serialize)]
struct ContentParams {
    #[serde(flatten)]
    recency: Recency,
}

/// The words of items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    recency: Recency,
    vocabulary: Vocabulary,
    items: Worded,
}

impl RecommendLearner for ContentLearner {
    fn name(&self) -> &'static str {
        "content"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["content_based", "tf_idf"]
    }

    fn doc(&self) -> &'static str {
        "Items with attributes like those of the items one touched: brands, categories, words. \
         Finds new items from their first minute."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let recency = Recency::read(&reader, 20, 0.85);
        let read = ContentParams { recency };
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl CheckedRecommender for ContentParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        _: Seed,
        _: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let attributes = data.attributes_of_all()?;
        Ok(Source::Content(Content::new(attributes, self.recency)))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

impl Content {
    fn new(attributes: &Attributes, recency: Recency) -> Content {
        let mut content = Content {
            recency,
            vocabulary: Vocabulary::new(attributes, 1),
            items: Worded::new(),
        };
        content.extend(attributes);
        content
    }

    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.items.n_items()
    }

    /// Adds items that came after training; words that were not known by then tell nothing.
    pub fn extend(&mut self, attributes: &Attributes) {
        self.items.extend(self.vocabulary.lines(attributes));
    }

    /// Makes what scoring all items needs.
    pub(super) fn prepare(&self) {
        self.items.by_word(self.vocabulary.len());
    }

    /// Works with the words of the items that one knows.
    fn with_profile<R>(&self, history: History<'_>, work: impl FnOnce(&[f32]) -> R) -> R {
        with_zeros(self.vocabulary.len(), |profile| {
            for (_, item, weight) in self.recency.of(history) {
                for (word, tells) in self.items.line(item) {
                    profile[*word as usize] += weight * tells;
                }
            }
            let done = work(profile);
            for (_, item, _) in self.recency.of(history) {
                self.items
                    .line(item)
                    .iter()
                    .for_each(|(word, _)| profile[*word as usize] = 0.0);
            }
            done
        })
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        self.with_profile(history, |profile| {
            let score = |item: &u32| self.items.product(*item, profile);
            items.iter().map(score).collect()
        })
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        self.with_profile(history, |profile| self.items.products(profile, scores));
    }

    /// How alike two items are: the cosine of their words.
    pub fn likeness(&self, a: u32, b: u32) -> f32 {
        let (mut a, mut b) = (self.items.line(a), self.items.line(b));
        let mut sum = 0.0;
        while let ([(word, tells), rest @ ..], [(other, theirs), others @ ..]) = (a, b) {
            match word.cmp(other) {
                std::cmp::Ordering::Less => a = rest,
                std::cmp::Ordering::Greater => b = others,
                std::cmp::Ordering::Equal => {
                    sum += tells * theirs;
                    (a, b) = (rest, others);
                }
            }
        }
        sum
    }

    /// Brings some items together that are compared many times.
    pub fn together(&self, items: &[u32]) -> Together {
        let mut together = Together {
            words: self.vocabulary.len(),
            ends: Vec::with_capacity(items.len()),
            entries: Vec::new(),
        };
        for item in items {
            together.entries.extend_from_slice(self.items.line(*item));
            together.ends.push(together.entries.len());
        }
        together
    }

    /// What each event that counts adds to the score of an item, by its place in the history.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> Vec<(usize, f32)> {
        let events = self.recency.of(history);
        events
            .map(|(place, item, weight)| (place, weight * self.likeness(item, of)))
            .collect()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.recency.check()?;
        self.items.check(self.vocabulary.len())
    }
}

/// Some items, side by side.
#[derive(Clone, Debug)]
pub struct Together {
    words: usize,
    ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Together {
    fn line(&self, at: usize) -> &[(u32, f32)] {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[from..self.ends[at]]
    }

    /// Adds how alike one of them is to each of some others: the cosine of their words.
    pub fn likenesses(&self, one: usize, others: &[usize], alike: &mut Vec<f32>) {
        with_zeros(self.words, |tells| {
            let own = self.line(one);
            own.iter()
                .for_each(|(word, tell)| tells[*word as usize] = *tell);
            alike.extend(others.iter().map(|other| {
                let words = self.line(*other).iter();
                words
                    .map(|(word, tell)| tell * tells[*word as usize])
                    .sum::<f32>()
            }));
            own.iter().for_each(|(word, _)| tells[*word as usize] = 0.0);
        });
    }
}
