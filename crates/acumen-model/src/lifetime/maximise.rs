//! The greatest value of a smooth function of a few variables: BFGS (Nocedal and Wright 2006,
//! "Numerical optimization", algorithm 6.1) with a line search that halves its step.

use super::Term;

/// Variables are logarithms and stay within this of 0: beyond it a parameter is as good as
/// endless or nothing.
const BOUND: f64 = 14.0;
/// A gradient in which no part is greater is none.
const FLAT: f64 = 1e-9;
/// The longest step in any variable.
const STEP_MAX: f64 = 1.0;
const ITERATIONS_MAX: usize = 500;
const HALVINGS_MAX: usize = 40;
/// The share of the promised rise that a step must bring.
const RISE_SHARE: f64 = 1e-4;

/// Where a function is greatest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maximum<const N: usize> {
    pub(super) at: [f64; N],
    pub(super) iterations: usize,
}

/// Climbs from `start`; `f` gives a value and its gradient.
pub(super) fn maximise<const N: usize>(
    start: [f64; N],
    f: impl Fn(&[f64; N]) -> Term<N>,
) -> Maximum<N> {
    let mut at = start;
    let mut here = f(&at);
    let mut inverse = identity();
    let mut is_fresh = true;
    for iterations in 0..ITERATIONS_MAX {
        let free = inward(&at, here.gradient);
        if free.iter().all(|slope| slope.abs() < FLAT) {
            return Maximum { at, iterations };
        }
        let mut direction = inward(&at, times(&inverse, &free));
        if dot(&direction, &free) <= 0.0 {
            (inverse, is_fresh, direction) = (identity(), true, free);
        }
        let Some((next, found)) = climb(&f, (&at, here.value), &direction, dot(&direction, &free))
        else {
            if is_fresh {
                return Maximum { at, iterations };
            }
            (inverse, is_fresh) = (identity(), true);
            continue;
        };
        let step: [f64; N] = std::array::from_fn(|i| next[i] - at[i]);
        let bend: [f64; N] = std::array::from_fn(|i| here.gradient[i] - found.gradient[i]);
        (at, here) = (next, found);
        is_fresh = !update(&mut inverse, &step, &bend, is_fresh) && is_fresh;
    }
    Maximum {
        at,
        iterations: ITERATIONS_MAX,
    }
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

/// Learns the curvature from a step; `false` where the step shows none.
fn update<const N: usize>(
    inverse: &mut [[f64; N]; N],
    step: &[f64; N],
    bend: &[f64; N],
    is_fresh: bool,
) -> bool {
    let along = dot(step, bend);
    let strength = dot(bend, bend);
    if along <= 1e-14 * strength.sqrt() * dot(step, step).sqrt() {
        return false;
    }
    if is_fresh {
        let scale = along / strength;
        inverse.iter_mut().flatten().for_each(|part| *part *= scale);
    }
    let moved = times(inverse, bend);
    let factor = (1.0 + dot(bend, &moved) / along) / along;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] +=
                factor * step[i] * step[j] - (moved[i] * step[j] + step[i] * moved[j]) / along;
        }
    }
    true
}

/// A direction without what leads out of the bounds.
fn inward<const N: usize>(at: &[f64; N], direction: [f64; N]) -> [f64; N] {
    std::array::from_fn(|i| {
        let leads_out = at[i].abs() >= BOUND && at[i] * direction[i] > 0.0;
        if leads_out { 0.0 } else { direction[i] }
    })
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))))
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
        let found = maximise([-1.2, 1.0], |[x, y]| {
            let (off, across) = (1.0 - x, y - x * x);
            let value = -(off * off + 100.0 * across * across);
            let gradient = [2.0 * off + 400.0 * x * across, -200.0 * across];
            Term { value, gradient }
        });
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-7), "{found:?}");
        assert!(found.iterations < 100, "{found:?}");
    }

    #[test]
    fn a_top_beyond_the_bounds_is_met_at_the_bound() {
        let found = maximise([0.0, 0.0], |[x, y]| Term {
            value: x - (y - 2.0).powi(2),
            gradient: [1.0, -2.0 * (y - 2.0)],
        });
        assert_eq!(found.at[0], BOUND);
        assert!((found.at[1] - 2.0).abs() < 1e-6, "{found:?}");
    }
}
