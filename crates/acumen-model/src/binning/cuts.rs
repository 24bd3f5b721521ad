//! Where a column of numbers is cut.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};

/// One part in this many of the bins is spent on each tail.
const TAIL_SHARE: usize = 8;

/// The thresholds that cut a column into at most `max_bin` bins of values, ascending.
///
/// With no more distinct values than bins, every distinct value has its own bin. Otherwise bins
/// of equal weight, except that an eighth of them covers the outermost such bin on each side in
/// geometric steps, down to single values at the extremes. A threshold lies midway between the
/// two values that it parts. Where a value is missing, one more threshold lies above the
/// greatest value (as XGBoost places it), so that «known» and «missing» can be parted.
pub fn quantile_cuts(
    values: &[f32],
    weight: Option<&[f32]>,
    max_bin: usize,
    has_missing: bool,
) -> Vec<f32> {
    let (distinct, mass) = distinct_with_mass(values, weight);
    let Some(&greatest) = distinct.last() else {
        return Vec::new();
    };
    let boundaries: Vec<usize> = if distinct.len() <= max_bin {
        (1..distinct.len()).collect()
    } else {
        let n_bins = max_bin - usize::from(has_missing);
        choose(&mass, n_bins.max(2)).into_iter().collect()
    };
    let mut cuts: Vec<f32> = boundaries
        .into_iter()
        .map(|i| between(distinct[i - 1], distinct[i]))
        .collect();
    if has_missing {
        let above = greatest + (greatest.abs() + 1e-5);
        cuts.push(above.min(f32::MAX));
    }
    cuts
}

/// A threshold `t` with `low < t <= high`, midway where the floats allow it, finite where one of
/// the two is.
fn between(low: f32, high: f32) -> f32 {
    let middle = ((f64::from(low) + f64::from(high)) / 2.0) as f32;
    let threshold = if middle > low && middle <= high {
        middle
    } else {
        high
    };
    threshold.min(f32::MAX)
}

/// The distinct values ascending, and the total weight of each.
fn distinct_with_mass(values: &[f32], weight: Option<&[f32]>) -> (Vec<f32>, Vec<f64>) {
    // Adding zero makes the two zeros one value.
    let present = values.iter().enumerate().filter(|(_, v)| !v.is_nan());
    let mut distinct: Vec<f32> = Vec::new();
    let mut mass: Vec<f64> = Vec::new();
    let mut add = |value: f32, weight: f64| {
        if distinct.last() == Some(&value) {
            *mass.last_mut().expect("one mass a distinct value") += weight;
        } else {
            distinct.push(value);
            mass.push(weight);
        }
    };
    match weight {
        None => {
            let mut sorted: Vec<f32> = present.map(|(_, value)| value + 0.0).collect();
            sorted.sort_unstable_by(f32::total_cmp);
            sorted.into_iter().for_each(|value| add(value, 1.0));
        }
        Some(weight) => {
            let mut sorted: Vec<(f32, f32)> = present
                .map(|(row, value)| (value + 0.0, weight[row]))
                .collect();
            sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            sorted
                .into_iter()
                .for_each(|(value, weight)| add(value, f64::from(weight)));
        }
    }
    (distinct, mass)
}

/// Picks the boundaries (index of the first distinct value of each bin but the first).
fn choose(mass: &[f64], n_bins: usize) -> BTreeSet<usize> {
    let n_tail = n_bins / TAIL_SHARE;
    let n_middle = n_bins - 2 * n_tail;
    let prefix: Vec<f64> = std::iter::once(0.0)
        .chain(mass.iter().scan(0.0, |sum, m| {
            *sum += m;
            Some(*sum)
        }))
        .collect();
    let total = prefix[mass.len()];
    let at = |share: f64| prefix.partition_point(|sum| *sum <= share * total);
    let mut boundaries: BTreeSet<usize> = (1..n_middle)
        .map(|i| at(i as f64 / n_middle as f64))
        .filter(|i| (1..mass.len()).contains(i))
        .collect();
    let low = boundaries.first().copied().unwrap_or(mass.len());
    let high = mass.len() - boundaries.last().copied().unwrap_or(0);
    let inside = 1..mass.len();
    boundaries.extend(geometric(low, n_tail).filter(|i| inside.contains(i)));
    let from_the_top = geometric(high, n_tail).map(|i| mass.len().saturating_sub(i));
    boundaries.extend(from_the_top.filter(|i| inside.contains(i)));
    refill(&mut boundaries, &prefix, n_bins - 1);
    boundaries
}

/// Up to `count` steps from an end of the values: one by one, then growing geometrically until
/// they are as wide as `width`, that of a bin of the middle.
fn geometric(width: usize, count: usize) -> impl Iterator<Item = usize> {
    // Of steps that grow by a factor 1 + g, 1/g are single and ln(width)/g reach the width.
    let growth = 1.0 + (1.0 + (width.max(1) as f64).ln()) / count.max(1) as f64;
    let width = width as f64;
    let mut next = 1.0_f64;
    std::iter::from_fn(move || {
        let here = next;
        next = (here * growth)
            .round()
            .clamp(here + 1.0, here + width.max(1.0));
        Some(here as usize)
    })
    .take(count)
}

struct Heavy {
    mass: f64,
    from: usize,
    to: usize,
}

impl PartialEq for Heavy {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Heavy {}
impl PartialOrd for Heavy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Heavy {
    fn cmp(&self, other: &Self) -> Ordering {
        self.mass
            .total_cmp(&other.mass)
            .then(other.from.cmp(&self.from))
    }
}

/// Spends the boundaries that ties left unused: halves the heaviest bin of several values until
/// there are `count`.
fn refill(boundaries: &mut BTreeSet<usize>, prefix: &[f64], count: usize) {
    let bin = |from: usize, to: usize| Heavy {
        mass: prefix[to] - prefix[from],
        from,
        to,
    };
    let mut starts: Vec<usize> = std::iter::once(0)
        .chain(boundaries.iter().copied())
        .collect();
    starts.push(prefix.len() - 1);
    let mut heavy: BinaryHeap<Heavy> = starts
        .windows(2)
        .filter(|w| w[1] - w[0] > 1)
        .map(|w| bin(w[0], w[1]))
        .collect();
    while boundaries.len() < count {
        let Some(Heavy { from, to, .. }) = heavy.pop() else {
            return;
        };
        let half = (prefix[from] + prefix[to]) / 2.0;
        let middle =
            (from + prefix[from..to].partition_point(|sum| *sum < half)).clamp(from + 1, to - 1);
        boundaries.insert(middle);
        for (from, to) in [(from, middle), (middle, to)] {
            if to - from > 1 {
                heavy.push(bin(from, to));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins_of(values: &[f32], cuts: &[f32]) -> Vec<usize> {
        let mut bins: Vec<usize> = values
            .iter()
            .map(|v| cuts.partition_point(|c| c <= v))
            .collect();
        bins.sort_unstable();
        bins.dedup();
        bins
    }

    #[test]
    fn few_distinct_values_have_a_bin_each() {
        let values = [3.0, 1.0, 2.0, 2.0, -0.0, 0.0];
        assert_eq!(quantile_cuts(&values, None, 4, false), [0.5, 1.5, 2.5]);
        let neighbours = [1.0, 1.0_f32.next_up()];
        assert_eq!(
            quantile_cuts(&neighbours, None, 4, false),
            [1.0_f32.next_up()]
        );
    }

    #[test]
    fn a_missing_value_adds_a_cut_above_all_values() {
        let cuts = quantile_cuts(&[1.0, f32::NAN, 2.0], None, 4, true);
        assert_eq!(cuts[0], 1.5);
        assert!(cuts.len() == 2 && cuts[1] > 2.0);
        assert!(quantile_cuts(&[f32::NAN], None, 4, true).is_empty());
    }

    #[test]
    fn infinite_values_have_finite_cuts() {
        let values = [f32::NEG_INFINITY, -1.0, 1.0, f32::INFINITY];
        let cuts = quantile_cuts(&values, None, 8, true);
        assert!(cuts.iter().all(|c| c.is_finite()), "{cuts:?}");
        assert_eq!(bins_of(&values, &cuts[..3]).len(), 4);
    }

    #[test]
    fn every_bin_is_used_and_the_tail_is_fine() {
        let values: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
        let cuts = quantile_cuts(&values, None, 256, false);
        assert_eq!(cuts.len(), 255);
        assert!(cuts.is_sorted_by(|a, b| a < b));
        let widest = cuts.windows(2).map(|w| w[1] - w[0]).fold(0.0, f32::max);
        assert!(widest < 1.5 * 100_000.0 / 192.0, "{widest}");
        let at_fifty_from_the_top = cuts
            .iter()
            .map(|c| (c - 99_950.0).abs())
            .fold(1e9, f32::min);
        assert!(at_fifty_from_the_top < 10.0, "{at_fifty_from_the_top}");
    }

    #[test]
    fn ties_do_not_waste_bins() {
        let mut values = vec![0.0_f32; 90_000];
        values.extend((0..10_000).map(|i| 1.0 + i as f32));
        assert_eq!(quantile_cuts(&values, None, 256, false).len(), 255);
    }

    #[test]
    fn weights_count_as_copies() {
        let values: Vec<f32> = (0..3_000).map(|i| ((i * 7_919) % 3_000) as f32).collect();
        let weight = vec![2.0; values.len()];
        let twice: Vec<f32> = values.iter().chain(&values).copied().collect();
        assert_eq!(
            quantile_cuts(&values, Some(&weight), 64, false),
            quantile_cuts(&twice, None, 64, false)
        );
    }
}
