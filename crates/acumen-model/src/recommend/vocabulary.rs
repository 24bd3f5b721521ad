//! The words that are known of items, and what each tells: TF-IDF,
//! `(1 + ln count) · ln(n / items with it)`, scaled to a length of 1 (Salton and Buckley 1988).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Attributes;

/// The words of a catalogue, by name, with how much each tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vocabulary {
    words: Vec<(Arc<str>, f32)>,
}

impl Vocabulary {
    /// The words that at least so many items have.
    pub fn new(attributes: &Attributes, at_least: u32) -> Vocabulary {
        let items = attributes.n_items();
        let mut with = vec![0_u32; attributes.words().len()];
        for item in 0..items {
            attributes
                .of(item)
                .for_each(|(word, _)| with[word as usize] += 1);
        }
        let tells = |word: u32| (items as f32 / with[word as usize].max(1) as f32).ln();
        let words = attributes.words().iter();
        let kept = words.filter(|(_, word)| with[**word as usize] >= at_least);
        Vocabulary {
            words: kept
                .map(|(name, word)| (Arc::clone(name), tells(*word)))
                .collect(),
        }
    }

    /// How many words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether no word is known.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Each item as numbers of words, rising, with their weights: of length 1, or nothing where no
    /// word of it is known or tells anything.
    pub fn lines(&self, attributes: &Attributes) -> Vec<Vec<(u32, f32)>> {
        let line = |words: Vec<(u32, u32)>| {
            let weighed = words.into_iter().filter_map(|(word, count)| {
                let weight = (1.0 + (count as f32).ln()) * self.words[word as usize].1;
                (weight > 0.0).then_some((word, weight))
            });
            let mut line: Vec<(u32, f32)> = weighed.collect();
            let length = line.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
            line.iter_mut().for_each(|(_, weight)| *weight /= length);
            line
        };
        self.counts(attributes).map(line).collect()
    }

    /// Each item as numbers of words, rising, that weigh the same and add up to 1; nothing where no
    /// word of it is known.
    pub fn shares(&self, attributes: &Attributes) -> Vec<Vec<(u32, f32)>> {
        let share = |words: Vec<(u32, u32)>| {
            let one = 1.0 / words.len() as f32;
            words.into_iter().map(|(word, _)| (word, one)).collect()
        };
        self.counts(attributes).map(share).collect()
    }

    /// Each item as numbers of words, rising, with how often they stand there.
    fn counts<'a>(
        &self,
        attributes: &'a Attributes,
    ) -> impl Iterator<Item = Vec<(u32, u32)>> + use<'a> {
        let place = |name: &Arc<str>| self.words.binary_search_by(|(word, _)| word.cmp(name)).ok();
        let names = attributes.words().iter();
        let mut places = vec![None; attributes.words().len()];
        names.for_each(|(name, number)| places[*number as usize] = place(name));
        (0..attributes.n_items()).map(move |item| {
            let known = attributes
                .of(item)
                .filter_map(|(word, count)| Some((places[word as usize]? as u32, count)));
            let mut words: Vec<(u32, u32)> = known.collect();
            words.sort_unstable_by_key(|&(word, _)| word);
            words
        })
    }
}
