//! The training of one model.

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Columns, Seed, Span};
use acumen_decision::State;
use acumen_model::training::{TrainingPlan, TrainingStage, Versions, fit_artifact};
use acumen_model::{Artifact, Dataset, Encoding, find_learner};

use super::threads::Limited;
use super::{TrainOptions, TrainProgress, calibration, quantiles, shares};
use crate::error::EngineError;
use crate::history::Sources;
use crate::learners::learners;
use crate::plan::UseCasePlan;
use crate::projected::seen_by;
use crate::rows::Rows;
use crate::searching::{search_of, with_trials};
use crate::spec::{ModelDecl, TrainingDecl};

/// One model, and what it is trained with.
pub(super) struct Course<'a> {
    pub(super) sources: &'a Sources,
    pub(super) plan: &'a UseCasePlan,
    pub(super) training: &'a TrainingDecl,
    pub(super) model: &'a ModelDecl,
    pub(super) options: TrainOptions,
}

impl Course<'_> {
    /// The deployed version, as it was judged, where it was trained on the columns of today. One
    /// that cannot be read is no reason not to train: a model begins anew then, and its card says
    /// so.
    pub(super) fn previous(&self, deployed: &State) -> Option<Artifact> {
        let (name, model) = (&self.plan.declared.name, &self.model.name);
        let version = deployed.member(model)?.version().to_owned();
        let store = &self.sources.store;
        let live = store.get(name, model, &version).ok()?;
        let artifact = match &live.refit_of {
            Some(judged) => store.get(name, model, judged).ok()?,
            None => live,
        };
        let columns = seen_by(Some(self.training), self.model, &self.plan.columns);
        (artifact.columns.fingerprint == columns.fingerprint).then_some(artifact)
    }

    pub(super) fn fit(
        &self,
        all: &Rows,
        kept: &[usize],
        previous: Option<&Artifact>,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<(Dataset, Versions), EngineError> {
        let (model, name) = (self.model, &self.plan.declared.name);
        let known = previous.map(|artifact| &artifact.encoding);
        let (dataset, encoding) = self.dataset(all, kept, known)?;
        let learner = find_learner(&learners(), &model.algorithm).map_err(|_unknown| {
            EngineError::NotFound(format!("there is no algorithm `{}`", model.algorithm))
        })?;
        let limited = Limited::new(learner, &model.params, self.options.threads);
        let declared = search_of(Some(self.training), model, learner);
        let search = with_trials(declared, self.options.trials, model, learner);
        let trials = self.sources.folder.searches().join(name);
        let trials = trials.join(format!("{}.jsonl", model.name));
        let fitting = TrainingPlan {
            use_case: name,
            member: &model.name,
            learner,
            params: &limited.params,
            shares: shares(self.training),
            // Every outcome is known by now; only the order of time keeps the parts apart.
            gap: Span::ZERO,
            calibration: calibration(self.training.calibration),
            seed: Seed(self.training.seed).derive(&model.name),
            code: crate::BUILD,
            search: search.as_ref(),
            trials: Some(&trials),
            previous,
            refit: self.training.refit,
        };
        let mut report = |at| {
            let name = model.name.clone();
            progress(match at {
                TrainingStage::Searching(at) => TrainProgress::Searching(name, at),
                TrainingStage::Fitting(at) => TrainProgress::Fitting(name, at),
            });
        };
        let mut versions = fit_artifact(&fitting, &dataset, encoding, &mut report)?;
        let judged = &mut versions.judged;
        let fitted = |&&i: &&usize| judged.split.train.contains(all.events[i].event_time);
        let fitted: Vec<usize> = kept.iter().filter(fitted).copied().collect();
        limited.restore(judged);
        judged.quantiles = quantiles_of(all, &fitted, &judged.columns);
        if let Some(again) = &mut versions.refitted {
            limited.restore(again);
            again.quantiles = quantiles_of(all, kept, &again.columns);
            again.refit_of = Some(judged.version());
        }
        Ok((dataset, versions))
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

fn quantiles_of(all: &Rows, fitted: &[usize], columns: &Columns) -> Vec<Vec<f64>> {
    quantiles(
        &all.columns,
        &all.data,
        (fitted, Some(&all.weight)),
        columns,
    )
}
