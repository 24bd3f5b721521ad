//! Lists whose items are good and unlike each other.

use serde::{Deserialize, Serialize};

use super::caps::Caps;
use super::pick::Likeness;

/// How unlikeness is traded against merit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diversity {
    /// Maximal marginal relevance: no item too much like any one before it. Each pick has the largest
    /// `(1 − knob) · merit − knob · (largest likeness to those picked)` (Carbonell and Goldstein
    /// 1998).
    MaximalMarginalRelevance,
    /// A determinantal point process: items that together span much. The greedy search for the list
    /// of the largest determinant of `qᵢ qⱼ Sᵢⱼ` with `qᵢ = exp(merit / 2)` weighed by the knob (Chen,
    /// Zhang and Zhou 2018, "Fast Greedy MAP Inference for Determinantal Point Process"): each pick
    /// has the largest `(1 − knob) · merit + knob · ln(what of it the list does not span yet)`.
    ///
    /// The likeness must be that of vectors of length 1, such as a cosine. Candidates that the list
    /// spans already come last, by merit.
    Determinantal,
    /// Max-sum diversification: no item too much like all those before it together. Each pick has
    /// the largest `(1 − knob) · merit − knob · (sum of the likenesses to those picked)`: the greedy
    /// search for the list with the largest sum of merit and of unlikeness of all pairs (Borodin, Lee
    /// and Ye 2012, "Max-Sum Diversification, Monotone Submodular Functions and Dynamic Updates").
    /// What is above is there for its merit, and the further down, the more unlikeness counts.
    MaxSum,
}

/// A residual below which a candidate is a mixture of those before it.
const DEPENDENT: f64 = 1e-9;

/// How much each candidate gains a list that has those picked so far.
pub(super) struct Gains<'a> {
    likeness: Likeness<'a>,
    knob: f32,
    picked: Picked,
    alike: Vec<f32>,
}

/// What is known of candidates by those picked so far.
enum Picked {
    /// What each is most like among them: kept, so that a pick costs one look at every candidate.
    Nearest { nearest: Vec<f32>, first: bool },
    /// How much each is like them, added up.
    Summed(Vec<f32>),
    /// What of each they do not span, and the lines of the Cholesky factor, one a candidate.
    Spanned {
        residual: Vec<f64>,
        factor: Vec<Vec<f64>>,
    },
}

impl<'a> Gains<'a> {
    /// Of so many candidates, of which none is picked.
    pub(super) fn new(by: Diversity, count: usize, likeness: Likeness<'a>, knob: f32) -> Gains<'a> {
        Gains {
            likeness,
            knob,
            picked: match by {
                Diversity::MaximalMarginalRelevance => Picked::Nearest {
                    nearest: vec![0.0; count],
                    first: true,
                },
                Diversity::MaxSum => Picked::Summed(vec![0.0; count]),
                Diversity::Determinantal => Picked::Spanned {
                    residual: vec![1.0; count],
                    factor: vec![Vec::new(); count],
                },
            },
            alike: Vec::new(),
        }
    }

    /// Takes in that one was picked; `open` may be picked next.
    fn pick(&mut self, last: usize, open: &[usize]) {
        self.alike.clear();
        match &mut self.picked {
            Picked::Nearest { nearest, first } => {
                if self.knob > 0.0 {
                    (self.likeness)(last, open, &mut self.alike);
                }
                for (at, alike) in open.iter().zip(&self.alike) {
                    nearest[*at] = if *first {
                        *alike
                    } else {
                        nearest[*at].max(*alike)
                    };
                }
                *first = false;
            }
            Picked::Summed(sums) => {
                if self.knob > 0.0 {
                    (self.likeness)(last, open, &mut self.alike);
                }
                for (at, alike) in open.iter().zip(&self.alike) {
                    sums[*at] += alike;
                }
            }
            Picked::Spanned { residual, factor } => {
                if self.knob <= 0.0 || residual[last] <= DEPENDENT {
                    return;
                }
                let (line, root) = (factor[last].clone(), residual[last].sqrt());
                (self.likeness)(last, open, &mut self.alike);
                for (&at, alike) in open.iter().zip(&self.alike) {
                    let spanned: f64 = line.iter().zip(&factor[at]).map(|(a, b)| a * b).sum();
                    let entry = (f64::from(*alike) - spanned) / root;
                    factor[at].push(entry);
                    residual[at] -= entry * entry;
                }
            }
        }
    }

    /// What a candidate of some merit gains the list.
    pub(super) fn of(&self, at: usize, merit: f32) -> f64 {
        match &self.picked {
            Picked::Nearest {
                nearest: joined, ..
            }
            | Picked::Summed(joined) => {
                f64::from((1.0 - self.knob) * merit - self.knob * joined[at])
            }
            Picked::Spanned { residual, .. } => {
                let new = residual[at].max(DEPENDENT * DEPENDENT).ln();
                f64::from(1.0 - self.knob) * f64::from(merit) + f64::from(self.knob) * new
            }
        }
    }
}

/// Picks up to `n` candidates, each time the one that gains the list most. With a knob of 0 the list
/// is the order of merit; of equal ones the first comes first.
pub fn diverse(
    by: Diversity,
    merit: &[f32],
    likeness: Likeness<'_>,
    knob: f32,
    (n, caps): (usize, Caps),
) -> Vec<usize> {
    let gains = Gains::new(by, merit.len(), likeness, knob);
    greedy(merit.len(), n, caps, gains, |open, gains| {
        largest(open, |at| gains.of(at, merit[at]))
    })
}

/// Picks one after the other. `pick` sees the candidates that are open and what each would gain.
pub(super) fn greedy(
    count: usize,
    n: usize,
    mut caps: Caps,
    mut gains: Gains<'_>,
    mut pick: impl FnMut(&[usize], &Gains<'_>) -> Option<usize>,
) -> Vec<usize> {
    let mut open: Vec<usize> = (0..count).filter(|at| caps.allow(*at)).collect();
    let mut picked = Vec::with_capacity(n.min(count));
    while picked.len() < n {
        if let Some(last) = picked.last() {
            gains.pick(*last, &open);
        }
        let Some(next) = pick(&open, &gains) else {
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
pub(super) fn largest(open: &[usize], gain: impl Fn(usize) -> f64) -> Option<usize> {
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
