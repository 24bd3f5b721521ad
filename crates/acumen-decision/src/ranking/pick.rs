//! The list, by several objectives, and how much it has of each.

use serde::{Deserialize, Serialize};

use super::blend::{Blended, blend};
use super::caps::Caps;
use super::diversity::{Diversity, diverse};

/// The candidates of one request, by their place.
pub struct Slate<'a> {
    /// For each source the standardised score of every candidate; nothing of one that was late.
    pub sources: Vec<Option<&'a [f32]>>,
    /// How new each candidate is to people, in any unit; empty where that is not known.
    pub novelty: &'a [f32],
    /// What each candidate is worth to the business, in any unit; empty where that is not known.
    pub value: &'a [f32],
    /// How often each candidate was shown to whoever asks, lately; empty where that is not known.
    pub seen: &'a [f32],
    /// How alike candidates are.
    pub likeness: Likeness<'a>,
}

/// Adds how alike one candidate is to each of some others, from 0 to 1.
pub type Likeness<'a> = &'a dyn Fn(usize, &[usize], &mut Vec<f32>);

/// What a list is made for. Relevance, novelty and value are standardised over the candidates
/// before they are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objectives {
    /// What the sources say.
    pub relevance: f32,
    /// From 0, the order of merit, to just below 1, where merit hardly counts.
    pub diversity: f32,
    /// What few have touched.
    pub novelty: f32,
    /// What is worth much.
    pub business_value: f32,
    /// What a candidate loses each time that it was shown lately, in deviations of relevance: who
    /// passed it by will hardly take it now (impression discounting, Lee et al. 2014).
    pub fatigue: f32,
    /// How unlikeness is traded against merit.
    pub by: Diversity,
}

/// One place of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// The place of the candidate in the slate.
    pub candidate: usize,
    /// Its merit: the weighed sum of all objectives but diversity.
    pub merit: f32,
    /// What each source added to its relevance; they add up to it.
    pub by_source: Vec<f32>,
    /// What novelty added to its merit.
    pub by_novelty: f32,
    /// What business value added to its merit.
    pub by_value: f32,
    /// What fatigue took from its merit: 0 or less.
    pub by_fatigue: f32,
    /// How many places diversity and caps moved it up (above 0) or down from its place by merit.
    pub moved: i64,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// The places, the first first.
    pub list: Vec<Ranked>,
    /// The weights of the sources as they were used.
    pub weights: Vec<f32>,
}

/// How much a list has of what it is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// The mean blended score, in deviations from that of all candidates.
    pub relevance: f32,
    /// The mean of 1 less the likeness of two candidates.
    pub diversity: f32,
    /// The mean novelty, in its own unit.
    pub novelty: f32,
    /// The mean business value, in its own unit.
    pub business_value: f32,
    /// How often an item of it was shown lately, on average.
    pub repetition: f32,
}

impl Default for Objectives {
    /// Relevance alone.
    fn default() -> Objectives {
        Objectives {
            relevance: 1.0,
            diversity: 0.0,
            novelty: 0.0,
            business_value: 0.0,
            fatigue: 0.0,
            by: Diversity::MaximalMarginalRelevance,
        }
    }
}

/// The best list of up to `n` candidates.
///
/// # Panics
/// If there are not as many weights as sources, or parts of the slate differ in length.
pub fn rank(
    slate: &Slate<'_>,
    weights: &[f32],
    objectives: &Objectives,
    caps: Caps,
    n: usize,
) -> Ranking {
    let merits = Merits::of(slate, weights, objectives);
    let (likeness, knob) = (slate.likeness, objectives.diversity);
    let picked = diverse(objectives.by, &merits.merit, likeness, knob, (n, caps));
    merits.ranking(slate, &picked)
}

/// What candidates are worth to a list, before any is picked.
pub(super) struct Merits {
    blended: Blended,
    by_novelty: Vec<f32>,
    by_value: Vec<f32>,
    by_fatigue: Vec<f32>,
    pub(super) merit: Vec<f32>,
}

impl Merits {
    pub(super) fn of(slate: &Slate<'_>, weights: &[f32], objectives: &Objectives) -> Merits {
        let blended = blend(&slate.sources, weights);
        let count = blended.scores.len();
        let relevance = standardised(&blended.scores);
        let parts = |values: &[f32], weight: f32| -> Vec<f32> {
            if values.is_empty() {
                return vec![0.0; count];
            }
            assert_eq!(values.len(), count, "one value a candidate");
            let values = standardised(values).into_iter();
            values.map(|value| weight * value).collect()
        };
        let by_novelty = parts(slate.novelty, objectives.novelty);
        let by_value = parts(slate.value, objectives.business_value);
        let by_fatigue = tired(slate.seen, objectives.fatigue, count);
        let merit = |at: usize| {
            let wanted = objectives.relevance * relevance[at] + by_novelty[at];
            wanted + by_value[at] + by_fatigue[at]
        };
        Merits {
            merit: (0..count).map(merit).collect(),
            blended,
            by_novelty,
            by_value,
            by_fatigue,
        }
    }

    /// The list of those picked.
    pub(super) fn ranking(self, slate: &Slate<'_>, picked: &[usize]) -> Ranking {
        let merit = &self.merit;
        let place = |at: usize| {
            let ahead = |other: &usize| {
                merit[*other] > merit[at] || (merit[*other] == merit[at] && *other < at)
            };
            (0..merit.len()).filter(ahead).count() as i64
        };
        let list = picked.iter().enumerate().map(|(at, &candidate)| Ranked {
            candidate,
            merit: merit[candidate],
            by_source: said(slate, &self.blended, candidate),
            by_novelty: self.by_novelty[candidate],
            by_value: self.by_value[candidate],
            by_fatigue: self.by_fatigue[candidate],
            moved: place(candidate) - at as i64,
        });
        Ranking {
            list: list.collect(),
            weights: self.blended.weights,
        }
    }
}

/// What fatigue takes from the merit of each candidate: of what was shown so often, so many times.
fn tired(seen: &[f32], fatigue: f32, count: usize) -> Vec<f32> {
    if seen.is_empty() {
        return vec![0.0; count];
    }
    assert_eq!(seen.len(), count, "one number a candidate");
    seen.iter().map(|times| 0.0 - fatigue * times).collect()
}

/// What each source has in the blended score of a candidate.
fn said(slate: &Slate<'_>, blended: &Blended, candidate: usize) -> Vec<f32> {
    let sources = slate.sources.iter().zip(&blended.weights);
    sources
        .map(|(source, weight)| source.map_or(0.0, |scores| weight * scores[candidate]))
        .collect()
}

/// Values with a mean of 0 and a deviation of 1; all 0 where they are the same.
fn standardised(values: &[f32]) -> Vec<f32> {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count;
    let scale = match variance > 1e-12 * mean * mean {
        true => variance.sqrt().recip(),
        false => 0.0,
    };
    values.iter().map(|value| scale * (value - mean)).collect()
}

/// How much some places of a list have of what it is made for.
pub fn measure(slate: &Slate<'_>, places: &[&Ranked]) -> Measured {
    let count = places.len().max(1) as f32;
    let mean = |values: &[f32]| match values.is_empty() {
        true => 0.0,
        false => {
            places
                .iter()
                .map(|place| values[place.candidate])
                .sum::<f32>()
                / count
        }
    };
    let relevance = places.iter().flat_map(|place| &place.by_source);
    let candidates: Vec<usize> = places.iter().map(|place| place.candidate).collect();
    let mut alike = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        (slate.likeness)(*candidate, &candidates[at + 1..], &mut alike);
    }
    let apart = alike.iter().map(|alike| 1.0 - alike);
    Measured {
        relevance: relevance.sum::<f32>() / count,
        diversity: apart.sum::<f32>() / alike.len().max(1) as f32,
        novelty: mean(slate.novelty),
        business_value: mean(slate.value),
        repetition: mean(slate.seen),
    }
}
