//! Which past events count when somebody asks, and how much.

use serde::{Deserialize, Serialize};

use super::History;
use crate::learner::{ParamDoc, ParamRange, Reader};

/// The newest events, each older one less.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recency {
    /// How many events are read; 0 is all.
    pub(crate) last: u32,
    /// By how much an event counts less than the next newer one.
    pub(crate) decay: f32,
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

    pub(super) fn check(&self) -> Result<(), String> {
        match self.decay > 0.0 && self.decay <= 1.0 {
            true => Ok(()),
            false => Err(format!("a share of {} cannot be kept", self.decay)),
        }
    }
}
