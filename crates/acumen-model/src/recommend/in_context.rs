//! What is popular at such a moment: for each word that events say of the moment in one respect
//! (the weather, the device) what those took that said it, so that somebody of whom nothing else is
//! known is not shown the same as everybody.
//!
//! Few events say most words, so each is held to what is popular at all: an item's share of a word
//! is `(w + k·p) / (W + k)`, with `w` of the word's weight `W`, the item's share `p` of all events,
//! and `k` the weight of [`PRIOR`] events (the mean of a Dirichlet posterior).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Source;
use super::popular::Popular;
use super::segments::Segments;

/// Words that are told apart, at most: those of the most weight.
const WORDS_MAX: usize = 64;
/// Events that what is popular at all counts for, beside those of a word.
const PRIOR: f64 = 100.0;

/// What many touched, by what is said of the moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InContext {
    /// In which respect.
    by: String,
    /// What is popular at all: for moments of which nothing is said, or a word that few said.
    anywhere: Box<Source>,
    /// By word, rising.
    words: Vec<(String, Source)>,
}

/// The weights of items, at all and of those that said a word.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Events.
    pub(super) events: usize,
    pub(super) words: BTreeMap<Arc<str>, BTreeMap<u32, f64>>,
}

impl InContext {
    /// From what is popular at all, by weight and as a source, and what was counted.
    pub(super) fn new(by: &str, weights: &[f64], anywhere: Source, counted: Counted) -> InContext {
        let interest = |weight: &f64| weight.max(0.0);
        let all: f64 = weights.iter().map(interest).sum();
        let prior = PRIOR * all / counted.events.max(1) as f64;
        let of = |word: &BTreeMap<u32, f64>| word.values().map(interest).sum::<f64>();
        let mut words: Vec<(Arc<str>, BTreeMap<u32, f64>)> = counted.words.into_iter().collect();
        // Stable: of equal ones the first word comes first.
        words.sort_by(|a, b| of(&b.1).total_cmp(&of(&a.1)));
        words.truncate(WORDS_MAX);
        words.sort_by(|a, b| a.0.cmp(&b.0));
        let source = |(word, items): (Arc<str>, BTreeMap<u32, f64>)| {
            let whole = of(&items) + prior;
            let score = |(item, weight): (u32, &f64)| {
                let own = items.get(&item).map_or(0.0, interest);
                let expected = (own * all + prior * interest(weight)) / whole;
                expected.ln_1p() as f32
            };
            let scores = (0..).zip(weights).map(score).collect();
            let popular = Popular::new(scores, Segments::default());
            (word.to_string(), Source::Popular(popular))
        };
        InContext {
            by: by.to_owned(),
            anywhere: Box::new(anywhere),
            words: words.into_iter().map(source).collect(),
        }
    }

    /// What is popular at all.
    pub(super) fn anywhere(&self) -> &Source {
        &self.anywhere
    }

    /// What of a moment it goes by, if anything that it knows was said.
    pub(super) fn of<'a>(
        &self,
        said: &'a [(Arc<str>, Arc<str>)],
    ) -> Option<&'a (Arc<str>, Arc<str>)> {
        let said = said.iter().find(|(name, _)| **name == *self.by)?;
        self.place(&said.1).map(|_| said)
    }

    /// What is popular at a moment.
    pub(super) fn at(&self, said: &[(Arc<str>, Arc<str>)]) -> &Source {
        let place = self.of(said).and_then(|(_, word)| self.place(word));
        place.map_or(&self.anywhere, |place| &self.words[place].1)
    }

    fn place(&self, word: &str) -> Option<usize> {
        let by_word = |(known, _): &(String, Source)| known.as_str().cmp(word);
        self.words.binary_search_by(by_word).ok()
    }

    /// Makes what proposals need.
    pub(super) fn prepare(&self) {
        let words = self.words.iter().map(|(_, source)| source);
        std::iter::once(&*self.anywhere)
            .chain(words)
            .for_each(Source::prepare);
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let rising = self.words.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let words = self.words.iter().map(|(_, source)| source);
        let items = self.anywhere.n_items();
        for source in std::iter::once(&*self.anywhere).chain(words) {
            match source {
                Source::Popular(popular) if popular.n_items() == items => popular.check()?,
                _ => return Err("its words are not of the same items".to_owned()),
            }
        }
        match rising {
            true => Ok(()),
            false => Err("its words do not rise".to_owned()),
        }
    }
}
