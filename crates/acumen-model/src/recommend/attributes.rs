//! What items are like: words in fields, such as a brand, a category, or those of a text.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Words of items. A word is a field and a value of it, such as `brand=acme` or `title:lamp`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    words: BTreeMap<Arc<str>, u32>,
    items: Vec<BTreeMap<u32, u32>>,
}

impl Attributes {
    /// Of so many items, without any words.
    pub fn new(n_items: usize) -> Attributes {
        Attributes {
            words: BTreeMap::new(),
            items: vec![BTreeMap::new(); n_items],
        }
    }

    /// How many items.
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// A value of a field, such as the brand of an item.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn value(&mut self, item: u32, field: &str, value: &str) {
        self.add(item, &format!("{field}={value}"));
    }

    /// The words of a text: runs of letters and digits, in lower case.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn text(&mut self, item: u32, field: &str, text: &str) {
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| !word.is_empty()) {
            self.add(item, &format!("{field}:{}", word.to_lowercase()));
        }
    }

    fn add(&mut self, item: u32, word: &str) {
        let next = self.words.len() as u32;
        let number = *self.words.entry(word.into()).or_insert(next);
        *self.items[item as usize].entry(number).or_insert(0) += 1;
    }

    /// All words by name, each with its number.
    pub(super) fn words(&self) -> &BTreeMap<Arc<str>, u32> {
        &self.words
    }

    /// How often each word stands at an item.
    pub(super) fn of(&self, item: usize) -> impl Iterator<Item = (u32, u32)> + '_ {
        let words = self.items[item].iter();
        words.map(|(word, count)| (*word, *count))
    }
}
