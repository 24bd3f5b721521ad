//! `popular`: what many touched lately. It needs nothing of the user, so that there is an answer
//! for everybody.

use acumen_base::{Seed, Time};
use serde::{Deserialize, Serialize};

use super::{CheckedRecommender, RecommendData, RecommendError, RecommendLearner, Source};
use crate::learner::params::doc;
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};

const MILLISECONDS_AN_HOUR: f64 = 3_600_000.0;

/// What many touched by the name `popular`.
#[derive(Debug)]
pub struct PopularLearner;

const DOCS: &[ParamDoc] = &[
    doc(
        "window_hours",
        &[],
        ParamRange::Number(0.0, f64::INFINITY),
        "0",
        "how many hours before the newest event are counted; 0 is all",
    ),
    doc(
        "half_life_hours",
        &[],
        ParamRange::Number(0.0, f64::INFINITY),
        "0",
        "after how many hours an event counts half; 0 is never",
    ),
];

#[derive(Debug, Serialize)]
struct PopularParams {
    window_hours: f64,
    half_life_hours: f64,
}

/// How often each item was touched, as `ln(1 + weight)`: the same for everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Popular {
    /// The score of each item.
    pub scores: Vec<f32>,
}

impl RecommendLearner for PopularLearner {
    fn name(&self) -> &'static str {
        "popular"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["popularity", "trending"]
    }

    fn doc(&self) -> &'static str {
        "What many touched, in a window of time: the answer for those of whom nothing is known."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = PopularParams {
            window_hours: reader.number("window_hours", 0.0),
            half_life_hours: reader.number("half_life_hours", 0.0),
        };
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl PopularParams {
    /// What an event of so many hours ago counts for.
    fn share(&self, hours: f64) -> f64 {
        if self.window_hours > 0.0 && hours >= self.window_hours {
            return 0.0;
        }
        match self.half_life_hours > 0.0 {
            true => (-hours / self.half_life_hours).exp2(),
            false => 1.0,
        }
    }
}

impl CheckedRecommender for PopularParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        _: Seed,
        _: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let events = data.interactions;
        let newest = events.newest().ok_or(RecommendError::NoInterest)?;
        let mut weights = vec![0.0; events.n_items()];
        for user in 0..events.n_users() {
            let history = events.history(user);
            let all = history.items.iter().zip(history.weights);
            for ((item, weight), time) in all.zip(events.times(user)) {
                weights[*item as usize] += f64::from(*weight) * self.share(hours(newest, *time));
            }
        }
        if weights.iter().all(|weight| *weight <= 0.0) {
            return Err(RecommendError::NoInterest);
        }
        let score = |weight: f64| weight.max(0.0).ln_1p() as f32;
        Ok(Source::Popular(Popular {
            scores: weights.into_iter().map(score).collect(),
        }))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

fn hours(newest: Time, time: Time) -> f64 {
    (newest.0 - time.0) as f64 / MILLISECONDS_AN_HOUR
}
