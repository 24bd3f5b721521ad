//! From the log to deployed models: rows, outcomes, a version, thresholds.

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Control, ENSEMBLE, Seed, Span, Time};
use acumen_decision::State;
use acumen_model::split::Shares;
use acumen_model::training::{TrainingPlan, TrainingStage, fit_artifact};
use acumen_model::{
    Artifact, ArtifactMember, CalibrationMethod, Dataset, Encoding, Progress, SearchProgress,
    find_learner,
};

use crate::ensemble::{self, Margins};
use crate::error::EngineError;
use crate::evaluate::state_at_the_end;
use crate::history::Sources;
use crate::judged::decide_all;
use crate::learners::learners;
use crate::plan::UseCasePlan;
use crate::projected::{in_rows_of, seen_by};
use crate::rows::{Rows, Wanted, rows};
use crate::searching::{search_of, with_trials};
use crate::spec::{Calibration, ModelDecl, ScoreDecl, TrainingData, TrainingDecl};
use crate::thresholds;

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
    /// A model's parameters are searched for: its name and trial.
    Searching(String, SearchProgress),
    /// A model is fitted: its name and round.
    Fitting(String, Progress),
}

/// How models are to be trained.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainOptions {
    /// With what was known at this time; `None` is the end of the log.
    pub as_of: Option<Time>,
    /// So many trials of a search instead of those declared; 0 is no search.
    pub trials: Option<usize>,
    /// Go on from the deployed versions, where the learners can.
    pub go_on: bool,
}

/// Trains every model of a use case with what was known at `as_of` (`None`: the end of the log)
/// and stores the versions. Nothing is deployed: that is what the controls are for.
pub fn train(
    sources: &Sources,
    use_case: usize,
    as_of: Option<Time>,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let options = TrainOptions {
        as_of,
        ..TrainOptions::default()
    };
    train_with(sources, use_case, options, progress)
}

/// As [`train`], with options.
pub fn train_with(
    sources: &Sources,
    use_case: usize,
    options: TrainOptions,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let name = &plan.declared.name;
    let Some(training) = &plan.declared.training else {
        return Err(EngineError::NotEnough(format!(
            "`{name}` declares no `training`: add it to its usecase.yaml"
        )));
    };
    let wanted = Wanted {
        from: Time(i64::MIN),
        to: options.as_of.unwrap_or(Time(i64::MAX)),
        as_of: options.as_of,
    };
    let all = rows(sources, use_case, wanted, &mut |at| {
        progress(TrainProgress::Reading(at));
    })?;
    let kept = window(training, &all);
    let mut trained = Trained::of(&all, &kept);
    let mut margins = Vec::new();
    let mut stacked = None;
    let deployed = match options.go_on {
        true => Some(state_at_the_end(sources, use_case)?),
        false => None,
    };
    for model in &plan.declared.models {
        let course = Course {
            sources,
            plan,
            training,
            model,
            options,
        };
        let previous = deployed.as_ref().and_then(|state| course.previous(state));
        let (dataset, artifact) = course.fit(&all, &kept, previous.as_ref(), progress)?;
        if plan.declared.is_stacked() {
            margins.push(Margins::of(&artifact.model, &dataset.matrix));
            stacked = Some(dataset);
        }
        trained.add(sources, name, &model.name, artifact)?;
    }
    if let Some(dataset) = stacked {
        let artifact = ensemble::fit(&plan.declared, &trained.models, margins, &dataset)?;
        trained.add(sources, name, ENSEMBLE, artifact)?;
    }
    if plan.declared.score == ScoreDecl::ExpectedCost
        && let Some(knots) = fitted_thresholds(plan, &trained, &all, &kept)?
    {
        trained.controls.push(Control::Thresholds {
            use_case: name.clone(),
            knots,
        });
    }
    Ok(trained)
}

/// The training of one model.
struct Course<'a> {
    sources: &'a Sources,
    plan: &'a UseCasePlan,
    training: &'a TrainingDecl,
    model: &'a ModelDecl,
    options: TrainOptions,
}

impl Course<'_> {
    /// The deployed version, where it was trained on the columns of today. One that cannot be read
    /// is no reason not to train: a model begins anew then, and its card says so.
    fn previous(&self, deployed: &State) -> Option<Artifact> {
        let (name, model) = (&self.plan.declared.name, &self.model.name);
        let version = deployed.member(model)?.version().to_owned();
        let artifact = self.sources.store.get(name, model, &version).ok()?;
        let columns = seen_by(Some(self.training), self.model, &self.plan.columns);
        (artifact.columns.fingerprint == columns.fingerprint).then_some(artifact)
    }

    fn fit(
        &self,
        all: &Rows,
        kept: &[usize],
        previous: Option<&Artifact>,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<(Dataset, Artifact), EngineError> {
        let (model, name) = (self.model, &self.plan.declared.name);
        let known = previous.map(|artifact| &artifact.encoding);
        let (dataset, encoding) = self.dataset(all, kept, known)?;
        let learner = find_learner(&learners(), &model.algorithm).map_err(|_unknown| {
            EngineError::NotFound(format!("there is no algorithm `{}`", model.algorithm))
        })?;
        let declared = search_of(Some(self.training), model, learner);
        let search = with_trials(declared, self.options.trials, model, learner);
        let trials = self.sources.folder.searches().join(name);
        let trials = trials.join(format!("{}.jsonl", model.name));
        let fitting = TrainingPlan {
            use_case: name,
            member: &model.name,
            learner,
            params: &model.params,
            shares: shares(self.training),
            // Every outcome is known by now; only the order of time keeps the parts apart.
            gap: Span::ZERO,
            calibration: calibration(self.training.calibration),
            seed: Seed(self.training.seed).derive(&model.name),
            code: crate::BUILD,
            search: search.as_ref(),
            trials: Some(&trials),
            previous,
        };
        let mut report = |at| {
            let name = model.name.clone();
            progress(match at {
                TrainingStage::Searching(at) => TrainProgress::Searching(name, at),
                TrainingStage::Fitting(at) => TrainProgress::Fitting(name, at),
            });
        };
        let artifact = fit_artifact(&fitting, &dataset, encoding, &mut report)?;
        Ok((dataset, artifact))
    }

    /// The rows as the model sees them, with the categories of an earlier version first.
    fn dataset(
        &self,
        all: &Rows,
        kept: &[usize],
        known: Option<&Encoding>,
    ) -> Result<(Dataset, Encoding), EngineError> {
        let columns = Arc::new(seen_by(Some(self.training), self.model, &self.plan.columns));
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
        let made = match known {
            Some(known) => Dataset::from_columns_after(known, columns, &values, outcome, time),
            None => Dataset::from_columns(columns, &values, outcome, time),
        };
        let (mut dataset, encoding) = made.map_err(|e| EngineError::NotEnough(e.to_string()))?;
        if kept.iter().any(|&i| all.weight[i] != 1.0) {
            dataset.weight = Some(kept.iter().map(|&i| all.weight[i]).collect());
        }
        Ok((dataset, encoding))
    }
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

    /// Stores a version, and takes down what puts it in production.
    fn add(
        &mut self,
        sources: &Sources,
        use_case: &str,
        name: &str,
        artifact: Artifact,
    ) -> Result<(), EngineError> {
        let version = sources.store.put(&artifact)?;
        self.controls.push(Control::Deploy {
            use_case: use_case.to_owned(),
            member: name.to_owned(),
            version: version.clone(),
        });
        self.models.push(TrainedModel {
            name: name.to_owned(),
            version,
            artifact: Arc::new(artifact),
        });
        Ok(())
    }

    /// The state in which decisions are made by what was trained.
    fn deployed(&self, plan: &UseCasePlan) -> Result<State, EngineError> {
        let mut state = plan.policy.initial_state();
        for model in &self.models {
            let member = ArtifactMember::new(Arc::clone(&model.artifact));
            state.deploy(0, in_rows_of(member, &plan.columns)?);
        }
        Ok(state)
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

fn shares(training: &TrainingDecl) -> Shares {
    let rest = 1.0 - training.validation - training.calibration_share;
    Shares {
        train: rest * (1.0 - TEST_SHARE),
        validation: training.validation,
        calibration: training.calibration_share,
    }
}

pub(crate) fn calibration(declared: Calibration) -> CalibrationMethod {
    match declared {
        Calibration::Auto => CalibrationMethod::Auto,
        Calibration::Isotonic => CalibrationMethod::Isotonic,
        Calibration::Platt => CalibrationMethod::Platt,
    }
}

/// Where the bands should begin, by what decisions were worth on the rows that calibrated the
/// models and were not used to fit them.
fn fitted_thresholds(
    plan: &UseCasePlan,
    trained: &Trained,
    all: &Rows,
    kept: &[usize],
) -> Result<Option<Vec<(f64, f64)>>, EngineError> {
    let (Some(valuation), Some(model)) = (&plan.value, trained.models.first()) else {
        return Ok(None);
    };
    let period = model.artifact.split.calibration;
    let within = |&i: &usize| period.contains(all.events[i].event_time);
    let which: Vec<usize> = kept.iter().copied().filter(within).collect();
    let decisions = decide_all(plan, all, &which, &trained.deployed(plan)?);
    // A row on which a rule was final has no probability, whatever the bands.
    let judged = which.iter().zip(&decisions).filter_map(|(&i, decision)| {
        Some(thresholds::Judged {
            probability: decision.probability?,
            truth: all.truth[i],
            event: &all.events[i],
        })
    });
    Ok(thresholds::fit(
        &plan.declared.actions,
        valuation,
        &all.rates,
        judged.collect(),
    ))
}
