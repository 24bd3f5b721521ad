//! Values that are mostly 0, in two parts: boosted trees for whether there is any value, and others
//! for how much. See [`crate::two_part`] for how they become one value.
//!
//! `amount: gamma` fits the mean itself, so that totals come out right whatever the distribution
//! is. `amount: log_normal` is the zero-inflated log-normal of Wang, Liu and Miao 2019: good at
//! ranking where values span many powers of ten, but its mean depends on a variance, and where the
//! logarithms are not normal the total is off. The variance is learnt from the squared errors on
//! rows that the mean was not fitted to: on its own rows a forest errs too little.

use std::sync::LazyLock;

use acumen_base::{Columns, Seed};
use serde::Serialize;

use super::boosting::{self, BoostingParams};
use super::params::{Reader, doc};
use super::{
    Checked, FitError, Fitted, Importance, Learner, ParamDoc, ParamProblem, ParamRange, Params,
    Predicts, Progress, check_rows,
};
use crate::data::Dataset;
use crate::fitted::FittedModel;
use crate::forest::{Forest, Objective};
use crate::two_part::{Amount, TwoPart};

#[cfg(test)]
mod tests;

/// Parts of the rows that errors are judged on in turn.
const FOLDS: usize = 4;
/// No squared error is less: it is positive then, as a gamma distribution wants it.
const SQUARE_MIN: f32 = 1e-9;

/// Parameters of boosting that follow from the part.
const GIVEN_BY_THE_PART: [&str; 6] = [
    "objective",
    "tweedie_variance_power",
    "scale_pos_weight",
    "base_score",
    "eval_metric",
    "warm_start",
];

static DOCS: LazyLock<Vec<ParamDoc>> = LazyLock::new(|| {
    let own = doc(
        "amount",
        &[],
        ParamRange::OneOf(&["gamma", "log_normal"]),
        "gamma",
        "how much there is where there is any: its mean, or a log-normal distribution",
    );
    let shared = boosting::DOCS
        .iter()
        .filter(|doc| !GIVEN_BY_THE_PART.contains(&doc.name));
    std::iter::once(own).chain(shared.copied()).collect()
});

/// Values in two parts by the name `two_part`.
pub struct TwoPartBoosting;

impl Learner for TwoPartBoosting {
    fn name(&self) -> &'static str {
        "two_part"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["hurdle"]
    }

    fn doc(&self) -> &'static str {
        "A value that is mostly 0: boosted trees for whether there is any, and for how much."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &DOCS
    }

    fn searched(&self) -> &'static [(&'static str, [f64; 2])] {
        boosting::GradientBoosting.searched()
    }

    fn check(
        &self,
        params: &Params,
        columns: &Columns,
    ) -> Result<Box<dyn Checked>, Vec<ParamProblem>> {
        let mut reader = Reader::new(params, &DOCS);
        let shared = params
            .iter()
            .filter(|(name, _)| boosting::DOCS.iter().any(|doc| doc.is_called(name)));
        let shared: Params = shared
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let part = |objective: &str| {
            let mut params = shared.clone();
            params.retain(|name, _| !GIVEN_BY_THE_PART.contains(&name.as_str()));
            params.insert("objective".into(), objective.into());
            params.insert("base_score".into(), "auto".into());
            BoostingParams::check(&params, columns)
        };
        let parts = (
            part("binary:logistic"),
            part("reg:squarederror"),
            part("reg:gamma"),
        );
        let (Ok(occurs), Ok(logarithm), Ok(mean)) = parts else {
            let more = parts.0.err().unwrap_or_default();
            let known = reader.problems.clone();
            reader
                .problems
                .extend(more.into_iter().filter(|problem| !known.contains(problem)));
            return Err(reader.problems);
        };
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        Ok(Box::new(TwoPartParams {
            amount: reader.word("amount", "gamma").to_owned(),
            occurs,
            logarithm,
            mean,
        }))
    }
}

/// Parameters that were found to be valid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TwoPartParams {
    /// `gamma` or `log_normal`.
    pub amount: String,
    /// Of the trees for whether there is any value; the other parts differ in what follows from
    /// the part alone.
    #[serde(flatten)]
    pub occurs: BoostingParams,
    /// Of the trees for the mean logarithm.
    #[serde(skip)]
    pub logarithm: BoostingParams,
    /// Of the trees for a mean that is above 0.
    #[serde(skip)]
    pub mean: BoostingParams,
}

/// What was fitted of a part.
struct Part {
    forest: Forest,
    fitted: Fitted,
}

impl Checked for TwoPartParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        check_rows(Objective::LogValue, train, valid)?;
        if train.outcome.iter().all(|outcome| *outcome == 0.0) {
            let rows = train.outcome.len();
            return Err(FitError::NothingPositive { rows });
        }
        let any = |rows: &Dataset| rows.with_outcome(|outcome| f32::from(u8::from(outcome > 0.0)));
        let occurs = fit_part(
            &self.occurs,
            (&any(train), valid.map(any).as_ref()),
            seed.derive("occurs"),
            progress,
        )?;
        let (some, some_valid) = (positive(train), valid.map(positive));
        let rows = (&some, some_valid.as_ref());
        let (amount, fitted) = match self.amount.as_str() {
            "gamma" => {
                let mean = fit_part(&self.mean, rows, seed.derive("amount"), progress)?;
                (Amount::Gamma(mean.forest), vec![mean.fitted])
            }
            _ => self.log_normal(rows, seed, progress)?,
        };
        let importances = shares(std::iter::once(&occurs.fitted).chain(&fitted));
        let model = TwoPart {
            occurs: occurs.forest,
            amount,
        };
        Ok(Fitted {
            model: FittedModel::TwoPart(model),
            log: occurs.fitted.log,
            importances,
        })
    }

    fn predicts(&self) -> Predicts {
        Predicts::Value
    }

    fn params_json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).expect("numbers and words become JSON");
        if let Some(map) = json.as_object_mut() {
            map.retain(|name, _| !GIVEN_BY_THE_PART.contains(&name.as_str()));
        }
        json
    }
}

impl TwoPartParams {
    /// The mean and the variance of the logarithm.
    fn log_normal(
        &self,
        (train, valid): (&Dataset, Option<&Dataset>),
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Amount, Vec<Fitted>), FitError> {
        let train = train.with_outcome(f32::ln);
        let valid = valid.map(|valid| valid.with_outcome(f32::ln));
        let seed = seed.derive("amount");
        let mean = fit_part(&self.logarithm, (&train, valid.as_ref()), seed, progress)?;
        let squares = self.unseen_squares(&train, mean.forest.trees.len(), seed)?;
        let errors = Dataset {
            outcome: squares,
            ..train
        };
        let valid_errors = valid.map(|valid| Dataset {
            outcome: squared_errors(&mean.fitted.model, &valid),
            ..valid
        });
        let rows = (&errors, valid_errors.as_ref());
        let variance = fit_part(&self.mean, rows, seed.derive("variance"), progress)?;
        let amount = Amount::LogNormal {
            mean: mean.forest,
            variance: variance.forest,
        };
        Ok((amount, vec![mean.fitted, variance.fitted]))
    }

    /// The squared errors of the mean logarithm on rows that it was not fitted to, in so many
    /// rounds as the mean itself has.
    fn unseen_squares(
        &self,
        train: &Dataset,
        rounds: usize,
        seed: Seed,
    ) -> Result<Vec<f32>, FitError> {
        let mut params = self.logarithm.clone();
        params.n_estimators = rounds.max(1);
        params.early_stopping_rounds = None;
        let mut squares = vec![0.0; train.len()];
        for fold in 0..FOLDS.min(train.len()) {
            let (out, rest): (Vec<usize>, Vec<usize>) =
                (0..train.len()).partition(|row| row % FOLDS == fold);
            if rest.is_empty() {
                squares.fill(SQUARE_MIN);
                break;
            }
            let held_out = train.select(&out);
            let fitted = params.fit(&train.select(&rest), None, seed, &mut |_| {})?;
            for (row, square) in out.iter().zip(squared_errors(&fitted.model, &held_out)) {
                squares[*row] = square;
            }
        }
        Ok(squares)
    }
}

fn fit_part(
    params: &BoostingParams,
    (train, valid): (&Dataset, Option<&Dataset>),
    seed: Seed,
    progress: &mut dyn FnMut(Progress),
) -> Result<Part, FitError> {
    let fitted = params.fit(train, valid, seed, progress)?;
    let forest = fitted
        .model
        .clone()
        .into_forest()
        .expect("boosting gives a forest");
    Ok(Part { forest, fitted })
}

/// The rows that have a value.
fn positive(rows: &Dataset) -> Dataset {
    let some: Vec<usize> = (0..rows.len())
        .filter(|row| rows.outcome[*row] > 0.0)
        .collect();
    rows.select(&some)
}

fn squared_errors(model: &FittedModel, rows: &Dataset) -> Vec<f32> {
    let errors = model.margins(&rows.matrix).into_iter().zip(&rows.outcome);
    errors
        .map(|(margin, outcome)| (outcome - margin).powi(2).max(SQUARE_MIN))
        .collect()
}

/// What each column contributed: the sum over the parts of its share of the part's gain.
fn shares<'a>(parts: impl Iterator<Item = &'a Fitted>) -> Vec<Importance> {
    let mut all: Vec<Importance> = Vec::new();
    for part in parts {
        let gain: f64 = part.importances.iter().map(|of| of.total_gain).sum();
        for of in &part.importances {
            let share = of.total_gain / gain.max(f64::MIN_POSITIVE);
            match all.iter_mut().find(|known| known.column == of.column) {
                Some(known) => {
                    known.total_gain += share;
                    known.splits += of.splits;
                }
                None => all.push(Importance {
                    total_gain: share,
                    ..of.clone()
                }),
            }
        }
    }
    all.sort_by(|a, b| b.total_gain.total_cmp(&a.total_gain));
    all
}
