//! The items that a step compares with, and how likely each was to be among them.

use std::collections::HashMap;

use acumen_model::{ParamDoc, ParamRange};

use super::windows::Batch;
use crate::draws::Draws;

/// How many items are drawn.
pub(crate) const NEGATIVES: ParamDoc = ParamDoc {
    name: "negatives",
    aliases: &[],
    range: ParamRange::Whole(1, 1_000_000),
    default: "4096",
    doc: "how many items, drawn evenly, a step compares with beside those of its events; as many as were touched, or more, are all of them",
};

/// The items that were touched, and how often.
pub(crate) struct Popularity {
    /// Their numbers, rising.
    touched: Vec<u32>,
    /// By number, the share of all events that are with an item.
    shares: Vec<f64>,
}

/// What a batch is compared with.
pub(crate) struct Compared {
    /// The items, each once: those that are compared with, and behind them those that are in the
    /// past only.
    pub(crate) items: Vec<u32>,
    /// Of each that is compared with, the logarithm of the probability of that.
    pub(crate) corrections: Vec<f32>,
    /// The place among `items` of each event's item.
    pub(crate) inputs: Vec<i32>,
    /// The place of the item that comes next.
    pub(crate) targets: Vec<Option<u32>>,
}

impl Popularity {
    /// Of how often each item was touched.
    pub(crate) fn new(touches: &[u32]) -> Popularity {
        let all: f64 = touches.iter().map(|count| f64::from(*count)).sum();
        let touched = (0_u32..).zip(touches).filter(|(_, count)| **count > 0);
        Popularity {
            touched: touched.map(|(item, _)| item).collect(),
            shares: touches
                .iter()
                .map(|count| f64::from(*count) / all.max(1.0))
                .collect(),
        }
    }

    /// How likely an item is among so many targets and so many that are drawn evenly.
    fn probability(&self, item: u32, (targets, drawn): (usize, usize)) -> f64 {
        let by_target = (-self.shares[item as usize]).ln_1p() * targets as f64;
        let by_draw = (-1.0 / self.touched.len() as f64).ln_1p() * drawn as f64;
        -(by_target + by_draw).exp_m1()
    }
}

impl Compared {
    pub(crate) fn new(
        batch: &Batch,
        popularity: &Popularity,
        negatives: usize,
        draws: &mut Draws,
    ) -> Compared {
        let touched = &popularity.touched;
        let all = negatives >= touched.len();
        let mut items = Places::default();
        match all {
            true => touched.iter().for_each(|item| _ = items.of(*item)),
            false => {
                let targets = batch.targets.iter().flatten();
                targets.for_each(|item| _ = items.of(*item));
                for _ in 0..negatives {
                    items.of(touched[draws.below(touched.len())]);
                }
            }
        }
        let drawn = (batch.targets.iter().flatten().count(), negatives);
        let correction = |item: &u32| match all {
            true => 0.0,
            false => popularity.probability(*item, drawn).ln() as f32,
        };
        let corrections = items.items.iter().map(correction).collect();
        let targets = batch.targets.iter();
        let targets = targets
            .map(|item| item.map(|item| items.of(item)))
            .collect();
        let inputs = batch.inputs.iter().zip(&batch.weights);
        let inputs = inputs.map(|(item, weight)| match *weight > 0.0 {
            true => items.of(*item as u32) as i32,
            // A window that has ended reads any line, and counts it 0.
            false => 0,
        });
        Compared {
            inputs: inputs.collect(),
            items: items.items,
            corrections,
            targets,
        }
    }
}

/// Items in the order in which they were asked for.
#[derive(Default)]
struct Places {
    items: Vec<u32>,
    by_item: HashMap<u32, u32>,
}

impl Places {
    fn of(&mut self, item: u32) -> u32 {
        let next = self.items.len() as u32;
        let place = *self.by_item.entry(item).or_insert(next);
        if place == next {
            self.items.push(item);
        }
        place
    }
}
