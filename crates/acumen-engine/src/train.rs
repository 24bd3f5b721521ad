//! From the log to deployed models: rows, outcomes, a version, thresholds.

mod course;
mod quantiles;
mod threads;

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Control, ENSEMBLE, ModelVersion, Span, Time};
use acumen_decision::State;
use acumen_model::split::Shares;
use acumen_model::{
    Artifact, ArtifactMember, CalibrationMethod, Progress, SearchProgress, Versions,
};

use crate::ensemble::{self, Margins};
use crate::error::EngineError;
use crate::evaluate::state_at_the_end;
use crate::history::Sources;
use crate::judged::decide_all;
use crate::plan::UseCasePlan;
use crate::projected::in_rows_of;
use crate::ranking::{RankingTable, train_sources};
use crate::rows::{Rows, Sample, Wanted, rows};
use crate::spec::{Calibration, ScoreDecl, TrainingData, TrainingDecl};
use crate::thresholds;
use crate::values::train_values;
use course::Course;

pub(crate) use quantiles::quantiles;
pub(crate) use threads::Limited;

/// The share of the rows that the card is written on, the latest of all.
const TEST_SHARE: f64 = 0.15;

/// What training gave.
#[derive(Clone, Debug)]
pub struct Trained {
    /// A version of each model, in declared order.
    pub models: Vec<TrainedModel>,
    /// The edits that put them in production: deployments, and thresholds where they are fitted.
    pub controls: Vec<Control>,
    /// Rows that there were, and those that were kept of them.
    pub read: usize,
    /// See [`Trained::read`].
    pub kept: usize,
    /// Rows that it was trained on.
    pub rows: usize,
    /// Positives among them.
    pub positives: usize,
    /// Rows left out because their truth is not known yet.
    pub immature: usize,
    /// Rows left out because the decision on them hid the truth.
    pub hidden: usize,
    /// What was found of sources of candidates, where items are ranked.
    pub ranking: Option<RankingTable>,
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
    /// The version that was fitted to the earlier rows only, which judges it: the same one unless
    /// it was fitted again to all rows.
    pub judged: Arc<Artifact>,
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
    /// On so many threads; `None` is as the parameters say.
    pub threads: Option<usize>,
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
    let training = declared(plan)?;
    if plan.declared.ranking.is_some() {
        return train_sources(sources, use_case, options, progress);
    }
    if plan.declared.subject.is_some() {
        return train_values(sources, use_case, options, progress);
    }
    let wanted = wanted(training, options.as_of);
    let all = rows(sources, use_case, wanted, &mut |at| {
        progress(TrainProgress::Reading(at));
    })?;
    train_on(sources, use_case, &all, options, progress)
}

/// Trains on rows that have been read.
pub(crate) fn train_on(
    sources: &Sources,
    use_case: usize,
    all: &Rows,
    options: TrainOptions,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let name = &plan.declared.name;
    let training = declared(plan)?;
    let kept = window(training, all);
    let mut trained = Trained::of(all, &kept);
    let (mut members, mut margins) = (Vec::new(), Vec::new());
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
        let (dataset, versions) = course.fit(all, &kept, previous.as_ref(), progress)?;
        let votes = plan.declared.is_stacked() && !model.shadow;
        if votes {
            margins.push(Margins::of(&versions.judged.model, &dataset.matrix));
            stacked = Some(dataset);
        }
        let fitted = trained.add_versions(sources, name, &model.name, versions)?;
        members.extend(votes.then_some(fitted));
    }
    if let Some(dataset) = stacked {
        let artifact = ensemble::fit(&plan.declared, &members, margins, &dataset)?;
        trained.add(sources, name, ENSEMBLE, artifact)?;
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

/// The rows that a training reads, with what was known at `as_of` (`None`: the end of the log).
pub(crate) fn wanted(training: &TrainingDecl, as_of: Option<Time>) -> Wanted {
    Wanted {
        from: Time(i64::MIN),
        to: as_of.unwrap_or(Time(i64::MAX)),
        as_of,
        sample: Sample::of(training),
    }
}

pub(crate) fn declared(plan: &UseCasePlan) -> Result<&TrainingDecl, EngineError> {
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
            read: all.read,
            kept: all.len(),
            rows: kept.len(),
            positives: kept.iter().filter(is(Truth::Positive)).count(),
            immature: every.iter().filter(is(Truth::Open)).count(),
            hidden: all.weight.iter().filter(|weight| **weight == 0.0).count(),
            ranking: None,
        }
    }

    /// The versions that it gave.
    pub fn versions(&self) -> Vec<ModelVersion> {
        let models = self
            .models
            .iter()
            .map(|model| (&model.name, &model.version));
        let sources = self.ranking.iter().flat_map(|table| &table.sources);
        let sources = sources.map(|source| (&source.name, &source.version));
        let version = |(member, version): (&String, &String)| ModelVersion {
            member: member.clone(),
            version: version.clone(),
        };
        let rankers = self.ranking.iter().flat_map(|table| &table.ranker);
        let rankers = rankers.filter_map(|found| Some((&found.name, found.version.as_ref()?)));
        models.chain(sources).chain(rankers).map(version).collect()
    }

    /// Of so many events of feedback.
    pub(crate) fn of_lists(events: usize) -> Trained {
        Trained {
            models: Vec::new(),
            controls: Vec::new(),
            read: events,
            kept: events,
            rows: events,
            positives: 0,
            immature: 0,
            hidden: 0,
            ranking: None,
        }
    }

    /// Stores a version, and takes down what puts it in production.
    pub(crate) fn add(
        &mut self,
        sources: &Sources,
        use_case: &str,
        name: &str,
        artifact: Artifact,
    ) -> Result<TrainedModel, EngineError> {
        let versions = Versions {
            judged: artifact,
            refitted: None,
        };
        self.add_versions(sources, use_case, name, versions)
    }

    /// Stores the versions of a model, and takes down what puts the last of them in production.
    fn add_versions(
        &mut self,
        sources: &Sources,
        use_case: &str,
        name: &str,
        versions: Versions,
    ) -> Result<TrainedModel, EngineError> {
        let judged = Arc::new(versions.judged);
        let artifact = match versions.refitted {
            Some(again) => {
                sources.store.put(&judged)?;
                Arc::new(again)
            }
            None => Arc::clone(&judged),
        };
        let version = sources.store.put(&artifact)?;
        self.controls.push(Control::Deploy {
            use_case: use_case.to_owned(),
            member: name.to_owned(),
            version: version.clone(),
        });
        let model = TrainedModel {
            name: name.to_owned(),
            version,
            artifact,
            judged,
        };
        self.models.push(model.clone());
        Ok(model)
    }

    /// The state in which decisions are made by what was trained.
    ///
    /// # Errors
    /// Where the models were trained on rows of another definition.
    pub fn deployed(&self, plan: &UseCasePlan) -> Result<State, EngineError> {
        self.state_of(plan, |model| &model.artifact)
    }

    /// The state in which decisions are made by what was fitted to the earlier rows only, so that
    /// the later ones can judge them.
    ///
    /// # Errors
    /// As [`Trained::deployed`].
    pub fn as_judged(&self, plan: &UseCasePlan) -> Result<State, EngineError> {
        self.state_of(plan, |model| &model.judged)
    }

    fn state_of(
        &self,
        plan: &UseCasePlan,
        version: impl Fn(&TrainedModel) -> &Arc<Artifact>,
    ) -> Result<State, EngineError> {
        let mut state = plan.policy.initial_state();
        for model in &self.models {
            let member = ArtifactMember::new(Arc::clone(version(model)));
            state.deploy(0, in_rows_of(member, &plan.columns, &model.name)?);
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
/// models that vote and were not used to fit them.
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
    let period = model.artifact.split.calibration;
    let within = |&i: &usize| period.contains(all.events[i].event_time);
    let which: Vec<usize> = kept.iter().copied().filter(within).collect();
    let decisions = decide_all(plan, &plan.policy, &trained.as_judged(plan)?, all, &which);
    // A row on which a rule was final has no probability, whatever the bands.
    let judged = which.iter().zip(&decisions).filter_map(|(&i, decision)| {
        Some(thresholds::Judged {
            probability: decision.probability?,
            truth: all.truth[i],
            event: &all.events[i],
            weight: all.weight[i],
        })
    });
    Ok(thresholds::fit(
        &plan.declared.actions,
        valuation,
        &all.rates,
        judged.collect(),
    ))
}
