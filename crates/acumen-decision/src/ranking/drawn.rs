//! A list by chance that knows what it does not know (Thompson sampling): what one source says of
//! the candidates is drawn many times from what is known of them, and a candidate is as likely at a
//! place as the draws in which it is the best for it, given those before it.
//!
//! The probability that is logged is a share of the draws. It is exactly the one by which the
//! candidate is chosen, so that whatever is estimated with it is unbiased; as an estimate of the
//! share among infinitely many draws it is off by `√(p(1 − p) / draws)` (one standard deviation), or
//! 0.05 at most with 100 draws.

use super::caps::Caps;
use super::diversity::{Gains, greedy, largest};
use super::pick::{Merits, Objectives, Ranking, Slate};

/// What one source might say of the candidates.
pub struct Draws<'a> {
    /// Which source.
    pub source: usize,
    /// By draw, the standardised score of every candidate.
    pub scores: &'a [Vec<f32>],
    /// The probability with which a place goes to any candidate that is left.
    pub epsilon: f64,
}

/// A candidate that may come next, and how likely that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The place of the candidate in the slate.
    pub candidate: usize,
    /// Its probability, given those before it; those of all that may come next add up to 1.
    pub probability: f64,
}

/// The list of up to `n` candidates that comes out if `next` says which of those that may come next
/// does; with each place its probability, and whether no other candidate was likelier. `None` of
/// `next` ends the list.
///
/// # Panics
/// As [`rank`](super::rank); if there is no draw, or `next` names a candidate that may not come next.
pub fn rank_drawn(
    slate: &Slate<'_>,
    weights: &[f32],
    objectives: &Objectives,
    (caps, n): (Caps, usize),
    draws: &Draws<'_>,
    mut next: impl FnMut(&[Chance]) -> Option<usize>,
) -> (Ranking, Vec<(f64, bool)>) {
    assert!(!draws.scores.is_empty(), "at least one draw");
    let merits = Merits::of(slate, weights, objectives);
    let drawn = draws.scores.iter().map(|scores| {
        let mut sources = slate.sources.clone();
        sources[draws.source] = Some(scores.as_slice());
        let drawn = Slate { sources, ..*slate };
        Merits::of(&drawn, weights, objectives).merit
    });
    let drawn: Vec<Vec<f32>> = drawn.collect();
    let count = merits.merit.len();
    let gains = Gains::new(objectives.by, count, slate.likeness, objectives.diversity);
    let (mut wins, mut shown) = (vec![0_usize; count], Vec::new());
    let picked = greedy(count, n, caps, gains, |open, gains| {
        for merit in &drawn {
            let best = largest(open, |at| gains.of(at, merit[at]))?;
            wins[best] += 1;
        }
        let even = draws.epsilon / open.len() as f64;
        let chance = |candidate: usize| Chance {
            candidate,
            probability: (1.0 - draws.epsilon) * wins[candidate] as f64 / drawn.len() as f64 + even,
        };
        let chances: Vec<Chance> = open.iter().map(|at| chance(*at)).collect();
        open.iter().for_each(|at| wins[*at] = 0);
        let candidate = next(&chances)?;
        let taken = chances.iter().find(|chance| chance.candidate == candidate);
        let taken = taken.expect("`next` takes one that may come next");
        let likeliest = |other: &Chance| other.probability <= taken.probability;
        shown.push((taken.probability, chances.iter().all(likeliest)));
        Some(candidate)
    });
    (merits.ranking(slate, &picked), shown)
}

/// Takes one by chance: `unit` is a number in [0, 1).
pub fn take(chances: &[Chance], unit: f64) -> Option<usize> {
    let mut left = unit;
    let mut taken = None;
    for chance in chances.iter().filter(|chance| chance.probability > 0.0) {
        // Where rounding leaves a rest, the last that is possible is taken.
        taken = Some(chance.candidate);
        left -= chance.probability;
        if left < 0.0 {
            break;
        }
    }
    taken
}
