//! Gradient boosting: trees that each mend what the trees before them left (Friedman 2001), grown
//! from second-order gradients (Chen and Guestrin 2016) over histograms of bins.
//!
//! Parameters have XGBoost's names and meanings, and a fitted [`crate::Forest`] predicts the same
//! in XGBoost. Differences on purpose: a threshold lies midway between two observed values (not
//! on the upper one), columns with many values have finer bins in their tails
//! ([`crate::binning`]), and `base_score` is 0.5 for `binary:logistic` unless `auto` is asked for.

use acumen_base::Columns;

use super::{Checked, Learner, ParamDoc, ParamProblem, Params};

mod evaluation;
mod fit;
mod grow;
mod histogram;
#[cfg(test)]
mod laws;
mod objective;
mod parameters;
mod rows;
mod split;
mod workers;

pub(super) use fit::{Given, Loss, grow};
pub(super) use histogram::Pair;
pub(super) use objective::{exp, logistic};
pub use parameters::BoostingParams;
pub(super) use parameters::DOCS;

/// Gradient boosting by the name `xgboost`.
pub struct GradientBoosting;

impl Learner for GradientBoosting {
    fn name(&self) -> &'static str {
        "xgboost"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["gradient_boosting"]
    }

    fn doc(&self) -> &'static str {
        "Gradient-boosted trees for tables: the first choice for most decisions. Missing values, \
         categories, weights and monotone columns need no preparation."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn rounds(&self) -> Option<[&'static str; 2]> {
        Some(["n_estimators", "early_stopping_rounds"])
    }

    fn searched(&self) -> &'static [(&'static str, [f64; 2])] {
        &[
            ("learning_rate", [0.02, 0.3]),
            ("max_depth", [3.0, 10.0]),
            ("min_child_weight", [0.5, 50.0]),
            ("subsample", [0.5, 1.0]),
            ("colsample_bytree", [0.4, 1.0]),
            ("reg_lambda", [0.1, 30.0]),
        ]
    }

    fn check(
        &self,
        params: &Params,
        columns: &Columns,
    ) -> Result<Box<dyn Checked>, Vec<ParamProblem>> {
        let checked = BoostingParams::check(params, columns)?;
        Ok(Box::new(checked))
    }
}
