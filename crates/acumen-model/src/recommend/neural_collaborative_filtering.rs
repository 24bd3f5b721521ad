//! `neural_collaborative_filtering`, as it serves: a product of a user and an item beside a
//! perceptron over both, joined by a last layer (He et al. 2017, "Neural Collaborative Filtering").
//!
//! The user is the mean of the lines of the newest items of interest, each older one less, instead
//! of a number (as in He et al. 2018, "NAIS"). With `m` that mean, the score of an item is
//!
//! ```text
//! bias + m · product + last(relu(W m + b + first))
//! ```
//!
//! `product` and `first` are lines of the item. The weights by which the last layer joins the
//! product are part of `product`, and what the perceptron's first layer makes of an item is `first`
//! itself, so that an item costs what comes behind the first rectifier and nothing before it. It
//! was trained elsewhere (`acumen-deep`).
//!
//! Where there are many items, a [`Proposal`] judges [`SHORTLIST`] of them by the whole network:
//! those with the largest `bias + m · product + slope · first`, where `slope` is by how much the
//! perceptron changes with each number of `first`, at the mean over some items.

use serde::{Deserialize, Serialize};

use super::History;
use super::open::Open;
use super::proposal::{Proposal, Spread};
use super::recency::{self, Recency};
use super::top::Top;
use crate::network::{Dense, Stack, block, dot, rectify};

/// How many items are judged by the whole network where there are more than twice as many; as many
/// others, evenly apart, say what its scores are like.
pub const SHORTLIST: usize = 1_000;
/// How many items the slope of the perceptron is the mean of.
const SLOPES: usize = 100;

/// A network over a past and an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeuralCollaborative {
    /// How the past is read.
    pub recency: Recency,
    /// How many numbers describe an item of the past, and an item in the product.
    pub width: usize,
    /// The items as a past holds them, one line each.
    pub past: Vec<f32>,
    /// The items in the product, one line each.
    pub product: Vec<f32>,
    /// What each item adds in the first layer, one line each.
    pub first: Vec<f32>,
    /// One number an item.
    pub bias: Vec<f32>,
    /// What a user adds in the first layer.
    pub user: Dense,
    /// What comes behind the first rectifier, down to one number.
    pub last: Stack,
}

/// What is computed once for a user.
struct Asking {
    mean: Vec<f32>,
    first: Vec<f32>,
}

impl NeuralCollaborative {
    fn asking(&self, history: History<'_>, places: &[usize]) -> Asking {
        let lines = (self.past.as_slice(), self.width);
        let mean = self.recency.mean((history, places), lines);
        Asking {
            first: self.user.forward(&mean),
            mean,
        }
    }

    fn asked(&self, history: History<'_>) -> Asking {
        self.asking(history, &self.liked(history))
    }

    fn liked(&self, history: History<'_>) -> Vec<usize> {
        recency::liked(history, self.recency.last as usize)
    }

    /// The part that needs no layers.
    fn product(&self, asking: &Asking, item: u32) -> f32 {
        let line = &self.product[item as usize * self.width..][..self.width];
        self.bias[item as usize] + dot(&asking.mean, line)
    }

    fn line(&self, item: u32) -> &[f32] {
        let units = self.user.outputs;
        &self.first[item as usize * units..][..units]
    }

    /// What comes out of the first layer.
    fn opened(&self, asking: &Asking, item: u32) -> Vec<f32> {
        let sums = asking.first.iter().zip(self.line(item));
        let mut sums: Vec<f32> = sums.map(|(user, item)| user + item).collect();
        rectify(&mut sums);
        sums
    }

    fn score_one(&self, asking: &Asking, item: u32) -> f32 {
        self.product(asking, item) + self.last.through(&self.opened(asking, item))[0]
    }

    /// By how much the perceptron changes with what an item adds in the first layer, in the mean
    /// over some items.
    fn slope(&self, asking: &Asking, items: impl ExactSizeIterator<Item = u32>) -> Vec<f32> {
        let (count, mut mean) = (items.len() as f32, vec![0.0; self.user.outputs]);
        for item in items {
            let opened = self.opened(asking, item);
            let mut slope = self.last.slope(&opened);
            block(&opened, &mut slope);
            mean.iter_mut()
                .zip(slope)
                .for_each(|(mean, by)| *mean += by / count);
        }
        mean
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        let asking = self.asked(history);
        for (item, score) in (0..).zip(scores.iter_mut()) {
            *score = self.score_one(&asking, item);
        }
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let asking = self.asked(history);
        let score = |item: &u32| match (*item as usize) < self.bias.len() {
            true => self.score_one(&asking, *item),
            false => 0.0,
        };
        items.iter().map(score).collect()
    }

    /// Whether there are more items than are worth judging one by one.
    pub(super) fn shortlists(&self) -> bool {
        self.bias.len() > 2 * SHORTLIST
    }

    /// The `most` best of a shortlist of those that may be shown; the mean and the deviation are
    /// those of items evenly apart.
    pub(super) fn shortlisted(
        &self,
        history: History<'_>,
        open: &Open<'_>,
        most: usize,
    ) -> Proposal {
        let (asking, items) = (self.asked(history), self.bias.len());
        let apart = (0..items as u32).step_by(items / SHORTLIST);
        let looked_at: Vec<f32> = apart.map(|item| self.score_one(&asking, item)).collect();
        let (mean, deviation) = Spread::of(&looked_at).over(looked_at.len());

        let slope = self.slope(&asking, (0..items as u32).step_by(items / SLOPES));
        let mut near = Top::new(SHORTLIST.max(most));
        for item in (0..items as u32).filter(|item| open.has(*item)) {
            near.offer(
                item,
                self.product(&asking, item) + dot(&slope, self.line(item)),
            );
        }
        let mut near = near.items();
        near.sort_unstable();
        let mut top = Top::new(most);
        near.into_iter()
            .for_each(|item| top.offer(item, self.score_one(&asking, item)));
        Proposal {
            items: top.items(),
            mean,
            deviation,
        }
    }

    /// The score without any event, and by how much each event that is read moved it when it came.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> (f32, Vec<(usize, f32)>) {
        recency::course(&self.liked(history), |places| {
            self.score_one(&self.asking(history, places), of)
        })
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.recency.check()?;
        self.user.check()?;
        self.last.check(self.user.outputs, 1)?;
        if self.user.inputs != self.width || self.width == 0 {
            return Err("its first layer is not as wide as a past".to_owned());
        }
        let (items, units) = (self.bias.len(), self.user.outputs);
        let lines = [self.past.len(), self.product.len(), self.first.len()];
        if lines != [items * self.width, items * self.width, items * units] {
            return Err("there is not one line of each kind an item".to_owned());
        }
        let lines = self.past.iter().chain(&self.product).chain(&self.first);
        match lines.chain(&self.bias).find(|n| !n.is_finite()) {
            Some(number) => Err(format!("an item cannot hold {number}")),
            None => Ok(()),
        }
    }
}
