//! Sources judged on what visitors took, and weights fitted to that within bounds.

use std::collections::BTreeSet;

use acumen_base::{Seed, Time};
use acumen_decision::ranking::{Bounds, Judged, refit};
use acumen_model::metrics::RankingMetrics;
use acumen_model::metrics::ranking::place_among;
use acumen_model::recommend::proposal::best;
use acumen_model::recommend::{Candidates, History, Interactions, Open, Source, candidates};

use super::sources::declared_weight;
use super::train::Fitting;
use crate::error::EngineError;
use crate::train::TrainProgress;

/// Visitors that are judged on, at most, drawn by their number.
const JUDGED_MAX: usize = 2_000;
/// With fewer, figures are chance.
const JUDGED_LEAST: usize = 30;
/// Candidates of each source.
const CANDIDATES: usize = 200;
/// Places of a list.
const PLACES: usize = 10;

/// What was found of the sources, in declared order.
pub(crate) struct Judgement {
    pub(crate) from: Time,
    pub(crate) judged: usize,
    pub(crate) weights: Vec<f64>,
    pub(crate) alone: Vec<RankingMetrics>,
    pub(crate) adds: Vec<f64>,
    pub(crate) declared: RankingMetrics,
    pub(crate) blend: RankingMetrics,
    pub(crate) coverage: f64,
}

/// One visitor: the candidates, what every source says of them, and which one was taken.
struct Case {
    items: Vec<u32>,
    scores: Vec<Vec<f32>>,
    /// The place of what was taken, where some source put it forward.
    taken: Option<usize>,
}

/// Fits every source to what was before a time and judges it on an item that each visitor took later.
pub(crate) fn judge(
    fitting: &Fitting<'_>,
    from: Time,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Option<Judgement>, EngineError> {
    let all = &fitting.told.interactions;
    let users = drawn(all, from, fitting.seed);
    let before = all.before(from);
    if users.len() < JUDGED_LEAST || before.is_empty() {
        return Ok(None);
    }
    let mut sources = Vec::new();
    for model in fitting.models() {
        sources.push(fitting.fit(model, &before, progress)?.source);
    }
    let available = fitting.told.shelf.catalogue().available().to_vec();
    let fitted_to: Vec<&Source> = sources.iter().collect();
    let cases: Vec<Case> = users
        .iter()
        .map(|(user, place)| Case::of(&fitted_to, all, (*user, *place), &available))
        .collect();
    let names: Vec<&str> = fitting.models().map(|model| model.name.as_str()).collect();
    let declared: Vec<f32> = names
        .iter()
        .map(|name| declared_weight(fitting.ranking, name) as f32)
        .collect();
    let weights = match fitting.ranking.dynamic {
        Some(bounds) => fitted(&cases, &declared, bounds),
        None => declared.clone(),
    };
    let only = |at: usize| {
        (0..names.len())
            .map(|i| f32::from(u8::from(i == at)))
            .collect::<Vec<f32>>()
    };
    let without = |at: usize| {
        let mut weights = weights.clone();
        weights[at] = 0.0;
        weights
    };
    let blend = figures(&cases, &weights);
    let sum: f32 = declared.iter().sum();
    let fitted_sum: f32 = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let adds = |at: usize| match weights[at] > 0.0 {
        true => blend.ndcg - figures(&cases, &without(at)).ndcg,
        false => 0.0,
    };
    Ok(Some(Judgement {
        from,
        judged: cases.len(),
        alone: (0..names.len())
            .map(|at| figures(&cases, &only(at)))
            .collect(),
        adds: (0..names.len()).map(adds).collect(),
        declared: figures(&cases, &declared),
        blend,
        coverage: coverage(&cases, &weights, &available),
        // Together they weigh what was declared, so that the bandit keeps its share.
        weights: weights
            .iter()
            .map(|w| f64::from(w * sum / fitted_sum))
            .collect(),
    }))
}

/// Visitors who took something new from a time on, with the place of one such event, drawn. The
/// first would stand for visitors who just came: most lists are asked for in the middle of a visit,
/// after events that tell what it is about.
fn drawn(all: &Interactions, from: Time, seed: Seed) -> Vec<(usize, usize)> {
    let seed = seed.derive("judged");
    let draw = |user: usize| seed.derive(&user.to_string());
    let one = |user: usize| {
        let start = all.times(user).partition_point(|at| *at < from);
        let history = all.history(user);
        let new = |at: &usize| {
            history.weights[*at] > 0.0 && !history.items[..*at].contains(&history.items[*at])
        };
        let new: Vec<usize> = (start..history.items.len()).filter(new).collect();
        let drawn = (draw(user).unit("event") * new.len() as f64) as usize;
        new.get(drawn).map(|at| (user, *at))
    };
    let mut users: Vec<(usize, usize)> = (0..all.n_users()).filter_map(one).collect();
    users.sort_by_key(|(user, _)| draw(*user).0);
    users.truncate(JUDGED_MAX);
    users
}

impl Case {
    fn of(
        sources: &[&Source],
        all: &Interactions,
        (user, place): (usize, usize),
        available: &[bool],
    ) -> Case {
        let whole = all.history(user);
        let history = History {
            items: &whole.items[..place],
            weights: &whole.weights[..place],
        };
        let said = all.said_at(user, place);
        let sources: Vec<&Source> = sources.iter().map(|source| source.at(&said)).collect();
        let Candidates { items, scores } =
            candidates(&sources, history, &Open::new(available), CANDIDATES);
        Case {
            taken: items.iter().position(|item| *item == whole.items[place]),
            scores,
            items,
        }
    }

    fn blended(&self, weights: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.items.len()];
        for (scores, weight) in self.scores.iter().zip(weights) {
            sums.iter_mut()
                .zip(scores)
                .for_each(|(sum, score)| *sum += weight * score);
        }
        sums
    }
}

fn figures(cases: &[Case], weights: &[f32]) -> RankingMetrics {
    let place = |case: &Case| {
        let (taken, blended) = (case.taken?, case.blended(weights));
        let others = blended.iter().enumerate().filter(|(at, _)| *at != taken);
        Some(place_among(blended[taken], others.map(|(_, score)| *score)))
    };
    RankingMetrics::at(
        PLACES,
        &cases.iter().map(place).collect::<Vec<Option<f64>>>(),
    )
}

/// Weights of the largest gain, each within bounds around its declared one.
fn fitted(cases: &[Case], declared: &[f32], bounds: Bounds) -> Vec<f32> {
    let judged = cases
        .iter()
        .filter_map(|case| Some(Judged::new(&case.scores, case.taken?)));
    let judged: Vec<Judged> = judged.collect();
    let around = |weight: &f32| Bounds {
        least: weight * bounds.least,
        most: weight * bounds.most,
    };
    let bounds: Vec<Bounds> = declared.iter().map(around).collect();
    refit(&judged, declared, &bounds).weights
}

/// The share of the items that may be shown that stand in some list.
fn coverage(cases: &[Case], weights: &[f32], available: &[bool]) -> f64 {
    let mut shown = BTreeSet::new();
    for case in cases {
        let blended = case.blended(weights);
        let all = vec![true; blended.len()];
        let places = best(&blended, &Open::new(&all), PLACES).into_iter();
        shown.extend(places.map(|at| case.items[at as usize]));
    }
    let items = available.iter().filter(|available| **available).count();
    shown.len() as f64 / items.max(1) as f64
}
