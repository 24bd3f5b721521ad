//! `recurrent`, as it serves: a cell over the newest events, and items as vectors.
//!
//! Each item is a vector, which is what goes into the cell and what its answer is compared with
//! ("tied" weights). What the cell remembers behind the newest event becomes a vector of the same
//! width, and the score of an item is its product with the item's, plus the item's bias. It was
//! trained elsewhere (`acumen-deep`); this is numbers and how one user goes through them.

use serde::{Deserialize, Serialize};

use super::{History, recency};
use crate::network::{Cell, Dense, dot};

/// A recurrent recommender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recurrent {
    /// How many of the newest events are read, those of weight 0 or less left out.
    pub last: usize,
    /// How many numbers describe an item.
    pub width: usize,
    /// The vectors of the items, one line each.
    pub items: Vec<f32>,
    /// One number an item.
    pub bias: Vec<f32>,
    /// What goes over the events, from the oldest to the newest.
    pub cell: Cell,
    /// From what the cell remembers to a vector as wide as an item's.
    pub output: Dense,
}

impl Recurrent {
    fn line(&self, item: u32) -> &[f32] {
        &self.items[item as usize * self.width..][..self.width]
    }

    /// The vector behind each event that is read, before the first of them included.
    fn course(&self, history: History<'_>, places: &[usize]) -> Vec<Vec<f32>> {
        let inputs = places.iter().map(|&place| self.line(history.items[place]));
        let remembered = self.cell.course(inputs);
        remembered
            .iter()
            .map(|hidden| self.output.forward(hidden))
            .collect()
    }

    /// The vector of somebody with this history.
    fn user(&self, history: History<'_>) -> Vec<f32> {
        let places = recency::liked(history, self.last);
        let inputs = places.iter().map(|&place| self.line(history.items[place]));
        self.output.forward(&self.cell.remember(inputs))
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        let user = self.user(history);
        let lines = self.items.chunks_exact(self.width);
        for ((score, line), bias) in scores.iter_mut().zip(lines).zip(&self.bias) {
            *score = bias + dot(&user, line);
        }
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let user = self.user(history);
        let score = |item: &u32| match self.bias.get(*item as usize) {
            Some(bias) => bias + dot(&user, self.line(*item)),
            None => 0.0,
        };
        items.iter().map(score).collect()
    }

    /// The score without any event, and by how much each event that is read moved it when it
    /// came.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> (f32, Vec<(usize, f32)>) {
        let places = recency::liked(history, self.last);
        let course = self.course(history, &places);
        let score = |user: &Vec<f32>| self.bias[of as usize] + dot(user, self.line(of));
        let scores: Vec<f32> = course.iter().map(score).collect();
        let moved = scores.windows(2).map(|pair| pair[1] - pair[0]);
        (scores[0], places.into_iter().zip(moved).collect())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.cell.check(self.width)?;
        self.output.check()?;
        let shapes = (self.output.inputs, self.output.outputs);
        if shapes != (self.cell.units(), self.width) || self.width == 0 {
            return Err("its output is not as wide as an item".to_owned());
        }
        if self.items.len() != self.bias.len() * self.width {
            return Err("there is not one vector an item".to_owned());
        }
        match self.items.iter().chain(&self.bias).find(|n| !n.is_finite()) {
            Some(number) => Err(format!("an item cannot hold {number}")),
            None => Ok(()),
        }
    }
}
