//! `sequential_cooccurrence`: what users did after an item, counted.
//!
//! For each pair of events of one user that are at most `window` steps apart, the later item
//! counts for the earlier one, `decay` times less with every step between. What an item says of
//! others is its share of what followed it, so that the score is a mixture of first-order Markov
//! chains over the last few events. Order is worth more than anything else on most logs, and this
//! reads it in seconds.

use acumen_base::Seed;
use rayon::prelude::*;
use serde::Serialize;

use super::recency::{self, Recency};
use super::succession::{self, Succession, steps};
use super::table::Table;
use super::{CheckedRecommender, RecommendData, RecommendError, RecommendLearner, Source};
use crate::learner::params::doc;
use crate::learner::threads::threads;
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};

/// What follows what by the name `sequential_cooccurrence`.
#[derive(Debug)]
pub struct SequentialCooccurrence;

const DOCS: &[ParamDoc] = &[
    succession::window("10"),
    succession::decay("0.8"),
    doc(
        "popularity_power",
        &[],
        ParamRange::Number(0.0, 1.0),
        "0",
        "by which power of how often it follows anything an item is divided; above 0 what is \
         popular after everything comes less often",
    ),
    doc(
        "neighbours",
        &["k"],
        ParamRange::Whole(0, 100_000),
        "0",
        "how many items are kept for each; 0 is all",
    ),
    recency::last("5"),
    recency::history_decay("0.7"),
    doc(
        "n_threads",
        &["n_jobs"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

#[derive(Debug, Serialize)]
struct SequentialParams {
    window: usize,
    decay: f64,
    popularity_power: f64,
    neighbours: usize,
    #[serde(flatten)]
    recency: Recency,
    n_threads: usize,
}

impl RecommendLearner for SequentialCooccurrence {
    fn name(&self) -> &'static str {
        "sequential_cooccurrence"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["markov"]
    }

    fn doc(&self) -> &'static str {
        "What users did next after an item, by the order of their events: learnt in seconds, and \
         the first source to try."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = SequentialParams {
            window: reader.whole("window", 10),
            decay: reader.number("decay", 0.8),
            popularity_power: reader.number("popularity_power", 0.0),
            neighbours: reader.whole("neighbours", 0),
            recency: Recency::read(&reader, 5, 0.7),
            n_threads: reader.whole("n_threads", 0),
        };
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl CheckedRecommender for SequentialParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        _: Seed,
        _: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let events = Succession::new(data.interactions);
        if events.is_empty() {
            return Err(RecommendError::NoInterest);
        }
        let lines = threads(self.n_threads)?.install(|| self.lines(&events));
        Ok(Source::Table(Table::new(
            lines,
            self.neighbours,
            self.recency,
        )))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

impl SequentialParams {
    /// For each item, the share of every other among what followed it.
    fn lines(&self, events: &Succession) -> Vec<Vec<(u32, f32)>> {
        let items = events.n_items();
        let steps = steps(self.window, self.decay);
        let counted = (0..items).into_par_iter().map_init(
            || vec![0.0; items],
            |sums, item| count(events, item, &steps, sums),
        );
        let mut lines: Vec<Vec<(u32, f64)>> = counted.collect();
        let mut followed = vec![0.0_f64; items];
        for (item, count) in lines.iter().flatten() {
            followed[*item as usize] += count;
        }
        for line in &mut lines {
            let all: f64 = line.iter().map(|(_, count)| count).sum();
            for (item, count) in line {
                let often = followed[*item as usize].max(1.0);
                *count /= all * often.powf(self.popularity_power);
            }
        }
        let narrow = |line: Vec<(u32, f64)>| -> Vec<(u32, f32)> {
            let entries = line.into_iter();
            entries.map(|(item, share)| (item, share as f32)).collect()
        };
        lines.into_iter().map(narrow).collect()
    }
}

/// What followed one item, in rising order.
fn count(events: &Succession, item: usize, steps: &[f64], sums: &mut [f64]) -> Vec<(u32, f64)> {
    let mut touched = Vec::new();
    events.followers(item, steps, |other, counts| {
        let sum = &mut sums[other as usize];
        if *sum == 0.0 {
            touched.push(other);
        }
        *sum += counts;
    });
    touched.sort_unstable();
    let taken = touched.into_iter();
    taken
        .map(|other| (other, std::mem::take(&mut sums[other as usize])))
        .collect()
}
