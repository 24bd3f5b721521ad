//! The most likely model of many histories.

use rayon::prelude::*;

use super::maximise::maximise;
use super::{Histories, PurchaseProcess, Term};

/// Rows that are added up by one task; sums of pieces are added in order, so that the number of
/// threads is part of no result.
const PIECE: usize = 4_096;

/// A model that was fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit<P> {
    /// The model.
    pub process: P,
    /// The logarithm of its likelihood.
    pub log_likelihood: f64,
    /// How many steps it took.
    pub iterations: usize,
}

/// Fits a model by maximum likelihood, on the threads of the current pool.
pub fn fit<P: PurchaseProcess>(histories: &Histories) -> Fit<P> {
    // In units of the longest age, so that the unit of time does not matter.
    let unit = histories.longest().max(f64::MIN_POSITIVE);
    let scaled = histories.in_unit(unit);
    let best = maximise([0.0; 4], |ln: &[f64; 4]| {
        let parameters = ln.map(f64::exp);
        let Term { value, gradient } = log_likelihood(&P::of(parameters), &scaled);
        Term {
            value: value / scaled.weight,
            gradient: std::array::from_fn(|i| gradient[i] * parameters[i] / scaled.weight),
        }
    });
    let parameters = best.at.map(f64::exp);
    let process = P::of(std::array::from_fn(|i| match P::TIMES[i] {
        true => parameters[i] * unit,
        false => parameters[i],
    }));
    Fit {
        log_likelihood: log_likelihood(&process, histories).value,
        process,
        iterations: best.iterations,
    }
}

/// The log-likelihood of all histories, with its derivatives.
pub(super) fn log_likelihood<P: PurchaseProcess>(process: &P, histories: &Histories) -> Term {
    let counts = in_pieces(&histories.counts, |sum, piece| {
        for (repeats, weight) in piece {
            sum.add(&process.count_term(*repeats), *weight);
        }
    });
    let mut all = in_pieces(&histories.each, |sum, piece| {
        for (history, weight) in piece {
            sum.add(&process.time_term(history), *weight);
        }
    });
    all.add(&counts, 1.0);
    all
}

/// A sum over items that is added up piece by piece, on all threads.
pub(super) fn in_pieces<T: Sync, const N: usize>(
    items: &[T],
    add: impl Fn(&mut Term<N>, &[T]) + Sync,
) -> Term<N> {
    let sums: Vec<Term<N>> = items
        .par_chunks(PIECE)
        .map(|piece| {
            let mut sum = Term::ZERO;
            add(&mut sum, piece);
            sum
        })
        .collect();
    let mut all = Term::ZERO;
    sums.iter().for_each(|sum| all.add(sum, 1.0));
    all
}
