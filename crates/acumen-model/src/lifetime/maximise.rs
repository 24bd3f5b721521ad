//! The greatest value of a smooth function of a few variables: BFGS (Nocedal and Wright 2006,
//! "Numerical optimization", algorithm 6.1) with a line search that halves its step.

use super::Term;

/// Variables are logarithms and stay within this of 0: beyond it a parameter is as good as
/// endless or nothing.
const BOUND: f64 = 14.0;
/// A gradient in which no part is greater is none.
const FLAT: f64 = 1e-9;
/// A rise, relative to the value, that is lost in the rounding of a sum over many rows.
const ROUNDING: f64 = 1e-13;
/// The longest step in any variable.
const STEP_MAX: f64 = 1.0;
const ITERATIONS_MAX: usize = 500;
const HALVINGS_MAX: usize = 40;
/// The share of the promised rise that a step must bring.
const RISE_SHARE: f64 = 1e-4;

/// Where a climb stands: where it begins, or where a function is greatest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand<const N: usize> {
    pub(super) at: [f64; N],
    pub(super) iterations: usize,
    /// What is known of the curvature: the inverse of the Hessian, negative.
    inverse: Option<[[f64; N]; N]>,
}

impl<const N: usize> Stand<N> {
    /// At a point of which nothing is known.
    pub(super) fn new(at: [f64; N]) -> Stand<N> {
        Stand {
            at,
            iterations: 0,
            inverse: None,
        }
    }

    /// Whether a variable is as far from 0 as it may be.
    pub(super) fn is_at_bound(&self) -> bool {
        self.at.iter().any(|variable| variable.abs() >= BOUND)
    }
}

/// Climbs from where another climb has come to; `f` gives a value and its gradient.
pub(super) fn maximise<const N: usize>(
    start: Stand<N>,
    f: impl Fn(&[f64; N]) -> Term<N>,
) -> Stand<N> {
    let mut stand = start;
    let mut here = f(&stand.at);
    while stand.iterations < ITERATIONS_MAX {
        let free = inward(&stand.at, here.gradient);
        if free.iter().all(|slope| slope.abs() < FLAT) {
            break;
        }
        let known = stand
            .inverse
            .map(|inverse| inward(&stand.at, times(&inverse, &free)));
        let rising = known.filter(|direction| dot(direction, &free) > 0.0);
        let direction = rising.unwrap_or(free);
        let slope = dot(&direction, &free);
        if slope <= ROUNDING * (1.0 + here.value.abs()) {
            break;
        }
        let Some((next, found)) = climb(&f, (&stand.at, here.value), &direction, slope) else {
            if rising.is_none() {
                break;
            }
            stand.inverse = None;
            continue;
        };
        let step: [f64; N] = std::array::from_fn(|i| next[i] - stand.at[i]);
        let bend: [f64; N] = std::array::from_fn(|i| here.gradient[i] - found.gradient[i]);
        stand.inverse = updated(rising.and(stand.inverse), &step, &bend);
        stand.iterations += 1;
        (stand.at, here) = (next, found);
    }
    stand
}

/// The first of ever shorter steps that brings a fair share of the rise that the slope promises.
fn climb<const N: usize>(
    f: &impl Fn(&[f64; N]) -> Term<N>,
    (at, value): (&[f64; N], f64),
    direction: &[f64; N],
    slope: f64,
) -> Option<([f64; N], Term<N>)> {
    let longest = direction
        .iter()
        .fold(0.0, |most, part: &f64| part.abs().max(most));
    let mut length = (STEP_MAX / longest).min(1.0);
    for _ in 0..HALVINGS_MAX {
        let next: [f64; N] =
            std::array::from_fn(|i| (at[i] + length * direction[i]).clamp(-BOUND, BOUND));
        let found = f(&next);
        if found.value >= value + RISE_SHARE * length * slope && next != *at {
            return Some((next, found));
        }
        length /= 2.0;
    }
    None
}

/// What is known of the curvature after a step; as before where the step shows none.
fn updated<const N: usize>(
    known: Option<[[f64; N]; N]>,
    step: &[f64; N],
    bend: &[f64; N],
) -> Option<[[f64; N]; N]> {
    let along = dot(step, bend);
    let strength = dot(bend, bend);
    if along <= 1e-14 * strength.sqrt() * dot(step, step).sqrt() {
        return known;
    }
    let mut inverse = known.unwrap_or_else(|| diagonal(along / strength));
    let moved = times(&inverse, bend);
    let factor = (1.0 + dot(bend, &moved) / along) / along;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] +=
                factor * step[i] * step[j] - (moved[i] * step[j] + step[i] * moved[j]) / along;
        }
    }
    Some(inverse)
}

/// A direction without what leads out of the bounds.
fn inward<const N: usize>(at: &[f64; N], direction: [f64; N]) -> [f64; N] {
    std::array::from_fn(|i| {
        let leads_out = at[i].abs() >= BOUND && at[i] * direction[i] > 0.0;
        if leads_out { 0.0 } else { direction[i] }
    })
}

fn diagonal<const N: usize>(value: f64) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { value } else { 0.0 }))
}

fn times<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|i| dot(&matrix[i], vector))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_climbs_a_curved_ridge() {
        // Rosenbrock's valley upside down; its top is at (1, 1).
        let found = maximise(Stand::new([-1.2, 1.0]), |[x, y]| {
            let (off, across) = (1.0 - x, y - x * x);
            let value = -(off * off + 100.0 * across * across);
            let gradient = [2.0 * off + 400.0 * x * across, -200.0 * across];
            Term { value, gradient }
        });
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-6), "{found:?}");
        assert!(found.iterations < 100, "{found:?}");
    }

    #[test]
    fn a_top_beyond_the_bounds_is_met_at_the_bound() {
        let found = maximise(Stand::new([0.0, 0.0]), |[x, y]| Term {
            value: x - (y - 2.0).powi(2),
            gradient: [1.0, -2.0 * (y - 2.0)],
        });
        assert_eq!(found.at[0], BOUND);
        assert!((found.at[1] - 2.0).abs() < 1e-6, "{found:?}");
    }
}
