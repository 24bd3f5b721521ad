//! Exploration over a list: now and then a place goes to any candidate instead of the next best.

use acumen_base::Seed;
use acumen_base::random::Stream;
use serde::Serialize;

/// A candidate at a place, and the probability with which it stands there given those before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The candidate.
    pub candidate: u32,
    /// Its propensity.
    pub propensity: f64,
}

/// The first `n` places of a ranked list. Each goes to the next best with a probability of
/// `1 − epsilon`, and else to any of those that are left, the next best included.
pub fn explore_slate(
    ranked: &[u32],
    n: usize,
    epsilon: f64,
    (seed, key): (Seed, &str),
) -> Vec<Shown> {
    let mut stream = Stream::new(seed.derive("slate").derive(key));
    let mut left = ranked.to_vec();
    let mut shown = Vec::with_capacity(n.min(left.len()));
    while shown.len() < n && !left.is_empty() {
        let even = epsilon / left.len() as f64;
        let at = match stream.unit() < epsilon {
            true => stream.below(left.len()),
            false => 0,
        };
        let best = if at == 0 { 1.0 - epsilon } else { 0.0 };
        shown.push(Shown {
            candidate: left.remove(at),
            propensity: best + even,
        });
    }
    shown
}
