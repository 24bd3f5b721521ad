//! Which past events count when somebody asks, and how much.

use serde::{Deserialize, Serialize};

use super::History;
use crate::learner::{ParamDoc, ParamRange, Reader};

/// The newest events, each older one less.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recency {
    /// How many events are read; 0 is all.
    pub last: u32,
    /// What an event counts for, as a share of the next newer one.
    #[serde(rename = "history_decay")]
    pub decay: f32,
}

/// How many past events are read.
pub(super) const fn last(default: &'static str) -> ParamDoc {
    ParamDoc {
        name: "last",
        aliases: &[],
        range: ParamRange::Whole(0, 100_000),
        default,
        doc: "how many of the user's newest events are read; 0 is all",
    }
}

/// How fast they fade.
pub(super) const fn history_decay(default: &'static str) -> ParamDoc {
    ParamDoc {
        name: "history_decay",
        aliases: &[],
        range: ParamRange::Share(0.0, 1.0),
        default,
        doc: "what an event counts for, as a share of the next newer one",
    }
}

impl Recency {
    pub(super) fn read(reader: &Reader<'_>, last: usize, decay: f64) -> Recency {
        Recency {
            last: reader.whole("last", last) as u32,
            decay: reader.number("history_decay", decay) as f32,
        }
    }

    /// The events that count, the newest first, by their place in the history, with their item and
    /// weight.
    pub(crate) fn of<'a>(
        &self,
        history: History<'a>,
    ) -> impl Iterator<Item = (usize, u32, f32)> + use<'a> {
        let (last, decay) = (self.last, self.decay);
        let last = if last == 0 { usize::MAX } else { last as usize };
        let places = (0..history.items.len()).rev().take(last);
        places.scan(1.0_f32, move |fading, place| {
            let weight = history.weights[place] * *fading;
            // A weight that fades into nothing stays a number.
            *fading = (*fading * decay).max(f32::MIN_POSITIVE);
            Some((place, history.items[place], weight))
        })
    }

    /// The mean of the lines of the items at some places of a history, the oldest first, by the
    /// weights of their events; 0 for no places.
    pub(super) fn mean(
        &self,
        (history, places): (History<'_>, &[usize]),
        (lines, width): (&[f32], usize),
    ) -> Vec<f32> {
        let (mut mean, mut total) = (vec![0.0; width], 0.0);
        let mut fading = 1.0_f32;
        for &place in places.iter().rev() {
            let weight = history.weights[place] * fading;
            let line = &lines[history.items[place] as usize * width..][..width];
            for (sum, value) in mean.iter_mut().zip(line) {
                *sum += weight * value;
            }
            total += weight;
            fading = (fading * self.decay).max(f32::MIN_POSITIVE);
        }
        if total > 0.0 {
            mean.iter_mut().for_each(|sum| *sum /= total);
        }
        mean
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self.decay > 0.0 && self.decay <= 1.0 {
            true => Ok(()),
            false => Err(format!("a share of {} cannot be kept", self.decay)),
        }
    }
}

/// The places of the newest events of interest, the oldest first; those of weight 0 or less are
/// left out, and are not counted. No more than `last` of them, where that is not 0.
pub(super) fn liked(history: History<'_>, last: usize) -> Vec<usize> {
    let last = if last == 0 { usize::MAX } else { last };
    let liked = |at: &usize| history.weights[*at] > 0.0;
    let places = (0..history.items.len()).rev().filter(liked);
    let mut places: Vec<usize> = places.take(last).collect();
    places.reverse();
    places
}

/// A score without any event, and by how much each of the events at some places, the oldest first,
/// moved it when it came.
pub(super) fn course(
    places: &[usize],
    score: impl Fn(&[usize]) -> f32,
) -> (f32, Vec<(usize, f32)>) {
    let scores: Vec<f32> = (0..=places.len()).map(|to| score(&places[..to])).collect();
    let moved = scores.windows(2).map(|pair| pair[1] - pair[0]);
    (scores[0], places.iter().copied().zip(moved).collect())
}
