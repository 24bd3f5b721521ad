//! Splits of a category column: one category against the rest, or the optimal partition.

use super::{Candidate, Direction, Found, HESSIAN_MIN, Rule};
use crate::binning::BinnedColumn;
use crate::learner::boosting::histogram::Sum;

impl Candidate<'_> {
    /// The best categories to send right. With few categories each is tried alone; with more,
    /// they are ordered by weight and every prefix and suffix is tried: the best partition is
    /// among them (Fisher 1958).
    pub(super) fn best_categories(&self, column: &BinnedColumn, bins: &[Sum]) -> Option<Found> {
        let (values, missing) = bins.split_at(column.n_values);
        let missing = missing.first().copied().unwrap_or_default();
        let present: Vec<u32> = (0..values.len() as u32)
            .filter(|&bin| values[bin as usize].hessian > HESSIAN_MIN)
            .collect();
        let mut best = BestSet::default();
        if column.n_values <= self.penalty.max_cat_to_onehot {
            for &bin in &present {
                self.weigh(values[bin as usize], missing, &[bin], &mut best);
            }
        } else {
            let lambda = self.penalty.lambda;
            let weight = |bin: &u32| {
                let sum = values[*bin as usize];
                -sum.gradient / (sum.hessian + lambda)
            };
            let mut ordered = present;
            ordered.sort_by(|a, b| weight(a).total_cmp(&weight(b)).then(a.cmp(b)));
            self.weigh_prefixes(values, missing, &ordered, &mut best);
            ordered.reverse();
            self.weigh_prefixes(values, missing, &ordered, &mut best);
        }
        best.found.map(|mut found| {
            found.rule = Rule::Categories({
                best.right.sort_unstable();
                best.right
            });
            found
        })
    }

    fn weigh_prefixes(&self, values: &[Sum], missing: Sum, ordered: &[u32], best: &mut BestSet) {
        let mut right = Sum::default();
        let longest = ordered.len().min(self.penalty.max_cat_threshold);
        for end in 1..=longest {
            right += values[ordered[end - 1] as usize];
            self.weigh(right, missing, &ordered[..end], best);
        }
    }

    /// Weighs one set of categories with the missing values left and, where there are any, right.
    fn weigh(&self, right: Sum, missing: Sum, set: &[u32], best: &mut BestSet) {
        let with_missing = (missing.hessian > HESSIAN_MIN).then_some((false, right + missing));
        for (default_left, right) in std::iter::once((true, right)).chain(with_missing) {
            let left = self.total - right;
            if !self.penalty.enough(left) || !self.penalty.enough(right) {
                continue;
            }
            let gain = self.pair_gain(left, right, Direction::Free);
            if best.found.as_ref().is_none_or(|found| gain > found.gain) {
                best.right = set.to_vec();
                best.found = Some(Found {
                    gain,
                    rule: Rule::Categories(Vec::new()),
                    default_left,
                    left,
                });
            }
        }
    }
}

#[derive(Default)]
struct BestSet {
    found: Option<Found>,
    right: Vec<u32>,
}
