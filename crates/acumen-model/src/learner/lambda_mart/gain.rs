//! What an order of lists is worth: normalised discounted cumulative gain (Järvelin and Kekäläinen
//! 2002), as if every place had been looked at.

use std::ops::Range;

use super::examination::Examination;
use super::lists::ShownLists;

/// Two orders of the same lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The gain of the first.
    pub first: f64,
    /// The gain of the second.
    pub second: f64,
    /// The standard error of the difference.
    pub error: f64,
}

/// What a place is worth, from 0, of the first `k`.
pub(super) fn discount(place: usize, k: usize) -> f64 {
    match place < k {
        true => 1.0 / (place as f64 + 2.0).log2(),
        false => 0.0,
    }
}

/// The gain of every row: what came of it, as a share of the best that its list could have brought
/// in the first `k` places, weighed by the inverse of how likely its place is to be looked at. The
/// share is taken before weighing: what is found far down stands for as much more than itself.
pub(super) fn gains(lists: &ShownLists, examination: &Examination, k: usize) -> Vec<f32> {
    let mut gains = Vec::with_capacity(lists.reward.len());
    for range in lists.ranges() {
        let rewards = &lists.reward[range.clone()];
        let ideal = ideal(rewards, k);
        let of_row = |row: usize| match ideal > 0.0 {
            true => f64::from(lists.reward[row]) / ideal / examination.of(lists.place[row]),
            false => 0.0,
        };
        gains.extend(range.map(|row| of_row(row) as f32));
    }
    gains
}

/// The cumulative gain of the best order of some gains.
fn ideal(gains: &[f32], k: usize) -> f64 {
    let mut sorted = gains.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let parts = sorted.iter().enumerate();
    parts.map(|(at, g)| f64::from(*g) * discount(at, k)).sum()
}

/// The cumulative gain of the order of some scores; equal ones share their places.
fn cumulative(gains: &[f32], scores: &[f32], k: usize) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let (mut sum, mut place) = (0.0, 0);
    for tied in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let worth: f64 = (place..place + tied.len()).map(|at| discount(at, k)).sum();
        let gain: f64 = tied.iter().map(|row| f64::from(gains[*row])).sum();
        sum += worth / tied.len() as f64 * gain;
        place += tied.len();
    }
    sum
}

/// The gain of the order of some scores over lists: their sum as a share of that of the best
/// orders, so that lists count by the weight of what came of them; 0 where nothing did.
pub(super) fn ndcg(
    ranges: impl Iterator<Item = Range<usize>>,
    gains: &[f32],
    scores: &[f32],
    k: usize,
) -> f64 {
    let (mut found, mut best) = (0.0, 0.0);
    for range in ranges {
        found += cumulative(&gains[range.clone()], &scores[range.clone()], k);
        best += ideal(&gains[range], k);
    }
    if best > 0.0 { found / best } else { 0.0 }
}

/// The gains at `k` of two scores of the rows of lists, and how far apart they are by chance (the
/// error of a ratio of sums over lists, by its linearisation).
///
/// # Panics
/// If there is not one score of each a row.
pub fn compare(
    lists: &ShownLists,
    examination: &Examination,
    (first, second): (&[f32], &[f32]),
    k: usize,
) -> Compared {
    let gains = gains(lists, examination, k);
    let mut parts = Vec::with_capacity(lists.len());
    for range in lists.ranges() {
        let own = &gains[range.clone()];
        let of = |scores: &[f32]| cumulative(own, &scores[range.clone()], k);
        parts.push((of(first), of(second), ideal(own, k)));
    }
    let sum = |of: fn(&(f64, f64, f64)) -> f64| parts.iter().map(of).sum::<f64>();
    let best = sum(|part| part.2).max(f64::MIN_POSITIVE);
    let (first, second) = (sum(|part| part.0) / best, sum(|part| part.1) / best);
    let off = |(a, b, ideal): &(f64, f64, f64)| (a - b - (first - second) * ideal).powi(2);
    Compared {
        first,
        second,
        error: parts.iter().map(off).sum::<f64>().sqrt() / best,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_equal_hand_computed_values() {
        let log = |place: f64| 1.0 / (place + 1.0).log2();
        let (gains, scores) = ([3.0, 0.0, 1.0], [0.1, 0.9, 0.5]);
        let found = log(2.0) + 3.0 * log(3.0);
        let best = 3.0 + log(2.0);
        assert!((cumulative(&gains, &scores, 10) - found).abs() < 1e-12);
        assert!((ndcg(std::iter::once(0..3), &gains, &scores, 10) - found / best).abs() < 1e-12);
        // Of the first two places, and where the last two are the same.
        assert!((cumulative(&gains, &scores, 2) - log(2.0)).abs() < 1e-12);
        let tied = cumulative(&gains, &[0.5, 0.9, 0.5], 10);
        assert!((tied - 4.0 * (log(2.0) + log(3.0)) / 2.0).abs() < 1e-12);
        assert_eq!(ndcg(std::iter::once(0..2), &[0.0; 2], &[1.0, 2.0], 10), 0.0);
    }
}
