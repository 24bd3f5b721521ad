//! The gradients of LambdaMART (Burges 2010, "From RankNet to LambdaRank to LambdaMART"): every two
//! rows of a list push each other apart, by as much as exchanging their places would change the
//! gain of the list.

use std::ops::Range;

use rayon::prelude::*;

use super::gain::{discount, ndcg};
use super::lists::ShownLists;
use crate::learner::boosting::{Loss, Pair, logistic};

/// Lists whose gradients are computed by one task; part of no result.
const LISTS_PER_TASK: usize = 64;
/// The least second derivative of a row.
const HESSIAN_MIN: f64 = 1e-16;

/// What is learnt from lists.
pub(super) struct Lambdas<'a> {
    pub(super) train: &'a ShownLists,
    pub(super) gain: Vec<f32>,
    /// The lists that tell when to stop, with their gains.
    pub(super) valid: Option<(&'a ShownLists, Vec<f32>)>,
    pub(super) truncation: usize,
}

impl Loss for Lambdas<'_> {
    fn differentiate(&mut self, margin: &[f32], pairs: &mut [Pair]) {
        let mut lists: Vec<(Range<usize>, &mut [Pair])> = Vec::with_capacity(self.train.len());
        let mut rest = pairs;
        for range in self.train.ranges() {
            let (own, after) = std::mem::take(&mut rest).split_at_mut(range.len());
            lists.push((range, own));
            rest = after;
        }
        let (gain, k) = (&self.gain, self.truncation);
        lists.par_chunks_mut(LISTS_PER_TASK).for_each(|lists| {
            for (range, pairs) in lists {
                of_list(&gain[range.clone()], &margin[range.clone()], k, pairs);
            }
        });
    }

    fn metric(&self) -> &'static str {
        "ndcg"
    }

    fn value(&self, margin: &[f32]) -> f64 {
        self.valid.as_ref().map_or(0.0, |(lists, gain)| {
            ndcg(lists.ranges(), gain, margin, self.truncation)
        })
    }

    fn is_better(&self, a: f64, b: f64) -> bool {
        a > b
    }
}

/// The gradients of one list. Rows of equal margins stand in the order in which they were shown.
fn of_list(gain: &[f32], margin: &[f32], k: usize, pairs: &mut [Pair]) {
    let mut order: Vec<usize> = (0..gain.len()).collect();
    order.sort_by(|a, b| margin[*b].total_cmp(&margin[*a]));
    let mut worth = vec![0.0; gain.len()];
    for (place, row) in order.iter().enumerate() {
        worth[*row] = discount(place, k);
    }
    let mut sums = vec![[0.0_f64; 2]; gain.len()];
    for (at, &first) in order.iter().enumerate() {
        for &second in &order[at + 1..] {
            let (more, less) = match gain[first].total_cmp(&gain[second]) {
                std::cmp::Ordering::Greater => (first, second),
                std::cmp::Ordering::Less => (second, first),
                std::cmp::Ordering::Equal => continue,
            };
            let change = f64::from(gain[more] - gain[less]) * (worth[more] - worth[less]).abs();
            let wrong = f64::from(logistic(margin[less] - margin[more]));
            let (push, bend) = (change * wrong, change * wrong * (1.0 - wrong));
            sums[more] = [sums[more][0] - push, sums[more][1] + bend];
            sums[less] = [sums[less][0] + push, sums[less][1] + bend];
        }
    }
    for (pair, [push, bend]) in pairs.iter_mut().zip(sums) {
        *pair = [push as f32, bend.max(HESSIAN_MIN) as f32];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_push_each_other_apart_by_what_their_exchange_would_change() {
        let mut pairs = [[0.0; 2]; 2];
        of_list(&[0.0, 2.0], &[1.0, 0.5], 10, &mut pairs);
        let change = 2.0 * (1.0 - 1.0 / 3.0_f32.log2());
        let wrong = 1.0 / (1.0 + (-0.5_f32).exp());
        assert!((pairs[0][0] - change * wrong).abs() < 1e-6);
        assert!((pairs[1][0] + change * wrong).abs() < 1e-6);
        assert!((pairs[0][1] - change * wrong * (1.0 - wrong)).abs() < 1e-6);
        assert_eq!(pairs[0][1], pairs[1][1]);
        // Behind the places that count, and of equal gains, there is nothing to change.
        let mut pairs = [[0.0; 2]; 3];
        of_list(&[1.0, 1.0, 0.0], &[3.0, 2.0, 1.0], 1, &mut pairs);
        assert!(pairs[1][0] == 0.0 && pairs[0][0] < 0.0 && pairs[2][0] > 0.0);
    }
}
