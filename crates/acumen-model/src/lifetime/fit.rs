//! The most likely model of many histories.

use rayon::prelude::*;

use super::maximise::{Stand, maximise};
use super::{Histories, PurchaseProcess, Term};

/// Rows that are added up by one task; sums of pieces are added in order, so that the number of
/// threads is part of no result.
const PIECE: usize = 4_096;

/// Rows that say well enough where to begin.
const FEW: usize = 10_000;

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
    let best = few_first(&scaled.each, [0.0; 4], |rows, start| {
        let rows = Histories::grouped(rows.to_vec());
        maximise(start, |ln: &[f64; 4]| {
            let parameters = ln.map(f64::exp);
            let Term { value, gradient } = log_likelihood(&P::of(parameters), &rows);
            Term {
                value: value / rows.weight,
                gradient: std::array::from_fn(|i| gradient[i] * parameters[i] / rows.weight),
            }
        })
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

/// Climbs on every so many of the rows, which are in order, and from there on all of them: where
/// many are alike, few steps are left then that cost much.
pub(super) fn few_first<T: Clone, const N: usize>(
    rows: &[T],
    start: [f64; N],
    climb: impl Fn(&[T], Stand<N>) -> Stand<N>,
) -> Stand<N> {
    let start = Stand::new(start);
    if rows.len() <= 2 * FEW {
        return climb(rows, start);
    }
    let few: Vec<T> = rows.iter().step_by(rows.len() / FEW).cloned().collect();
    let found = climb(&few, start);
    // Few rows may lack what bounds a parameter, and far out there is no slope to come back by.
    climb(rows, if found.is_at_bound() { start } else { found })
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
