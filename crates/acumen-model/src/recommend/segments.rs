//! Segments of people: by the word of one attribute that weighs most in what they did last, such
//! as the category in which they have looked around.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attributes, History};

/// The newest events that say in which segment somebody is.
const LAST: usize = 10;

/// Which segment items speak for, and what is popular in each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Segments {
    /// For each item, the segments that it speaks for.
    of_items: Vec<Vec<u32>>,
    /// For each segment, its items in rising order, with how popular they are there.
    popular: Vec<Vec<(u32, f32)>>,
}

impl Segments {
    /// By the words of an attribute; nothing is popular anywhere yet. `None` where no item has
    /// the attribute.
    pub(super) fn by(attribute: &str, attributes: &Attributes) -> Option<Segments> {
        let fields = [format!("{attribute}="), format!("{attribute}:")];
        let is_of = |word: &str| fields.iter().any(|field| word.starts_with(field));
        let words = attributes.words().iter().filter(|(word, _)| is_of(word));
        let numbers: BTreeMap<u32, u32> = words.map(|(_, word)| *word).zip(0..).collect();
        let of_item = |item: usize| {
            let words = attributes.of(item);
            words
                .filter_map(|(word, _)| numbers.get(&word).copied())
                .collect()
        };
        (!numbers.is_empty()).then(|| Segments {
            of_items: (0..attributes.n_items()).map(of_item).collect(),
            popular: vec![Vec::new(); numbers.len()],
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.popular.len()
    }

    /// Says what is popular in each segment.
    pub(super) fn fill(&mut self, popular: Vec<Vec<(u32, f32)>>) {
        self.popular = popular;
    }

    /// The segment of somebody with this history; `None` of whom nothing is known.
    pub(super) fn of(&self, history: History<'_>) -> Option<u32> {
        let mut weights: BTreeMap<u32, f32> = BTreeMap::new();
        for (_, item, weight) in newest(history) {
            for segment in self.of_items.get(item as usize).into_iter().flatten() {
                *weights.entry(*segment).or_default() += weight;
            }
        }
        let heavier = |a: &(u32, f32), b: &(u32, f32)| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0));
        let heaviest = weights.into_iter().max_by(heavier)?;
        (heaviest.1 > 0.0).then_some(heaviest.0)
    }

    /// What is popular in a segment.
    pub(super) fn popular(&self, segment: Option<u32>) -> &[(u32, f32)] {
        segment.map_or(&[], |segment| &self.popular[segment as usize])
    }

    /// How popular an item is in a segment.
    pub(super) fn score(&self, segment: Option<u32>, item: u32) -> f32 {
        let popular = self.popular(segment);
        let place = popular.binary_search_by_key(&item, |(item, _)| *item);
        place.map_or(0.0, |place| popular[place].1)
    }

    /// The place of the newest event that speaks for a segment.
    pub(super) fn newest_of(&self, history: History<'_>, segment: u32) -> Option<usize> {
        let speaks = |(_, item, weight): &(usize, u32, f32)| {
            *weight > 0.0 && self.of_items[*item as usize].contains(&segment)
        };
        newest(history).find(speaks).map(|(place, ..)| place)
    }

    pub(super) fn check(&self, items: usize) -> Result<(), String> {
        let known = |segment: &u32| (*segment as usize) < self.popular.len();
        let lists = self.popular.iter();
        let mut lists = lists.map(|list| {
            let rising = list.windows(2).all(|pair| pair[0].0 < pair[1].0);
            let numbers = list.iter().all(|(_, score)| score.is_finite());
            rising && numbers && list.last().is_none_or(|(item, _)| (*item as usize) < items)
        });
        let one_an_item = self.of_items.is_empty() || self.of_items.len() == items;
        match one_an_item && self.of_items.iter().flatten().all(known) && lists.all(|good| good) {
            true => Ok(()),
            false => Err("its segments are not those of its items".to_owned()),
        }
    }
}

fn newest(history: History<'_>) -> impl Iterator<Item = (usize, u32, f32)> + '_ {
    let places = (0..history.items.len()).rev().take(LAST);
    places.map(move |place| (place, history.items[place], history.weights[place]))
}
