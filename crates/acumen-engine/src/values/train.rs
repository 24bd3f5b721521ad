//! From rows at origins to the best of the declared models.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_base::{Control, Seed, Time};
use acumen_model::artifact::FORMAT;
use acumen_model::{
    Artifact, Candidate, CandidateTable, Dataset, Encoding, JudgedValue, Learner, Metrics, Params,
    Period, Split, TrainingWindow, ValueModel, ValuePlan, find_learner, fit_value,
};

use super::candidates::Parts;
use crate::error::EngineError;
use crate::evaluate::state_at_the_end;
use crate::history::Sources;
use crate::learners::learners;
use crate::origins::{Each, OriginRows, Reach, origins, rows_at};
use crate::plan::UseCasePlan;
use crate::projected::seen_by;
use crate::searching::params_of;
use crate::spec::{ModelDecl, TrainingDecl, is_of_purchases};
use crate::train::{Limited, TrainOptions, TrainProgress, Trained, declared, quantiles};

/// What decides between candidates, where no outcome is below 0.
const DEVIANCE: &str = "deviance";
/// What does where some are.
const RMSE: &str = "root mean squared error";

/// Trains every model of a use case on rows at origins, compares them on rows that none of them
/// was fitted to, and fits the best again to all.
pub(crate) fn train_values(
    sources: &Sources,
    use_case: usize,
    options: TrainOptions,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let (each, training) = (Each::of(plan)?, declared(plan)?);
    let reach = Reach::of(sources, use_case, options.as_of)?;
    let times = origins(&each, training, reach)?;
    let rows = rows_at(sources, use_case, &times, reach, &mut |at| {
        progress(TrainProgress::Reading(at));
    })?;
    let seed = Seed(training.seed);
    let contest = Contest {
        plan,
        training,
        options,
        rows: &rows,
        parts: Parts::of(&rows, &times, each.target.over, seed),
        floor: each.target.floor,
    };
    contest.check(&each)?;
    let (chosen, table) = contest.run(&times, progress)?;
    let artifact = contest.refitted(&chosen, table, progress)?;
    let mut trained = Trained {
        models: Vec::new(),
        controls: Vec::new(),
        read: rows.len(),
        kept: rows.len(),
        rows: rows.len(),
        positives: rows.target.iter().filter(|sum| **sum > 0.0).count(),
        immature: 0,
        hidden: 0,
        ranking: None,
    };
    let name = chosen.model.name.clone();
    trained.add(sources, &plan.declared.name, &name, artifact)?;
    let state = state_at_the_end(sources, use_case)?;
    let others = plan.declared.member_names().filter(|other| *other != name);
    let live = others.filter(|other| state.member(other).is_some());
    trained.controls.extend(live.map(|other| Control::Withdraw {
        use_case: plan.declared.name.clone(),
        member: other.to_owned(),
    }));
    Ok(trained)
}

/// Models that are compared on the same rows.
struct Contest<'a> {
    plan: &'a UseCasePlan,
    training: &'a TrainingDecl,
    options: TrainOptions,
    rows: &'a OriginRows,
    parts: Parts,
    floor: Option<f64>,
}

/// A candidate with what it is fitted by.
struct Entered<'a> {
    model: &'a ModelDecl,
    learner: &'static dyn Learner,
    limited: Limited,
    informant: Option<(&'static dyn Learner, Params)>,
    dataset: Dataset,
    encoding: Encoding,
}

/// The best of them.
struct Chosen<'a> {
    entered: Entered<'a>,
    model: &'a ModelDecl,
    judged: JudgedValue,
}

impl<'a> Contest<'a> {
    fn check(&self, each: &Each<'_>) -> Result<(), EngineError> {
        let [train, test] = [&self.parts.train, &self.parts.test].map(Vec::len);
        if train > 0 && test > 0 {
            return Ok(());
        }
        let base = match each.base() {
            Some(column) => format!(" of the base (`{column}` above 0)"),
            None => String::new(),
        };
        Err(EngineError::NotEnough(format!(
            "{train} rows are left to fit to and {test} to compare on: too few keys{base} were \
             known at the origins; bring older events, or widen the base"
        )))
    }

    /// Fits every candidate and compares them.
    fn run(
        &self,
        times: &[Time],
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<(Chosen<'a>, CandidateTable), EngineError> {
        let mut list = Vec::new();
        let mut best: Option<(f64, Chosen<'a>)> = None;
        for model in &self.plan.declared.models {
            let entered = self.enter(model)?;
            let learner = entered.learner.name().to_owned();
            let member = model.name.clone();
            let judged = match self.judged(&entered, progress) {
                Ok(judged) => judged,
                Err(error) => {
                    list.push(Candidate {
                        member,
                        learner,
                        value: None,
                        metrics: None,
                        failed: Some(error.to_string()),
                    });
                    continue;
                }
            };
            let value = judged.deviance.unwrap_or(judged.metrics.rmse);
            list.push(Candidate {
                member,
                learner,
                value: Some(value),
                metrics: Some(judged.metrics.clone()),
                failed: None,
            });
            if best.as_ref().is_none_or(|(least, _)| value < *least) {
                let chosen = Chosen {
                    entered,
                    model,
                    judged,
                };
                best = Some((value, chosen));
            }
        }
        let order = |candidate: &Candidate| candidate.value.unwrap_or(f64::INFINITY);
        list.sort_by(|a, b| order(a).total_cmp(&order(b)));
        let Some((_, chosen)) = best else {
            return Err(nothing_fitted(&list));
        };
        let table = CandidateTable {
            fitted_at: self.parts.fitted_at.clone(),
            judged_at: self.parts.judged_at.clone(),
            judged_on: self.parts.judged_on.to_owned(),
            by: chosen.judged.deviance.map_or(RMSE, |_| DEVIANCE).to_owned(),
            list,
            refitted_at: times.to_vec(),
        };
        Ok((chosen, table))
    }

    /// A model with its rows and parameters.
    fn enter(&self, model: &'a ModelDecl) -> Result<Entered<'a>, EngineError> {
        let learner = learner_of(model)?;
        let declared = &self.plan.declared;
        let params = params_of(declared, model, learner);
        let limited = Limited::new(learner, &params, self.options.threads);
        let columns = Arc::new(seen_by(Some(self.training), model, &self.plan.columns));
        let rows = self.rows;
        let places = columns.list.iter();
        let places = places.filter_map(|column| rows.columns.position(&column.name));
        let values: Vec<Vec<f64>> = places.map(|place| rows.data[place].clone()).collect();
        let outcome = rows.target.iter().map(|sum| *sum as f32).collect();
        let made = Dataset::from_columns(Arc::clone(&columns), &values, outcome, rows.at.clone());
        let (dataset, encoding) = made.map_err(|e| EngineError::NotEnough(e.to_string()))?;
        Ok(Entered {
            informant: self.informant(model, &columns)?,
            model,
            learner,
            limited,
            dataset,
            encoding,
        })
    }

    /// The model of purchases that answers beside one: the one that informs it, or else the first
    /// that is declared, if it can be fitted to the columns that the model sees.
    fn informant(
        &self,
        model: &ModelDecl,
        columns: &acumen_base::Columns,
    ) -> Result<Option<(&'static dyn Learner, Params)>, EngineError> {
        let declared = &self.plan.declared;
        if is_of_purchases(&model.algorithm) {
            return Ok(None);
        }
        let named = |other: &&ModelDecl| match &model.informed_by {
            Some(name) => other.name == *name,
            None => is_of_purchases(&other.algorithm),
        };
        let Some(found) = declared.models.iter().find(named) else {
            return Ok(None);
        };
        let learner = learner_of(found)?;
        let params = params_of(declared, found, learner);
        let fits = model.informed_by.is_some() || learner.check(&params, columns).is_ok();
        Ok(fits.then_some((learner, params)))
    }

    fn judged(
        &self,
        entered: &Entered<'_>,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<JudgedValue, EngineError> {
        let Parts {
            train, validation, ..
        } = &self.parts;
        let fitted = self.fit(entered, train, validation, progress)?;
        let part = |rows: &[usize]| entered.dataset.select(rows);
        Ok(fitted.judge(&part(&self.parts.calibration), &part(&self.parts.test)))
    }

    fn fit(
        &self,
        entered: &Entered<'_>,
        train: &[usize],
        validation: &[usize],
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<ValueModel, EngineError> {
        let informant = entered.informant.as_ref();
        let plan = ValuePlan {
            learner: entered.learner,
            params: &entered.limited.params,
            informant: informant.map(|(learner, params)| (*learner, params)),
            informs: entered.model.informed_by.is_some(),
            floor: self.floor,
            seed: Seed(self.training.seed).derive(&entered.model.name),
        };
        let part = |rows: &[usize]| entered.dataset.select(rows);
        let mut report = |at| progress(TrainProgress::Fitting(entered.model.name.clone(), at));
        Ok(fit_value(
            &plan,
            &part(train),
            &part(validation),
            &mut report,
        )?)
    }

    /// The best, fitted again to all rows.
    fn refitted(
        &self,
        chosen: &Chosen<'_>,
        table: CandidateTable,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<Artifact, EngineError> {
        let Chosen {
            entered, judged, ..
        } = chosen;
        let (train, validation) = Parts::all(self.rows, Seed(self.training.seed));
        let fitted = self.fit(entered, &train, &validation, progress)?;
        let columns = (*entered.dataset.matrix.columns).clone();
        let (window, split) = self.periods(&table);
        let every: Vec<usize> = (0..self.rows.len()).collect();
        let mut artifact = Artifact {
            format: FORMAT,
            use_case: self.plan.declared.name.clone(),
            member: entered.model.name.clone(),
            learner: entered.learner.name().to_owned(),
            parameters: fitted.parameters,
            quantiles: quantiles(
                &self.rows.columns,
                &self.rows.data,
                (&every, None),
                &columns,
            ),
            columns,
            encoding: entered.encoding.clone(),
            model: fitted.model,
            calibration: fitted.calibration,
            intervals: judged.intervals.clone(),
            test_metrics: Metrics::Regression(judged.metrics.clone()),
            window,
            split,
            importances: fitted.importances,
            seed: self.training.seed,
            code: crate::BUILD.to_owned(),
            continues: None,
            refit_of: None,
            search: None,
            purchases: fitted.purchases,
            candidates: Some(table),
        };
        entered.limited.restore(&mut artifact);
        Ok(artifact)
    }

    /// The rows that it was fitted to, and the times of its parts.
    fn periods(&self, table: &CandidateTable) -> (TrainingWindow, Split) {
        let as_of = self.rows.as_of;
        let bounds = |times: &[Time]| {
            let times: BTreeSet<Time> = times.iter().copied().collect();
            let (first, last) = (times.first(), times.last());
            (*first.unwrap_or(&as_of), *last.unwrap_or(&as_of))
        };
        let period = |times: &[Time], to: Option<Time>| {
            let (from, last) = bounds(times);
            let to = to.unwrap_or(Time(last.0 + 1));
            Period { from, to }
        };
        let (from, to) = bounds(&table.refitted_at);
        let window = TrainingWindow {
            from,
            to,
            rows: self.rows.len(),
            positives: self.rows.target.iter().filter(|sum| **sum > 0.0).count(),
            stands_for: None,
        };
        // What followed the last origin has been looked at up to the end of what is known.
        let split = Split {
            train: period(&table.fitted_at, None),
            validation: period(&table.fitted_at, None),
            calibration: period(&table.judged_at, Some(as_of)),
            test: period(&table.judged_at, Some(as_of)),
        };
        (window, split)
    }
}

fn learner_of(model: &ModelDecl) -> Result<&'static dyn Learner, EngineError> {
    find_learner(&learners(), &model.algorithm).map_err(|_unknown| {
        EngineError::NotFound(format!("there is no algorithm `{}`", model.algorithm))
    })
}

fn nothing_fitted(list: &[Candidate]) -> EngineError {
    let why = |candidate: &Candidate| {
        let failed = candidate.failed.as_deref().unwrap_or_default();
        format!("{}: {failed}", candidate.member)
    };
    let why: Vec<String> = list.iter().map(why).collect();
    EngineError::NotEnough(format!(
        "none of the models could be fitted:\n{}",
        why.join("\n")
    ))
}
