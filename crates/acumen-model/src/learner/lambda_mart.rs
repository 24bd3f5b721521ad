//! LambdaMART (Burges 2010): boosted trees that learn an order from lists that were shown and what
//! came of them, whatever places the items stood at.
//!
//! ```text
//! lists, as they were shown ──▶ how likely each place is looked at ─┐
//!        └───────── what came of their items, weighed by 1 / that ──┴─▶ trees for the order
//! ```
//!
//! Trees, bins, serving and contributions are those of [`super::boosting`]; only the gradients are
//! its own. What came of an item counts by the inverse of how likely its place is looked at, which
//! makes the gain of an order what it would be if all places were (Joachims, Swaminathan and
//! Schnabel 2017, "Unbiased Learning-to-Rank with Biased Feedback"). How likely that is, is
//! estimated from the same lists ([`Examination`]).
//!
//! It is not one of [`super::LEARNERS`]: those learn from rows by themselves, and it from lists.

use std::sync::LazyLock;

use acumen_base::{Columns, Seed};
use serde::Serialize;

use super::boosting::{self, BoostingParams, Given, grow};
use super::params::{Reader, doc};
use super::{
    FitError, Importance, ParamDoc, ParamProblem, ParamRange, Params, Progress, TrainingLog,
};
use crate::forest::Forest;

mod examination;
mod gain;
mod lambdas;
mod lists;
#[cfg(test)]
mod tests;

pub use examination::Examination;
pub use gain::{Compared, compare};
pub use lists::ShownLists;

use gain::gains;
use lambdas::Lambdas;

/// The name that a specification uses.
pub const LAMBDA_MART: &str = "lambda_mart";

/// What it is, for people.
pub const LAMBDA_MART_DOC: &str = "Boosted trees that learn in which order to show what sources put forward, from lists that were \
     shown and what came of them.";

/// Parameters of boosting that follow from the gradients.
const GIVEN: [&str; 6] = [
    "objective",
    "tweedie_variance_power",
    "scale_pos_weight",
    "base_score",
    "eval_metric",
    "warm_start",
];

/// Parameters of boosting with another default: lists are fewer than rows, and a list in which one
/// item was taken has second derivatives of about two.
const USUAL: [(&str, &str); 5] = [
    ("n_estimators", "200"),
    ("learning_rate", "0.1"),
    ("max_depth", "4"),
    ("min_child_weight", "5"),
    ("early_stopping_rounds", "20"),
];

static DOCS: LazyLock<Vec<ParamDoc>> = LazyLock::new(|| {
    let own = [
        doc(
            "truncation",
            &["lambdarank_truncation_level"],
            ParamRange::Whole(1, 1_000),
            "10",
            "how many places count: the gain is that of the first so many",
        ),
        doc(
            "position_bias",
            &[],
            ParamRange::OneOf(&["corrected", "ignored"]),
            "corrected",
            "whether what came of an item counts by the inverse of how likely its place is looked at",
        ),
    ];
    let shared = boosting::DOCS
        .iter()
        .filter(|doc| !GIVEN.contains(&doc.name));
    let shared = shared.map(
        |doc| match USUAL.iter().find(|(name, _)| doc.is_called(name)) {
            Some((_, default)) => ParamDoc { default, ..*doc },
            None => *doc,
        },
    );
    own.into_iter().chain(shared).collect()
});

/// Parameters that were found to be valid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LambdaMart {
    /// How many places count.
    pub truncation: usize,
    /// `corrected` or `ignored`.
    pub position_bias: String,
    /// Of the trees.
    #[serde(flatten)]
    boosting: BoostingParams,
}

/// An order that was learnt, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct LearntOrder {
    /// The trees: the larger the margin of a row, the further up it belongs.
    pub forest: Forest,
    /// How likely each place was found to be looked at.
    pub examination: Examination,
    /// How training went.
    pub log: TrainingLog,
    /// What each column contributed, the most important first.
    pub importances: Vec<Importance>,
}

impl LambdaMart {
    /// Its parameters.
    pub fn params() -> &'static [ParamDoc] {
        &DOCS
    }

    /// Checks parameters against themselves and the columns that they name.
    ///
    /// # Errors
    /// Every problem, not only the first.
    pub fn check(params: &Params, columns: &Columns) -> Result<LambdaMart, Vec<ParamProblem>> {
        let mut reader = Reader::new(params, &DOCS);
        let mut shared: Params = USUAL
            .iter()
            .map(|(name, value)| {
                let value = serde_json::from_str(value).expect("numbers are JSON");
                ((*name).to_owned(), value)
            })
            .collect();
        for doc in boosting::DOCS {
            if let Some(value) = reader.get(doc.name) {
                shared.insert(doc.name.to_owned(), value.clone());
            }
        }
        shared.insert("objective".to_owned(), "reg:squarederror".into());
        shared.insert("base_score".to_owned(), 0.into());
        match BoostingParams::check(&shared, columns) {
            Ok(boosting) if reader.problems.is_empty() => Ok(LambdaMart {
                truncation: reader.whole("truncation", 10),
                position_bias: reader.word("position_bias", "corrected").to_owned(),
                boosting,
            }),
            checked => {
                let more = checked.err().unwrap_or_default().into_iter();
                let known = reader.problems.clone();
                reader
                    .problems
                    .extend(more.filter(|problem| !known.contains(problem)));
                Err(reader.problems)
            }
        }
    }

    /// The same with so many threads, on which the model does not depend.
    #[must_use]
    pub fn on_threads(mut self, threads: usize) -> LambdaMart {
        self.boosting.n_threads = threads;
        self
    }

    /// The same with so many trees, whatever later lists say.
    #[must_use]
    pub fn of_trees(mut self, trees: usize) -> LambdaMart {
        self.boosting.n_estimators = trees.max(1);
        self.boosting.early_stopping_rounds = None;
        self
    }

    /// All parameters with their values, defaults included.
    pub fn params_json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).expect("numbers and words become JSON");
        if let Some(map) = json.as_object_mut() {
            map.retain(|name, _| !GIVEN.contains(&name.as_str()));
        }
        json
    }

    /// Learns an order. `valid` (later lists) tells when to stop; `progress` is called after every
    /// round.
    ///
    /// # Errors
    /// Where no list tells one item from another, or there is nothing to stop by.
    pub fn fit(
        &self,
        train: &ShownLists,
        valid: Option<&ShownLists>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<LearntOrder, FitError> {
        if valid.is_none() && self.boosting.early_stopping_rounds.is_some() {
            return Err(FitError::NoValidation);
        }
        let telling = |lists: &ShownLists, part| {
            let told: Vec<usize> = (0..lists.len()).filter(|at| lists.tells(*at)).collect();
            match told.is_empty() {
                true => Err(FitError::NoRows { part }),
                false => Ok(lists.select(&told)),
            }
        };
        let told = telling(train, "training")?;
        let valid = valid
            .map(|lists| telling(lists, "validation"))
            .transpose()?;
        let examination = match self.position_bias.as_str() {
            "ignored" => Examination::even(),
            _ => Examination::estimate(train, (seed, self.boosting.n_threads))?,
        };
        let k = self.truncation;
        let loss = Lambdas {
            gain: gains(&told, &examination, k),
            train: &told,
            valid: valid
                .as_ref()
                .map(|lists| (lists, gains(lists, &examination, k))),
            truncation: k,
        };
        let given = Given {
            train: &told.rows,
            weight: None,
            valid: valid.as_ref().map(|lists| &lists.rows),
            previous: None,
            base_score: 0.0,
        };
        let (fitted, _) = grow(&self.boosting, &given, loss, seed, progress)?;
        Ok(LearntOrder {
            forest: fitted.model.into_forest().expect("boosting gives a forest"),
            examination,
            log: fitted.log,
            importances: fitted.importances,
        })
    }
}
