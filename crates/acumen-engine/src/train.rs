//! From the log to deployed models: rows, outcomes, a version, thresholds.

mod quantiles;
mod threads;

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Control, Deadline, ManualClock, Member, Seed, Span, Time};
use acumen_model::split::Shares;
use acumen_model::training::{TrainingPlan, fit_artifact};
use acumen_model::{Artifact, ArtifactMember, CalibrationMethod, Dataset, Progress, find_learner};

use crate::error::EngineError;
use crate::history::Sources;
use crate::learners::learners;
use crate::plan::UseCasePlan;
use crate::projected::{Projected, seen_by};
use crate::rows::{Rows, Wanted, rows};
use crate::spec::{Calibration, ModelDecl, ScoreDecl, TrainingData, TrainingDecl};
use crate::thresholds;
use quantiles::quantiles;
use threads::Limited;

/// The share of the rows that the card is written on, the latest of all.
const TEST_SHARE: f64 = 0.15;

/// What training gave.
#[derive(Clone, Debug)]
pub struct Trained {
    /// A version of each model, in declared order.
    pub models: Vec<TrainedModel>,
    /// The edits that put them in production: deployments, and thresholds where they are fitted.
    pub controls: Vec<Control>,
    /// Rows that it was trained on.
    pub rows: usize,
    /// Positives among them.
    pub positives: usize,
    /// Rows left out because their truth is not known yet.
    pub immature: usize,
    /// Rows left out because the decision on them hid the truth.
    pub hidden: usize,
}

/// One trained model.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// Its name in the spec.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is.
    pub artifact: Arc<Artifact>,
}

/// Where training stands.
#[derive(Clone, Debug)]
pub enum TrainProgress {
    /// The log is read: this is the position.
    Reading(u64),
    /// A model is fitted: its name and round.
    Fitting(String, Progress),
}

/// Trains every model of a use case with what was known at `as_of` (`None`: the end of the log)
/// and stores the versions. Nothing is deployed: that is what the controls are for.
pub fn train(
    sources: &Sources,
    use_case: usize,
    as_of: Option<Time>,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    declared(plan)?;
    let wanted = Wanted {
        from: Time(i64::MIN),
        to: as_of.unwrap_or(Time(i64::MAX)),
        as_of,
    };
    let all = rows(sources, use_case, wanted, &mut |at| {
        progress(TrainProgress::Reading(at));
    })?;
    train_on(sources, use_case, &all, None, progress)
}

/// Trains on rows that have been read, on so many threads where a number is given.
pub(crate) fn train_on(
    sources: &Sources,
    use_case: usize,
    all: &Rows,
    threads: Option<usize>,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let name = &plan.declared.name;
    let training = declared(plan)?;
    let kept = window(training, all);
    let mut trained = Trained::of(all, &kept);
    for model in &plan.declared.models {
        let (dataset, encoding) = dataset(plan, training, model, all, &kept)?;
        let learner = find_learner(&learners(), &model.algorithm).map_err(|_unknown| {
            EngineError::NotFound(format!("there is no algorithm `{}`", model.algorithm))
        })?;
        let limited = Limited::new(learner, &model.params, threads);
        let fitting = TrainingPlan {
            use_case: name,
            member: &model.name,
            learner,
            params: &limited.params,
            shares: shares(training),
            // Every outcome is known by now; only the order of time keeps the parts apart.
            gap: Span::ZERO,
            calibration: calibration(training.calibration),
            seed: Seed(training.seed).derive(&model.name),
            code: crate::BUILD,
        };
        let mut report = |at| progress(TrainProgress::Fitting(model.name.clone(), at));
        let mut artifact = fit_artifact(&fitting, &dataset, encoding, &mut report)?;
        limited.restore(&mut artifact);
        let fitted = |&&i: &&usize| artifact.split.train.contains(all.events[i].event_time);
        let fitted: Vec<usize> = kept.iter().filter(fitted).copied().collect();
        artifact.quantiles = quantiles(all, &fitted, &artifact.columns);
        let version = sources.store.put(&artifact)?;
        trained.controls.push(Control::Deploy {
            use_case: name.clone(),
            member: model.name.clone(),
            version: version.clone(),
        });
        let artifact = Arc::new(artifact);
        trained.models.push(TrainedModel {
            name: model.name.clone(),
            version,
            artifact,
        });
    }
    if plan.declared.score == ScoreDecl::ExpectedCost
        && let Some(knots) = fitted_thresholds(plan, &trained, all, &kept)?
    {
        trained.controls.push(Control::Thresholds {
            use_case: name.clone(),
            knots,
        });
    }
    Ok(trained)
}

fn declared(plan: &UseCasePlan) -> Result<&TrainingDecl, EngineError> {
    let name = &plan.declared.name;
    plan.declared.training.as_ref().ok_or_else(|| {
        EngineError::NotEnough(format!(
            "`{name}` declares no `training`: add it to its usecase.yaml"
        ))
    })
}

impl Trained {
    fn of(all: &Rows, kept: &[usize]) -> Trained {
        let is = |truth: Truth| move |&&i: &&usize| all.truth[i] == truth;
        let every: Vec<usize> = (0..all.len()).collect();
        Trained {
            models: Vec::new(),
            controls: Vec::new(),
            rows: kept.len(),
            positives: kept.iter().filter(is(Truth::Positive)).count(),
            immature: every.iter().filter(is(Truth::Open)).count(),
            hidden: all.weight.iter().filter(|weight| **weight == 0.0).count(),
        }
    }
}

/// The rows of the training window whose truth is known and was not hidden.
fn window(training: &TrainingDecl, all: &Rows) -> Vec<usize> {
    let mature = all.mature();
    let newest = mature.iter().map(|&i| all.events[i].event_time).max();
    let (from, to) = match (training.data, newest) {
        (TrainingData::Between(from, to), _) => (from, to),
        (TrainingData::Last(span), Some(newest)) => (newest - span, newest + Span(1)),
        (TrainingData::Last(_), None) => (Time(0), Time(0)),
    };
    let inside = |&i: &usize| (from..to).contains(&all.events[i].event_time);
    mature.into_iter().filter(inside).collect()
}

/// The rows as one model sees them.
fn dataset(
    plan: &UseCasePlan,
    training: &TrainingDecl,
    model: &ModelDecl,
    all: &Rows,
    kept: &[usize],
) -> Result<(Dataset, acumen_model::Encoding), EngineError> {
    let columns = Arc::new(seen_by(Some(training), model, &plan.columns));
    let places = columns
        .list
        .iter()
        .filter_map(|column| all.columns.position(&column.name));
    let values: Vec<Vec<f64>> = places
        .map(|place| kept.iter().map(|&i| all.data[place][i]).collect())
        .collect();
    let outcome = kept
        .iter()
        .map(|&i| f32::from(all.truth[i] == Truth::Positive))
        .collect();
    let time = kept.iter().map(|&i| all.events[i].event_time).collect();
    let made = Dataset::from_columns(columns, &values, outcome, time);
    let (mut dataset, encoding) = made.map_err(|e| EngineError::NotEnough(e.to_string()))?;
    if kept.iter().any(|&i| all.weight[i] != 1.0) {
        dataset.weight = Some(kept.iter().map(|&i| all.weight[i]).collect());
    }
    Ok((dataset, encoding))
}

fn shares(training: &TrainingDecl) -> Shares {
    let rest = 1.0 - training.validation - training.calibration_share;
    Shares {
        train: rest * (1.0 - TEST_SHARE),
        validation: training.validation,
        calibration: training.calibration_share,
    }
}

fn calibration(declared: Calibration) -> CalibrationMethod {
    match declared {
        Calibration::Auto => CalibrationMethod::Auto,
        Calibration::Isotonic => CalibrationMethod::Isotonic,
        Calibration::Platt => CalibrationMethod::Platt,
    }
}

/// Where the bands should begin, by what decisions were worth on the rows that calibrated the
/// first model that votes and were not used to fit it.
fn fitted_thresholds(
    plan: &UseCasePlan,
    trained: &Trained,
    all: &Rows,
    kept: &[usize],
) -> Result<Option<Vec<(f64, f64)>>, EngineError> {
    let votes = |model: &&TrainedModel| {
        let mut declared = plan.declared.models.iter();
        declared.any(|declared| declared.name == model.name && !declared.shadow)
    };
    let voting = trained.models.iter().find(votes);
    let (Some(valuation), Some(model)) = (&plan.value, voting) else {
        return Ok(None);
    };
    let member = ArtifactMember::new(Arc::clone(&model.artifact));
    let member = Projected::new(member, &plan.columns)?;
    let patient = Deadline::never(ManualClock::at(all.as_of));
    let period = model.artifact.split.calibration;
    let mut judged = Vec::new();
    for &i in kept
        .iter()
        .filter(|&&i| period.contains(all.events[i].event_time))
    {
        let predicted = member.predict(&all.row(i), &patient);
        let predicted = predicted.map_err(|error| EngineError::NotEnough(error.to_string()))?;
        let (probability, truth, event) = (predicted.value, all.truth[i], &all.events[i]);
        judged.push(thresholds::Judged {
            probability,
            truth,
            event,
        });
    }
    Ok(thresholds::fit(
        &plan.declared.actions,
        valuation,
        &all.rates,
        judged,
    ))
}
