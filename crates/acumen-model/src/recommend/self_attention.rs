//! `self_attention`, as it serves: every event of interest looks at those before it, and items are
//! vectors (Kang and McAuley 2018, "Self-attentive sequential recommendation").
//!
//! Each item is a vector, which is what goes in and what the answer is compared with ("tied"
//! weights). What goes in of an event is its item's vector and that of its place, counted from the
//! newest; [`Block`]s turn the lines of the events into others, each from itself and those before
//! it; the line of the newest event is the user, and the score of an item is its product with the
//! item's vector, plus the item's bias. It was trained elsewhere (`acumen-deep`); this is numbers
//! and how one user goes through them.

use serde::{Deserialize, Serialize};

use super::{History, recency};
use crate::network::dot;

mod block;

pub use block::{Block, Norm};

/// A recommender of blocks of self-attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfAttention {
    /// How many of the newest events are read, those of weight 0 or less left out.
    pub last: usize,
    /// How many numbers describe an item.
    pub width: usize,
    /// The vectors of the items, one line each; those that nobody touched are 0.
    pub items: Vec<f32>,
    /// One number an item.
    pub bias: Vec<f32>,
    /// The vectors of the places of events, `last` lines, that of the newest event at the end.
    pub positions: Vec<f32>,
    /// What the lines go through, one after the other; at least one.
    pub blocks: Vec<Block>,
    /// What brings the last lines to one scale.
    pub norm: Norm,
}

impl SelfAttention {
    fn vector(&self, item: u32) -> &[f32] {
        &self.items[item as usize * self.width..][..self.width]
    }

    fn score_one(&self, user: Option<&[f32]>, item: u32) -> f32 {
        let product = user.map_or(0.0, |user| dot(user, self.vector(item)));
        self.bias[item as usize] + product
    }

    /// What goes in: one line for each event at some places, the oldest first.
    fn inputs(&self, history: History<'_>, places: &[usize]) -> Vec<f32> {
        let positions = self.positions.chunks_exact(self.width);
        let positions = positions.skip(self.last - places.len());
        let scale = (self.width as f32).sqrt();
        let mut inputs = Vec::with_capacity(places.len() * self.width);
        for (place, position) in places.iter().zip(positions) {
            let vector = self.vector(history.items[*place]);
            inputs.extend(vector.iter().zip(position).map(|(v, p)| v * scale + p));
        }
        inputs
    }

    /// The vectors behind the events at some places but for the first `from`.
    fn course(&self, history: History<'_>, places: &[usize], from: usize) -> Vec<f32> {
        let mut lines = self.inputs(history, places);
        let last = self.blocks.len().saturating_sub(1);
        for (at, block) in self.blocks.iter().enumerate() {
            // What nobody looks at afterwards is not computed.
            lines = block.forward(&lines, if at == last { from } else { 0 });
        }
        let lines = lines.chunks_exact(self.width);
        lines.flat_map(|line| self.norm.forward(line)).collect()
    }

    /// The vector of somebody with this history; nobody has one without an event.
    fn user(&self, history: History<'_>) -> Option<Vec<f32>> {
        let places = recency::liked(history, self.last);
        let newest = places.len().checked_sub(1)?;
        Some(self.course(history, &places, newest))
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        let user = self.user(history);
        for (item, score) in (0..).zip(scores.iter_mut()) {
            *score = self.score_one(user.as_deref(), item);
        }
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let user = self.user(history);
        let score = |item: &u32| match (*item as usize) < self.bias.len() {
            true => self.score_one(user.as_deref(), *item),
            false => 0.0,
        };
        items.iter().map(score).collect()
    }

    /// The score without any event, and by how much each event that is read moved it when it
    /// came.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> (f32, Vec<(usize, f32)>) {
        let places = recency::liked(history, self.last);
        let course = self.course(history, &places, 0);
        let base = self.score_one(None, of);
        let mut before = base;
        let moved = course.chunks_exact(self.width).map(|user| {
            let score = self.score_one(Some(user), of);
            score - std::mem::replace(&mut before, score)
        });
        (base, places.iter().copied().zip(moved).collect())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.width == 0 || self.items.len() != self.bias.len() * self.width {
            return Err("there is not one vector an item".to_owned());
        }
        if self.last == 0 || self.positions.len() != self.last * self.width {
            return Err("there is not one vector a place".to_owned());
        }
        if self.blocks.is_empty() {
            return Err("there is no block of attention".to_owned());
        }
        for block in &self.blocks {
            block.check(self.width)?;
        }
        self.norm.check(self.width)?;
        let items = self.items.iter().chain(&self.bias);
        let mut numbers = items.chain(&self.positions);
        match numbers.find(|number| !number.is_finite()) {
            Some(number) => Err(format!("an item or a place cannot hold {number}")),
            None => Ok(()),
        }
    }
}
