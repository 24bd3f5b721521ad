//! Which split of a node lowers the loss most (Chen and Guestrin 2016, sections 2.2 and 3).

use super::histogram::Sum;
use crate::binning::{BinnedColumn, Cuts};

mod category;

/// A split must lower the loss by more than this, as in XGBoost.
const GAIN_MIN: f64 = 1e-6;
/// Less than this is no row but what rounding left of a difference of sums.
const HESSIAN_MIN: f64 = 1e-6;

/// What regularises a tree.
#[derive(Clone, Debug)]
pub(super) struct Penalty {
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    pub(super) min_child_weight: f64,
    /// 0 is none.
    pub(super) max_delta_step: f64,
    pub(super) max_cat_to_onehot: usize,
    pub(super) max_cat_threshold: usize,
}

/// Which way a column may move the margin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Direction {
    /// Either.
    #[default]
    Free,
    /// Never down as the value grows.
    Up,
    /// Never up as the value grows.
    Down,
}

/// Between what the weight of a node must lie, so that monotone columns above it hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
        }
    }
}

/// How a split parts the bins of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    /// Bins up to this one go left.
    UpTo(usize),
    /// These bins, ascending, go right.
    Categories(Vec<u32>),
}

/// A split of a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Split {
    /// The position in `BinnedMatrix::columns`.
    pub(super) column: usize,
    pub(super) rule: Rule,
    pub(super) default_left: bool,
    pub(super) gain: f64,
    pub(super) left: Sum,
    pub(super) right: Sum,
}

/// The node whose splits are weighed.
pub(super) struct Candidate<'a> {
    pub(super) penalty: &'a Penalty,
    pub(super) total: Sum,
    pub(super) bounds: Bounds,
    /// Whether any column is monotone (bounds and weights must then be looked at).
    pub(super) constrained: bool,
}

impl Penalty {
    /// The gradient after the L1 penalty.
    fn shrunk(&self, gradient: f64) -> f64 {
        gradient.signum() * (gradient.abs() - self.alpha).max(0.0)
    }

    /// The best weight of a leaf.
    pub(super) fn weight(&self, sum: Sum, bounds: Bounds) -> f64 {
        if sum.hessian <= 0.0 {
            return 0.0;
        }
        let mut weight = -self.shrunk(sum.gradient) / (sum.hessian + self.lambda);
        if self.max_delta_step > 0.0 {
            weight = weight.clamp(-self.max_delta_step, self.max_delta_step);
        }
        weight.clamp(bounds.low, bounds.high)
    }

    /// How far a weight lowers the loss, twice (XGBoost's scale).
    fn gain_at(&self, sum: Sum, weight: f64) -> f64 {
        -(2.0 * sum.gradient * weight
            + (sum.hessian + self.lambda) * weight * weight
            + 2.0 * self.alpha * weight.abs())
    }

    fn enough(&self, sum: Sum) -> bool {
        sum.hessian >= self.min_child_weight.max(HESSIAN_MIN)
    }
}

impl Candidate<'_> {
    /// Whether a leaf's gain has the closed form `G² / (H + λ)`.
    fn is_plain(&self) -> bool {
        !self.constrained && self.penalty.alpha == 0.0 && self.penalty.max_delta_step == 0.0
    }

    fn leaf_gain(&self, sum: Sum) -> f64 {
        if self.is_plain() {
            sum.gradient * sum.gradient / (sum.hessian + self.penalty.lambda)
        } else {
            self.penalty
                .gain_at(sum, self.penalty.weight(sum, self.bounds))
        }
    }

    /// The gain of two leaves; none where a monotone column would turn.
    fn pair_gain(&self, left: Sum, right: Sum, direction: Direction) -> f64 {
        let low = self.penalty.weight(left, self.bounds);
        let high = self.penalty.weight(right, self.bounds);
        let turns = match direction {
            Direction::Free => false,
            Direction::Up => low > high,
            Direction::Down => low < high,
        };
        if turns {
            return f64::NEG_INFINITY;
        }
        self.penalty.gain_at(left, low) + self.penalty.gain_at(right, high)
    }

    /// The best split of one column, if any lowers the loss enough.
    pub(super) fn best(
        &self,
        position: usize,
        column: &BinnedColumn,
        bins: &[Sum],
        direction: Direction,
    ) -> Option<Split> {
        let found = match column.cuts {
            Cuts::Number(_) if self.is_plain() => self.scan_plain(column, bins),
            Cuts::Number(_) => self.scan(column, bins, |left, right| {
                self.pair_gain(left, right, direction)
            }),
            Cuts::Category => self.best_categories(column, bins),
        }?;
        let gain = found.gain - self.leaf_gain(self.total);
        let accepted = gain > GAIN_MIN && gain >= self.penalty.gamma;
        accepted.then(|| Split {
            column: position,
            rule: found.rule,
            default_left: found.default_left,
            gain,
            left: found.left,
            right: self.total - found.left,
        })
    }

    fn scan_plain(&self, column: &BinnedColumn, bins: &[Sum]) -> Option<Found> {
        let lambda = self.penalty.lambda;
        self.scan(column, bins, |left, right| {
            left.gradient * left.gradient / (left.hessian + lambda)
                + right.gradient * right.gradient / (right.hessian + lambda)
        })
    }

    /// Tries every threshold; missing values right first, then left where there are any.
    #[inline]
    fn scan(
        &self,
        column: &BinnedColumn,
        bins: &[Sum],
        gain_of: impl Fn(Sum, Sum) -> f64,
    ) -> Option<Found> {
        let (values, missing) = bins.split_at(column.n_values);
        // «Known left, missing right» is a split too.
        let n_cuts = column.n_values - usize::from(missing.is_empty());
        let mut best = self.scan_from(Sum::default(), &values[..n_cuts], &gain_of);
        let mut default_left = false;
        if let Some(&missing) = missing.first()
            && missing.hessian > HESSIAN_MIN
            && let Some(other) = self.scan_from(missing, &values[..n_cuts - 1], &gain_of)
            && best.is_none_or(|(gain, _, _)| other.0 > gain)
        {
            best = Some(other);
            default_left = true;
        }
        best.map(|(gain, cut, left)| Found {
            gain,
            rule: Rule::UpTo(cut),
            default_left,
            left,
        })
    }

    #[inline]
    fn scan_from(
        &self,
        start: Sum,
        values: &[Sum],
        gain_of: &impl Fn(Sum, Sum) -> f64,
    ) -> Option<(f64, usize, Sum)> {
        let least = self.penalty.min_child_weight.max(HESSIAN_MIN);
        let mut left = start;
        let mut best_gain = f64::NEG_INFINITY;
        let mut best_cut = 0;
        let mut best_left = start;
        for (cut, &sum) in values.iter().enumerate() {
            left += sum;
            let right = self.total - left;
            if left.hessian >= least && right.hessian >= least {
                let gain = gain_of(left, right);
                if gain > best_gain {
                    (best_gain, best_cut, best_left) = (gain, cut, left);
                }
            }
        }
        (best_gain > f64::NEG_INFINITY).then_some((best_gain, best_cut, best_left))
    }
}

/// The best that one column offers; the gain is that of the two leaves.
struct Found {
    gain: f64,
    rule: Rule,
    default_left: bool,
    left: Sum,
}
