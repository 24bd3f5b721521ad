//! An isolation forest that is ready to answer.

use acumen_base::Deadline;
use rayon::prelude::*;

use super::planes::Planes;
use super::{IsolationForest, margin_of_length};
use crate::compiled::CompiledForest;
use crate::data::Matrix;
use crate::fitted::Scorer;
use crate::shap::{Explainer, Explanation, mean_slope};

/// Path lengths compiled, and the margin that they come to.
#[derive(Debug)]
pub(crate) struct IsolationScorer {
    lengths: Lengths,
    n_trees: f64,
}

/// How path lengths are summed and explained.
#[derive(Debug)]
enum Lengths {
    /// Splits on one column: the layout of boosted trees, and exact Shapley values.
    Straight(CompiledForest, Explainer),
    /// Planes, explained along the path.
    Planes(Planes),
}

impl IsolationScorer {
    /// Compiles a forest.
    ///
    /// # Panics
    /// If it does not pass [`IsolationForest::check`].
    pub(crate) fn new(forest: &IsolationForest) -> IsolationScorer {
        let lengths = if forest.is_oblique() {
            Lengths::Planes(Planes::new(forest))
        } else {
            let forest = forest.lengths();
            Lengths::Straight(CompiledForest::new(&forest), Explainer::new(&forest))
        };
        IsolationScorer {
            lengths,
            n_trees: forest.trees.len() as f64,
        }
    }

    /// The margin of a sum of path lengths.
    fn margin(&self, sum: f32) -> f32 {
        margin_of_length(f64::from(sum) / self.n_trees) as f32
    }
}

impl Scorer for IsolationScorer {
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        let sum = match &self.lengths {
            Lengths::Straight(compiled, _) => compiled.margin_before(row, deadline),
            Lengths::Planes(planes) => planes.length_before(row, deadline),
        };
        sum.map(|sum| self.margin(sum))
    }

    fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        let sums = match &self.lengths {
            Lengths::Straight(compiled, _) => compiled.margins_many(rows),
            Lengths::Planes(planes) => (0..rows.n_rows)
                .into_par_iter()
                .map(|row| planes.length(|column| rows.data[column][row]))
                .collect(),
        };
        sums.into_iter().map(|sum| self.margin(sum)).collect()
    }

    /// Path lengths add up and margins do not: what each column did to the length is scaled by
    /// the mean slope of the margin between the expected length and that of the row, so that
    /// `expected + Σ contributions` is the margin.
    fn explain(&self, row: &[f32]) -> Explanation {
        let (expected, moved) = match &self.lengths {
            Lengths::Straight(_, explainer) => {
                let found = explainer.explain(row);
                (found.expected, found.contributions)
            }
            Lengths::Planes(planes) => planes.explain(row),
        };
        let from = expected / self.n_trees;
        let to = from + moved.iter().sum::<f64>() / self.n_trees;
        let slope_at = |length: f64| {
            let double = 2_f64.powf(length);
            -std::f64::consts::LN_2 * double / (double - 1.0)
        };
        let slope = mean_slope((from, to), margin_of_length, slope_at) / self.n_trees;
        Explanation {
            expected: margin_of_length(from),
            contributions: moved.into_iter().map(|moved| slope * moved).collect(),
        }
    }
}
