//! `popular`: what many touched lately. It needs nothing of the user, so that there is an answer
//! for everybody; where segments are declared, what is popular among a user's like counts as well,
//! and where a context is, what is popular at such a moment.

use std::collections::BTreeMap;

use acumen_base::{Seed, Time};
use serde::{Deserialize, Serialize};

use super::derived::Derived;
use super::in_context::{Counted, InContext};
use super::open::Open;
use super::proposal::{Proposal, Spread};
use super::segments::Segments;
use super::top::Top;
use super::{CheckedRecommender, History, RecommendData, RecommendError, RecommendLearner, Source};
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
    doc(
        "segment",
        &[],
        ParamRange::Column,
        "",
        "an attribute of items by which people are told apart, such as the category that they \
         look around in: what is popular among their like counts beside what is popular at all",
    ),
    doc(
        "context",
        &[],
        ParamRange::Column,
        "",
        "what events and requests say of the moment, such as the weather: what is popular at such \
         moments is put forward, so that it serves visitors of whom nothing else is known",
    ),
];

#[derive(Debug, Serialize)]
struct PopularParams {
    window_hours: f64,
    half_life_hours: f64,
    segment: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    context: String,
}

/// How often each item was touched, as `ln(1 + weight)`: at all, and among those of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Popular {
    /// The score of each item for people of whom nothing is known.
    scores: Vec<f32>,
    /// What is added for people of a segment.
    segments: Segments,
    #[serde(skip)]
    ranking: Derived<Ranking>,
}

/// All items, the most popular first, and the spread of their scores.
#[derive(Clone, Debug)]
struct Ranking {
    items: Vec<u32>,
    spread: Spread,
}

impl Popular {
    pub(super) fn new(scores: Vec<f32>, segments: Segments) -> Popular {
        Popular {
            scores,
            segments,
            ranking: Derived::default(),
        }
    }

    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.scores.len()
    }

    fn ranking(&self) -> &Ranking {
        self.ranking.get(|| {
            let mut items: Vec<u32> = (0..self.scores.len() as u32).collect();
            let score = |item: &u32| self.scores[*item as usize];
            items.sort_by(|a, b| score(b).total_cmp(&score(a)));
            let spread = Spread::of(&self.scores);
            Ranking { items, spread }
        })
    }

    /// Makes what a proposal needs.
    pub(super) fn prepare(&self) {
        self.ranking();
    }

    /// The best are among the most popular at all and those that are popular in the segment.
    pub(super) fn propose(&self, history: History<'_>, open: &Open<'_>, most: usize) -> Proposal {
        let segment = self.segments.of(history);
        let popular = self.segments.popular(segment);
        let ranking = self.ranking();
        let first = ranking.items.iter().copied();
        let mut items: Vec<u32> = first.filter(|item| open.has(*item)).take(most).collect();
        let mut spread = ranking.spread;
        for (item, more) in popular {
            let score = self.scores[*item as usize];
            spread.replace(score, score + more);
            items.extend(open.has(*item).then_some(*item));
        }
        items.sort_unstable();
        items.dedup();
        let mut top = Top::new(most);
        for item in items {
            top.offer(
                item,
                self.scores[item as usize] + self.segments.score(segment, item),
            );
        }
        let (mean, deviation) = spread.over(self.scores.len());
        Proposal {
            items: top.items(),
            mean,
            deviation,
        }
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        scores.copy_from_slice(&self.scores);
        for (item, more) in self.segments.popular(self.segments.of(history)) {
            scores[*item as usize] += more;
        }
    }

    /// The scores of some items; of those that are not known 0.
    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let segment = self.segments.of(history);
        let score = |item: &u32| match self.scores.get(*item as usize) {
            Some(score) => score + self.segments.score(segment, *item),
            None => 0.0,
        };
        items.iter().map(score).collect()
    }

    /// The score of an item for anybody, and what the newest event adds by which somebody is of
    /// their segment.
    pub(super) fn contributions(
        &self,
        history: History<'_>,
        item: u32,
    ) -> (f32, Vec<(usize, f32)>) {
        let segment = self.segments.of(history);
        let more = self.segments.score(segment, item);
        let place = segment.and_then(|segment| self.segments.newest_of(history, segment));
        let event = place.map(|place| (place, more));
        (self.scores[item as usize], event.into_iter().collect())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.segments.check(self.scores.len())?;
        match self.scores.iter().find(|score| !score.is_finite()) {
            Some(score) => Err(format!("an item cannot have the score {score}")),
            None => Ok(()),
        }
    }
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
            segment: reader.word("segment", "").to_owned(),
            context: reader.word("context", "").to_owned(),
        };
        if !read.segment.is_empty() && !read.context.is_empty() {
            return Err(vec![ParamProblem {
                param: "context".to_owned(),
                message: "`segment` and `context` both tell people apart".to_owned(),
                help: "leave one out, and declare another `popular` for it".to_owned(),
            }]);
        }
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl PopularParams {
    /// The declared segments, without anything that is popular in them.
    fn segments(&self, data: &RecommendData<'_>) -> Result<Segments, RecommendError> {
        if self.segment.is_empty() {
            return Ok(Segments::default());
        }
        let segments = data
            .attributes
            .and_then(|all| Segments::by(&self.segment, all));
        segments.ok_or_else(|| RecommendError::NoAttribute(self.segment.clone()))
    }

    /// What is popular at all, and at the moments that are told apart by the declared context.
    fn in_context(
        &self,
        data: &RecommendData<'_>,
        newest: Time,
        (weights, anywhere): (&[f64], Source),
    ) -> Result<Source, RecommendError> {
        let events = data.interactions;
        let mut counted = Counted::default();
        for user in 0..events.n_users() {
            let said = events.said(user, &self.context);
            let said = said.ok_or_else(|| RecommendError::NoContext(self.context.clone()))?;
            let history = events.history(user);
            for (at, time) in events.times(user).iter().enumerate() {
                counted.events += 1;
                if let Some(word) = &said[at] {
                    let weight = f64::from(history.weights[at]) * self.share(hours(newest, *time));
                    let word = counted.words.entry(word.clone()).or_default();
                    *word.entry(history.items[at]).or_default() += weight;
                }
            }
        }
        let by_word = InContext::new(&self.context, weights, anywhere, counted);
        Ok(Source::InContext(by_word))
    }

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
        let mut segments = self.segments(data)?;
        let mut weights = vec![0.0; events.n_items()];
        let mut among: Vec<BTreeMap<u32, f64>> = vec![BTreeMap::new(); segments.len()];
        for user in 0..events.n_users() {
            let history = events.history(user);
            for (at, time) in events.times(user).iter().enumerate() {
                let item = history.items[at];
                let weight = f64::from(history.weights[at]) * self.share(hours(newest, *time));
                weights[item as usize] += weight;
                // Who they were when they touched it, not by it.
                let before = History {
                    items: &history.items[..at],
                    weights: &history.weights[..at],
                };
                if let Some(segment) = segments.of(before) {
                    *among[segment as usize].entry(item).or_default() += weight;
                }
            }
        }
        if weights.iter().all(|weight| *weight <= 0.0) {
            return Err(RecommendError::NoInterest);
        }
        let score = |weight: f64| weight.max(0.0).ln_1p() as f32;
        let list = |items: BTreeMap<u32, f64>| {
            let scores = items
                .into_iter()
                .map(|(item, weight)| (item, score(weight)));
            scores.filter(|(_, score)| *score > 0.0).collect()
        };
        segments.fill(among.into_iter().map(list).collect());
        let scores = weights.iter().map(|weight| score(*weight)).collect();
        let popular = Source::Popular(Popular::new(scores, segments));
        match self.context.is_empty() {
            true => Ok(popular),
            false => self.in_context(data, newest, (&weights, popular)),
        }
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

fn hours(newest: Time, time: Time) -> f64 {
    (newest.0 - time.0) as f64 / MILLISECONDS_AN_HOUR
}
