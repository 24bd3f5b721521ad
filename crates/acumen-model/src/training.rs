//! From rows with outcomes to a model version: split, search, fit, stop, calibrate, judge.
//!
//! ```text
//! training ──▶ search (which parameters, on folds of the training rows alone)
//!     └──────▶ learner ◀── validation (when to stop)
//!                 │
//!            calibration (margins to probabilities)
//!                 │
//!               test (what the card says) ──▶ Artifact
//! ```

use std::path::Path;

use acumen_base::{Seed, Span};

use crate::artifact::{Artifact, ColumnImportance, FORMAT, TrainingWindow};
use crate::calibration::{Calibration, CalibrationMethod};
use crate::data::Dataset;
use crate::encoding::Encoding;
use crate::fitted::FittedModel;
use crate::forest::Objective;
use crate::intervals::Intervals;
use crate::learner::{
    Checked, FitError, Fitted, Importance, Learner, ParamProblem, Params, Progress,
};
use crate::metrics::{BinaryMetrics, Metrics, RegressionMetrics};
use crate::search::{
    SearchError, SearchPlan, SearchProgress, SearchSpec, SearchTable, TrialFile, search,
};
use crate::split::{Period, Shares, Split, SplitError};

mod ensemble;
mod value;

pub use ensemble::{EnsemblePlan, fit_ensemble};
pub use value::{JudgedValue, ValueModel, ValuePlan, fit_value, tweedie_deviance};

/// The probability that the interval around a value holds the outcome.
const INTERVAL_LEVEL: f64 = 0.9;

/// What is to be trained.
#[derive(Clone, Copy)]
pub struct TrainingPlan<'a> {
    /// The use case that the model belongs to.
    pub use_case: &'a str,
    /// The member's name in the spec.
    pub member: &'a str,
    /// The learner.
    pub learner: &'static dyn Learner,
    /// The parameters of the learner.
    pub params: &'a Params,
    /// How rows are shared among training, validation, calibration and test.
    pub shares: Shares,
    /// How long outcomes take to become known; so far apart are the parts.
    pub gap: Span,
    /// How margins become probabilities.
    pub calibration: CalibrationMethod,
    /// The seed of everything random.
    pub seed: Seed,
    /// The version of the code, for the record.
    pub code: &'a str,
    /// How better parameters are searched for; `None` takes `params` as they are.
    pub search: Option<&'a SearchSpec>,
    /// Where the trials of the search are kept, so that it can go on after it was cut off.
    pub trials: Option<&'a Path>,
    /// An earlier version to go on from, where the learner can: its categories must be those of
    /// the rows' encoding (see [`Dataset::from_columns_after`]).
    pub previous: Option<&'a Artifact>,
    /// Whether the model is fitted again to all rows once it is judged.
    pub refit: bool,
}

/// What training gave.
#[derive(Clone, Debug)]
pub struct Versions {
    /// The version that was fitted to the earlier rows, and calibrated and judged on later ones.
    pub judged: Artifact,
    /// The same, fitted to all rows, where the plan asks for it. What is written down of the judged
    /// version is still to be named in [`Artifact::refit_of`].
    pub refitted: Option<Artifact>,
}

/// Where training stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrainingStage {
    /// Parameters are searched for.
    Searching(SearchProgress),
    /// The model is fitted.
    Fitting(Progress),
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Parameters that are not valid, all of them.
    #[error("{}", problems(.0))]
    Params(Vec<ParamProblem>),
    /// Too few rows for a split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A search without a result.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Rows that teach nothing.
    #[error(transparent)]
    Fit(#[from] FitError),
}

fn problems(problems: &[ParamProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Trains a model version on rows of one use case. `progress` is called after every trial of a
/// search and after every round.
///
/// The parts that stop, calibrate and judge are the newest rows, and what is new in them is lost to
/// the model. Where the plan says `refit`, the model is then fitted once more to all rows, for as
/// many rounds as were best, and keeps the calibration that was found out of sample, as in
/// scikit-learn's `CalibratedClassifierCV(ensemble=False)`.
///
/// The same rows, plan and seed give the same version, on any number of threads.
///
/// # Errors
/// Where the parameters are not valid, or the rows do not suffice.
pub fn fit_artifact(
    plan: &TrainingPlan<'_>,
    rows: &Dataset,
    encoding: Encoding,
    progress: &mut dyn FnMut(TrainingStage),
) -> Result<Versions, TrainingError> {
    let columns = &rows.matrix.columns;
    let check = |params: &Params| {
        plan.learner
            .check(params, columns)
            .map_err(TrainingError::Params)
    };
    check(plan.params)?;
    let split = Split::by_share(&rows.time, plan.shares, plan.gap)?;
    let part = |period: Period| rows.select(&period.rows(&rows.time));
    let (train, validation) = (part(split.train), part(split.validation));
    let (params, table) = searched(plan, &train, progress)?;
    let checked = check(&params)?;
    let previous = plan.previous.filter(|previous| {
        let known = previous.split.validation.to <= split.calibration.from;
        known && goes_on(&*checked, plan, previous, rows, &encoding)
    });
    let mut report = |at| progress(TrainingStage::Fitting(at));
    let Fitted {
        model,
        importances,
        log,
    } = match previous {
        Some(previous) => {
            let from = &previous.model;
            checked.fit_from(from, &train, Some(&validation), plan.seed, &mut report)?
        }
        None => checked.fit(&train, Some(&validation), plan.seed, &mut report)?,
    };
    let later = part(split.calibration);
    let calibration = calibrate(&model, plan.calibration, &later);
    let intervals = intervals(&model, &calibration, &train, &later);
    let test = part(split.test);
    let mut test_metrics = judge(&model, &calibration, &test);
    if let (Metrics::Regression(metrics), Some(intervals)) = (&mut test_metrics, &intervals) {
        let predicted = predictions(&model, &calibration, &test);
        metrics.interval_coverage = Some(intervals.coverage(&predicted, &test.outcome));
    }
    let judged = Artifact {
        format: FORMAT,
        use_case: plan.use_case.into(),
        member: plan.member.into(),
        learner: plan.learner.name().into(),
        parameters: checked.params_json(),
        columns: (**columns).clone(),
        encoding,
        model,
        calibration,
        intervals,
        test_metrics,
        window: window(&train, split.train),
        split,
        importances: contributions(importances),
        quantiles: Vec::new(),
        seed: plan.seed.0,
        code: plan.code.into(),
        continues: previous.map(Artifact::version),
        refit_of: None,
        search: table,
        purchases: None,
        candidates: None,
    };
    let refitted = match plan.refit {
        true => Some(refit(
            plan,
            &judged,
            (params, log.best_round),
            rows,
            &mut report,
        )?),
        false => None,
    };
    Ok(Versions { judged, refitted })
}

/// The judged version fitted to all rows: gone on from where it went on from another itself, and
/// otherwise anew, for as many rounds as were best.
fn refit(
    plan: &TrainingPlan<'_>,
    judged: &Artifact,
    (mut params, best_round): (Params, usize),
    rows: &Dataset,
    report: &mut dyn FnMut(Progress),
) -> Result<Artifact, TrainingError> {
    if let Some([most, patience]) = plan.learner.rounds() {
        let mut take_out = |parameter: &str| {
            let doc = plan
                .learner
                .params()
                .iter()
                .find(|doc| doc.name == parameter);
            params.retain(|name, _| !doc.is_some_and(|doc| doc.is_called(name)));
        };
        take_out(patience);
        if judged.continues.is_none() {
            take_out(most);
            params.insert(most.to_owned(), best_round.max(1).into());
        }
    }
    let checked = plan.learner.check(&params, &rows.matrix.columns);
    let checked = checked.map_err(TrainingError::Params)?;
    let Fitted {
        model, importances, ..
    } = match judged.continues {
        Some(_) => checked.fit_from(&judged.model, rows, None, plan.seed, report)?,
        None => checked.fit(rows, None, plan.seed, report)?,
    };
    let whole = Period {
        from: judged.split.train.from,
        to: judged.split.test.to,
    };
    Ok(Artifact {
        parameters: checked.params_json(),
        model,
        window: window(rows, whole),
        importances: contributions(importances),
        ..judged.clone()
    })
}

fn contributions(importances: Vec<Importance>) -> Vec<ColumnImportance> {
    let of = |importance: Importance| ColumnImportance {
        column: importance.column,
        total_gain: importance.total_gain,
    };
    importances.into_iter().map(of).collect()
}

/// The best parameters on the training rows, with the table of all that were tried; those that
/// were given, where there is no search.
fn searched(
    plan: &TrainingPlan<'_>,
    train: &Dataset,
    progress: &mut dyn FnMut(TrainingStage),
) -> Result<(Params, Option<SearchTable>), TrainingError> {
    let Some(spec) = plan.search else {
        return Ok((plan.params.clone(), None));
    };
    let space = spec.check(plan.learner, plan.params, &train.matrix.columns);
    let space = space.map_err(TrainingError::Params)?;
    let searching = SearchPlan {
        learner: plan.learner,
        given: plan.params,
        spec,
        space: &space,
        gap: plan.gap,
        seed: plan.seed,
    };
    let file = plan
        .trials
        .map(|path| TrialFile::open(path, &searching, train, plan.code));
    let mut file = file.transpose().map_err(SearchError::File)?;
    let mut report = |at| progress(TrainingStage::Searching(at));
    let (params, table) = search(&searching, train, file.as_mut(), &mut report)?;
    Ok((params, Some(table)))
}

/// Whether training can go on from a version: it is of the same learner over the same columns and
/// categories. That it has not seen what is to calibrate and to judge is for the caller.
fn goes_on(
    checked: &dyn Checked,
    plan: &TrainingPlan<'_>,
    previous: &Artifact,
    rows: &Dataset,
    encoding: &Encoding,
) -> bool {
    let columns = &rows.matrix.columns;
    previous.learner == plan.learner.name()
        && previous.columns.fingerprint == columns.fingerprint
        && encoding.extends(&previous.encoding)
        && checked.goes_on_from(&previous.model, columns.len())
}

/// Fits a calibration to rows that the model was not fitted to, in order of time.
pub fn calibrate(model: &FittedModel, method: CalibrationMethod, rows: &Dataset) -> Calibration {
    match model.objective() {
        Objective::SquaredError => Calibration::Identity,
        Objective::Tweedie { .. } | Objective::Gamma | Objective::LogValue => {
            Calibration::Exponential
        }
        Objective::BinaryLogistic => {
            let margins = margins(model, rows);
            Calibration::fit(method, &margins, &rows.outcome, rows.weight.as_deref())
        }
    }
}

/// How good a calibrated model is on rows that it has not seen.
pub fn judge(model: &FittedModel, calibration: &Calibration, rows: &Dataset) -> Metrics {
    let predicted = predictions(model, calibration, rows);
    match model.objective().is_binary() {
        true => {
            let weight = rows.weight.as_deref();
            Metrics::Binary(BinaryMetrics::weighted(&predicted, &rows.outcome, weight))
        }
        false => Metrics::Regression(RegressionMetrics::of(&predicted, &rows.outcome)),
    }
}

/// Intervals around the values of a regression, by rows that it was not fitted to.
fn intervals(
    model: &FittedModel,
    calibration: &Calibration,
    train: &Dataset,
    rows: &Dataset,
) -> Option<Intervals> {
    if model.objective().is_binary() {
        return None;
    }
    let floor = train
        .outcome
        .iter()
        .all(|outcome| *outcome >= 0.0)
        .then_some(0.0);
    let predicted = predictions(model, calibration, rows);
    // Too few rows for the level: the card says that there are none.
    Intervals::new(&predicted, &rows.outcome, (INTERVAL_LEVEL, floor)).ok()
}

fn predictions(model: &FittedModel, calibration: &Calibration, rows: &Dataset) -> Vec<f64> {
    let margins = margins(model, rows).into_iter();
    margins.map(|margin| calibration.apply(margin)).collect()
}

fn margins(model: &FittedModel, rows: &Dataset) -> Vec<f64> {
    model
        .margins(&rows.matrix)
        .into_iter()
        .map(f64::from)
        .collect()
}

fn window(train: &Dataset, period: Period) -> TrainingWindow {
    TrainingWindow {
        from: train.time.iter().min().copied().unwrap_or(period.from),
        to: train.time.iter().max().copied().unwrap_or(period.to),
        rows: train.len(),
        positives: train.positives(),
        stands_for: train.weight.as_ref().map(|weight| {
            let all: f64 = weight.iter().map(|weight| f64::from(*weight)).sum();
            all.round() as usize
        }),
    }
}
