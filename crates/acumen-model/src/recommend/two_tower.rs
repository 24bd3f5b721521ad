//! `two_tower`, as it serves: one tower turns a past into a vector, the other what is known of an
//! item, and the product of the two, plus the item's bias, is the score (Covington et al. 2016,
//! "Deep neural networks for YouTube recommendations"; Yi et al. 2019, "Sampling-bias-corrected
//! neural modeling for large corpus item recommendations").
//!
//! The tower of the items is run when training ends, so that items are lines of numbers here, and
//! again for an item that comes later, from its words alone ([`ItemTower`]). The tower of the
//! users reads the mean of the lines of the newest items of interest, each older one less. It was
//! trained elsewhere (`acumen-deep`).

use serde::{Deserialize, Serialize};

use super::derived::Derived;
use super::open::Open;
use super::proposal::{NEAR, Proposal, Spread, best_of};
use super::quantised::Quantised;
use super::recency::{self, Recency};
use super::table::largest;
use super::vocabulary::Vocabulary;
use super::{Attributes, History};
use crate::network::{Stack, dot};

/// How many words of an item are read: those that tell most.
pub const WORDS_MAX: usize = 32;

/// A recommender of two towers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwoTower {
    recency: Recency,
    /// How many numbers describe an item.
    width: usize,
    /// The vectors of the items, one line each.
    items: Vec<f32>,
    /// One number an item.
    bias: Vec<f32>,
    /// The bias of an item of which nothing is known: the least of all.
    least: f32,
    /// From the mean of a past to what is added to it.
    user: Stack,
    /// What gives an item its line from its words, where items have words.
    tower: Option<ItemTower>,
    /// The vectors in bytes, each with its bias behind it.
    #[serde(skip)]
    quantised: Derived<Quantised>,
}

/// The tower of the items: from the sum of an item's own line and those of its words to what is
/// added to that sum. A line is a vector with the bias behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemTower {
    /// The words that are known.
    pub vocabulary: Vocabulary,
    /// One line a word.
    pub words: Vec<f32>,
    /// The dense layers.
    pub layers: Stack,
}

impl ItemTower {
    /// The words of each item that the tower reads, with their weights.
    pub fn read(vocabulary: &Vocabulary, attributes: &Attributes) -> Vec<Vec<(u32, f32)>> {
        let lines = vocabulary.lines(attributes).into_iter();
        lines.map(|words| largest(words, WORDS_MAX)).collect()
    }

    /// The line of an item with these words, and with a line of its own where it was trained with;
    /// nothing where nothing is known of it.
    pub fn line(&self, own: Option<&[f32]>, words: &[(u32, f32)]) -> Option<Vec<f32>> {
        if own.is_none() && words.is_empty() {
            return None;
        }
        let width = self.layers.outputs();
        let mut sum = own.map_or_else(|| vec![0.0; width], <[f32]>::to_vec);
        for (word, weight) in words {
            let line = &self.words[*word as usize * width..][..width];
            for (sum, value) in sum.iter_mut().zip(line) {
                *sum += weight * value;
            }
        }
        Some(plus(self.layers.through(&sum), &sum))
    }

    fn check(&self, width: usize) -> Result<(), String> {
        self.layers.check(width + 1, width + 1)?;
        if self.words.len() != self.vocabulary.len() * (width + 1) {
            return Err("there is not one line a word".to_owned());
        }
        match self.words.iter().find(|number| !number.is_finite()) {
            Some(number) => Err(format!("a word cannot hold {number}")),
            None => Ok(()),
        }
    }
}

impl TwoTower {
    /// Of the lines of the items, each as wide as what the users' tower gives and one more.
    pub fn new(
        recency: Recency,
        user: Stack,
        tower: Option<ItemTower>,
        lines: Vec<Option<Vec<f32>>>,
    ) -> TwoTower {
        let biases = lines.iter().flatten().filter_map(|line| line.last());
        let mut new = TwoTower {
            recency,
            width: user.outputs(),
            items: Vec::with_capacity(lines.len() * user.outputs()),
            bias: Vec::with_capacity(lines.len()),
            least: biases.copied().reduce(f32::min).unwrap_or(0.0),
            user,
            tower,
            quantised: Derived::default(),
        };
        lines.into_iter().for_each(|line| new.push(line));
        new
    }

    fn push(&mut self, line: Option<Vec<f32>>) {
        let mut line = line.unwrap_or_else(|| {
            let mut nothing = vec![0.0; self.width];
            nothing.push(self.least);
            nothing
        });
        self.bias.extend(line.pop());
        self.items.extend(line);
    }

    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.bias.len()
    }

    /// Whether it knows an item by its words.
    pub(super) fn learns_items(&self) -> bool {
        self.tower.is_some()
    }

    /// Adds items that came after training, by their words; nothing where it knows no words.
    pub(super) fn extend(&mut self, attributes: &Attributes) {
        let Some(tower) = &self.tower else { return };
        let words = ItemTower::read(&tower.vocabulary, attributes);
        let lines: Vec<_> = words.iter().map(|words| tower.line(None, words)).collect();
        lines.into_iter().for_each(|line| self.push(line));
    }

    fn quantised(&self) -> &Quantised {
        let with_bias = |item| [self.vector(item), &[self.bias[item as usize]]].concat();
        self.quantised
            .get(|| Quantised::new((0..self.n_items() as u32).map(with_bias)))
    }

    /// Makes what a search needs.
    pub(super) fn prepare(&self) {
        self.quantised();
    }

    /// The best of those that look best by a first look at all; the mean and the deviation are
    /// those of items evenly apart.
    pub(super) fn search(&self, history: History<'_>, open: &Open<'_>, most: usize) -> Proposal {
        let user = self.user(history, &self.liked(history));
        let asked = [&user[..], &[1.0]].concat();
        let quantised = self.quantised();
        let mut near = quantised.search(&asked, open, NEAR * most);
        // Items that came later are few.
        let later = quantised.len() as u32..self.n_items() as u32;
        near.extend(later.filter(|item| open.has(*item)));
        near.sort_unstable();
        let score = |item| self.score_one(&user, item);
        let (mean, deviation) = Spread::sampled(self.n_items(), score);
        Proposal {
            items: best_of(&near, score, most),
            mean,
            deviation,
        }
    }

    fn vector(&self, item: u32) -> &[f32] {
        &self.items[item as usize * self.width..][..self.width]
    }

    /// The vector of a user of whose past these places are read.
    fn user(&self, history: History<'_>, places: &[usize]) -> Vec<f32> {
        let lines = (self.items.as_slice(), self.width);
        let mean = self.recency.mean((history, places), lines);
        plus(self.user.through(&mean), &mean)
    }

    fn liked(&self, history: History<'_>) -> Vec<usize> {
        recency::liked(history, self.recency.last as usize)
    }

    fn score_one(&self, user: &[f32], item: u32) -> f32 {
        self.bias[item as usize] + dot(user, self.vector(item))
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        let user = self.user(history, &self.liked(history));
        for (item, score) in (0..).zip(scores.iter_mut()) {
            *score = self.score_one(&user, item);
        }
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let user = self.user(history, &self.liked(history));
        let score = |item: &u32| match (*item as usize) < self.n_items() {
            true => self.score_one(&user, *item),
            false => 0.0,
        };
        items.iter().map(score).collect()
    }

    /// The score without any event, and by how much each event that is read moved it when it came.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> (f32, Vec<(usize, f32)>) {
        recency::course(&self.liked(history), |places| {
            self.score_one(&self.user(history, places), of)
        })
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.recency.check()?;
        self.user.check(self.width, self.width)?;
        self.tower
            .as_ref()
            .map_or(Ok(()), |tower| tower.check(self.width))?;
        if self.width == 0 || self.items.len() != self.bias.len() * self.width {
            return Err("there is not one vector an item".to_owned());
        }
        let biases = self.bias.iter().chain([&self.least]);
        match self.items.iter().chain(biases).find(|n| !n.is_finite()) {
            Some(number) => Err(format!("an item cannot hold {number}")),
            None => Ok(()),
        }
    }
}

/// The sum of two vectors.
fn plus(mut a: Vec<f32>, b: &[f32]) -> Vec<f32> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}
