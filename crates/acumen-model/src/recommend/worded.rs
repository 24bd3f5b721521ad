//! Items as lines of words, each with a number, and the products of such lines with a profile.

use serde::{Deserialize, Serialize};

use super::derived::Derived;

/// The words of every item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Worded {
    /// Where each item's words begin, and where the last one's end.
    starts: Vec<u32>,
    entries: Vec<(u32, f32)>,
    #[serde(skip)]
    by_word: Derived<ByWord>,
}

/// For each word the items that have it, rising, with its number at each.
type ByWord = Vec<Vec<(u32, f32)>>;

impl Worded {
    /// Of no items.
    pub(super) fn new() -> Worded {
        Worded {
            starts: vec![0],
            entries: Vec::new(),
            by_word: Derived::default(),
        }
    }

    /// How many items.
    pub(super) fn n_items(&self) -> usize {
        self.starts.len() - 1
    }

    /// Adds items behind those that are there.
    pub(super) fn extend(&mut self, lines: Vec<Vec<(u32, f32)>>) {
        let (mut by_word, first) = (self.by_word.made(), self.starts.len() as u32 - 1);
        for (item, line) in (first..).zip(lines) {
            if let Some(by_word) = &mut by_word {
                add(by_word, item, &line);
            }
            self.entries.extend(line);
            self.starts.push(self.entries.len() as u32);
        }
    }

    /// The words of an item.
    pub(super) fn line(&self, item: u32) -> &[(u32, f32)] {
        let (from, to) = (self.starts[item as usize], self.starts[item as usize + 1]);
        &self.entries[from as usize..to as usize]
    }

    /// Makes what the products of all items need, for so many words.
    pub(super) fn by_word(&self, words: usize) -> &ByWord {
        self.by_word.get(|| {
            let mut by_word = vec![Vec::new(); words];
            (0..self.n_items() as u32).for_each(|item| add(&mut by_word, item, self.line(item)));
            by_word
        })
    }

    /// The product of the line of an item with a profile of one number a word; 0 of an item that is
    /// not known.
    pub(super) fn product(&self, item: u32, profile: &[f32]) -> f32 {
        if item as usize >= self.n_items() {
            return 0.0;
        }
        let words = self.line(item).iter();
        words
            .map(|(word, tells)| tells * profile[*word as usize])
            .sum()
    }

    /// The products of all items with a profile.
    pub(super) fn products(&self, profile: &[f32], products: &mut [f32]) {
        let by_word = self.by_word(profile.len());
        products.fill(0.0);
        let told = (0..).zip(profile).filter(|(_, weight)| **weight != 0.0);
        for (word, weight) in told {
            for (item, tells) in &by_word[word] {
                products[*item as usize] += tells * weight;
            }
        }
    }

    /// Whether its parts fit each other and so many words.
    pub(super) fn check(&self, words: usize) -> Result<(), String> {
        let rising = self.starts.windows(2).all(|pair| pair[0] <= pair[1]);
        let whole = self.starts.first() == Some(&0)
            && self.starts.last().map(|end| *end as usize) == Some(self.entries.len());
        let known = |&(word, tells): &(u32, f32)| (word as usize) < words && tells.is_finite();
        match rising && whole && self.entries.iter().all(known) {
            true => Ok(()),
            false => Err("the words of the items do not fit each other".to_owned()),
        }
    }
}

fn add(by_word: &mut ByWord, item: u32, words: &[(u32, f32)]) {
    for (word, tells) in words {
        by_word[*word as usize].push((item, *tells));
    }
}
