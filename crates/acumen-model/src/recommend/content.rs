//! `content`: items like those one knows, by their attributes. It needs no events with an item,
//! so that a new one is found from its first minute.
//!
//! An item is the vector of its words ([`Vocabulary`]). A user is the sum of the vectors of their
//! newest items, each older one less.

use acumen_base::Seed;
use serde::{Deserialize, Serialize};

use super::derived::Derived;
use super::recency::{self, Recency};
use super::scratch::with_zeros;
use super::vocabulary::Vocabulary;
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
    /// Where each item's words begin, and where the last one's end.
    starts: Vec<u32>,
    entries: Vec<(u32, f32)>,
    #[serde(skip)]
    by_word: Derived<ByWord>,
}

/// For each word the items that have it, rising, and how much it tells of each.
#[derive(Clone, Debug)]
struct ByWord {
    starts: Vec<u32>,
    entries: Vec<(u32, f32)>,
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
        let attributes = data.attributes.ok_or(RecommendError::NoAttributes)?;
        let (known, items) = (attributes.n_items(), data.interactions.n_items());
        if known != items {
            return Err(RecommendError::Items {
                attributes: known,
                items,
            });
        }
        Ok(Source::Content(Content::new(attributes, self.recency)))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

impl ByWord {
    fn of(content: &Content) -> ByWord {
        let mut starts = vec![0_u32; content.vocabulary.len() + 1];
        for (word, _) in &content.entries {
            starts[*word as usize + 1] += 1;
        }
        for word in 1..starts.len() {
            starts[word] += starts[word - 1];
        }
        let (mut next, mut entries) = (starts.clone(), vec![(0, 0.0); content.entries.len()]);
        for item in 0..content.n_items() as u32 {
            for (word, tells) in content.line(item) {
                let place = &mut next[*word as usize];
                entries[*place as usize] = (item, *tells);
                *place += 1;
            }
        }
        ByWord { starts, entries }
    }

    fn line(&self, word: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[word] as usize..self.starts[word + 1] as usize]
    }
}

impl Content {
    fn new(attributes: &Attributes, recency: Recency) -> Content {
        let mut content = Content {
            recency,
            vocabulary: Vocabulary::new(attributes, 1),
            starts: vec![0],
            entries: Vec::new(),
            by_word: Derived::default(),
        };
        content.extend(attributes);
        content
    }

    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.starts.len() - 1
    }

    /// Adds items that came after training; words that were not known by then tell nothing.
    pub fn extend(&mut self, attributes: &Attributes) {
        for line in self.vocabulary.lines(attributes) {
            self.entries.extend(line);
            self.starts.push(self.entries.len() as u32);
        }
        self.by_word.forget();
    }

    fn by_word(&self) -> &ByWord {
        self.by_word.get(|| ByWord::of(self))
    }

    /// Makes what scoring all items needs.
    pub(super) fn prepare(&self) {
        self.by_word();
    }

    fn line(&self, item: u32) -> &[(u32, f32)] {
        let (from, to) = (self.starts[item as usize], self.starts[item as usize + 1]);
        &self.entries[from as usize..to as usize]
    }

    /// Works with the words of the items that one knows.
    fn with_profile<R>(&self, history: History<'_>, work: impl FnOnce(&[f32]) -> R) -> R {
        with_zeros(self.vocabulary.len(), |profile| {
            for (_, item, weight) in self.recency.of(history) {
                for (word, tells) in self.line(item) {
                    profile[*word as usize] += weight * tells;
                }
            }
            let done = work(profile);
            for (_, item, _) in self.recency.of(history) {
                self.line(item)
                    .iter()
                    .for_each(|(word, _)| profile[*word as usize] = 0.0);
            }
            done
        })
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let known = self.n_items() as u32;
        self.with_profile(history, |profile| {
            let score = |item: &u32| {
                let words = if *item < known { self.line(*item) } else { &[] };
                let parts = words.iter();
                parts
                    .map(|(word, tells)| tells * profile[*word as usize])
                    .sum()
            };
            items.iter().map(score).collect()
        })
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        let by_word = self.by_word();
        scores.fill(0.0);
        self.with_profile(history, |profile| {
            let told = (0..).zip(profile).filter(|(_, weight)| **weight != 0.0);
            for (word, weight) in told {
                for (item, tells) in by_word.line(word) {
                    scores[*item as usize] += tells * weight;
                }
            }
        });
    }

    /// How alike two items are: the cosine of their words.
    pub fn likeness(&self, a: u32, b: u32) -> f32 {
        let (mut a, mut b) = (self.line(a), self.line(b));
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

    /// Adds how alike an item is to each of some others.
    pub fn likenesses(&self, item: u32, others: impl Iterator<Item = u32>, alike: &mut Vec<f32>) {
        with_zeros(self.vocabulary.len(), |tells| {
            let own = self.line(item);
            own.iter()
                .for_each(|(word, tell)| tells[*word as usize] = *tell);
            alike.extend(others.map(|other| {
                let words = self.line(other).iter();
                words
                    .map(|(word, tell)| tell * tells[*word as usize])
                    .sum::<f32>()
            }));
            own.iter().for_each(|(word, _)| tells[*word as usize] = 0.0);
        });
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
        let rising = self.starts.windows(2).all(|pair| pair[0] <= pair[1]);
        let whole = self.starts.first() == Some(&0)
            && self.starts.last().map(|end| *end as usize) == Some(self.entries.len());
        let words = self.vocabulary.len();
        let known = |&(word, tells): &(u32, f32)| (word as usize) < words && tells.is_finite();
        match rising && whole && self.entries.iter().all(known) {
            true => Ok(()),
            false => Err("the words of the items do not fit each other".to_owned()),
        }
    }
}
