//! Lists whose items are good and unlike each other.

use serde::{Deserialize, Serialize};

use super::caps::Caps;
use super::pick::Likeness;

/// How unlikeness is traded against merit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diversity {
    /// Maximal marginal relevance: no item too much like any one before it.
    MaximalMarginalRelevance,
    /// A determinantal point process: items that together span much.
    Determinantal,
    /// Max-sum diversification: no item too much like all those before it together.
    MaxSum,
}

/// A residual below which a candidate is a mixture of those before it.
const DEPENDENT: f64 = 1e-9;

/// Picks up to `n` candidates, each time the one of the largest
/// `(1 − knob) · merit − knob · (largest likeness to those picked)` (Carbonell and Goldstein 1998).
/// With a knob of 0 the list is the order of merit; of equal ones the first comes first.
pub fn maximal_marginal_relevance(
    merit: &[f32],
    likeness: Likeness<'_>,
    knob: f32,
    n: usize,
    caps: Caps,
) -> Vec<usize> {
    marginal(f32::max, (merit, likeness), knob, (n, caps))
}

/// Picks up to `n` candidates, each time the one of the largest
/// `(1 − knob) · merit − knob · (sum of the likenesses to those picked)`: the greedy search for the
/// list with the largest sum of merit and of unlikeness of all pairs (Borodin, Lee and Ye 2012,
/// "Max-Sum Diversification, Monotone Submodular Functions and Dynamic Updates"). What is above is
/// there for its merit, and the further down, the more unlikeness counts.
pub fn max_sum(
    merit: &[f32],
    likeness: Likeness<'_>,
    knob: f32,
    n: usize,
    caps: Caps,
) -> Vec<usize> {
    marginal(|sum, alike| sum + alike, (merit, likeness), knob, (n, caps))
}

/// Picks by merit and what the likenesses to those picked come to, one after the other.
fn marginal(
    join: impl Fn(f32, f32) -> f32,
    (merit, likeness): (&[f32], Likeness<'_>),
    knob: f32,
    (n, caps): (usize, Caps),
) -> Vec<usize> {
    // Kept for each candidate, so that a pick costs one look at every one.
    let mut joined = vec![0.0_f32; merit.len()];
    let (mut first, mut alike) = (true, Vec::new());
    let gain = |at: usize, joined: &[f32]| (1.0 - knob) * merit[at] - knob * joined[at];
    greedy(merit.len(), n, caps, |open, last| {
        if let Some(last) = last {
            alike.clear();
            if knob > 0.0 {
                likeness(last, open, &mut alike);
            }
            for (at, alike) in open.iter().zip(&alike) {
                joined[*at] = if first {
                    *alike
                } else {
                    join(joined[*at], *alike)
                };
            }
            first = false;
        }
        largest(open, |at| f64::from(gain(at, &joined)))
    })
}

/// Picks up to `n` candidates by the greedy search for the list of the largest determinant of
/// `qᵢ qⱼ Sᵢⱼ` with `qᵢ = exp(merit / 2)` weighed by the knob (Chen, Zhang and Zhou 2018, "Fast
/// Greedy MAP Inference for Determinantal Point Process"): each pick has the largest
/// `(1 − knob) · merit + knob · ln(what of it the list does not span yet)`.
///
/// `likeness` must be that of vectors of length 1, such as a cosine. Candidates that the list
/// spans already come last, by merit.
pub fn determinantal(
    merit: &[f32],
    likeness: Likeness<'_>,
    knob: f32,
    n: usize,
    caps: Caps,
) -> Vec<usize> {
    let count = merit.len();
    let mut residual = vec![1.0_f64; count];
    // Lines of the Cholesky factor, one a candidate.
    let mut factor: Vec<Vec<f64>> = vec![Vec::new(); count];
    let mut alike = Vec::new();
    greedy(count, n, caps, |open, last| {
        if let Some(last) = last.filter(|last| knob > 0.0 && residual[*last] > DEPENDENT) {
            let (line, root) = (factor[last].clone(), residual[last].sqrt());
            alike.clear();
            likeness(last, open, &mut alike);
            for (&at, alike) in open.iter().zip(&alike) {
                let spanned: f64 = line.iter().zip(&factor[at]).map(|(a, b)| a * b).sum();
                let entry = (f64::from(*alike) - spanned) / root;
                factor[at].push(entry);
                residual[at] -= entry * entry;
            }
        }
        largest(open, |at| {
            let new = residual[at].max(DEPENDENT * DEPENDENT).ln();
            f64::from(1.0 - knob) * f64::from(merit[at]) + f64::from(knob) * new
        })
    })
}

/// Picks one after the other. `pick` sees the candidates that are open and the last one picked.
fn greedy(
    count: usize,
    n: usize,
    mut caps: Caps,
    mut pick: impl FnMut(&[usize], Option<usize>) -> Option<usize>,
) -> Vec<usize> {
    let mut open: Vec<usize> = (0..count).filter(|at| caps.allow(*at)).collect();
    let mut picked = Vec::with_capacity(n.min(count));
    while picked.len() < n {
        let Some(next) = pick(&open, picked.last().copied()) else {
            break;
        };
        picked.push(next);
        match caps.take(next) {
            true => open.retain(|at| *at != next && caps.allow(*at)),
            false => open.retain(|at| *at != next),
        }
    }
    picked
}

/// The one of the largest gain, of equal ones the first.
fn largest(open: &[usize], gain: impl Fn(usize) -> f64) -> Option<usize> {
    let with_gain = open.iter().map(|&at| (at, gain(at)));
    let best = with_gain.reduce(|best, next| {
        if next.1.total_cmp(&best.1).is_gt() {
            next
        } else {
            best
        }
    });
    best.map(|(at, _)| at)
}
