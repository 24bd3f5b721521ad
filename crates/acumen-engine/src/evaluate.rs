//! How good a use case would have been on a period: its rows decided on as they would have been
//! live, and compared with what turned out to be true.

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Body, Decision, Money, Time};
use acumen_decision::State;
use acumen_event::LogReader;
use acumen_model::metrics::BinaryMetrics;
use serde::Serialize;

use crate::error::EngineError;
use crate::history::Sources;
use crate::judged::decide_all;
use crate::plan::UseCasePlan;
use crate::rows::{Rows, Wanted, rows};

/// What an evaluation found.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The use case.
    pub use_case: String,
    /// From when.
    pub from: Time,
    /// To when.
    pub to: Time,
    /// Up to when outcomes were known.
    pub as_of: Time,
    /// Rows whose truth is known.
    pub rows: usize,
    /// Positives among them.
    pub positives: usize,
    /// Rows whose truth is not known yet.
    pub open: usize,
    /// The versions that answered.
    pub versions: Vec<String>,
    /// What the models saw of the period in training, in words; empty where they saw none of it.
    pub warning: String,
    /// The figures of the calibrated probability.
    pub metrics: Option<BinaryMetrics>,
    /// What was done, by action.
    pub actions: Vec<ActionLine>,
    /// Of interventions, the share that met a positive.
    pub precision: Option<f64>,
    /// Of positives, the share that met an intervention.
    pub recall: Option<f64>,
    /// What it was worth against always choosing the mildest action.
    pub saved: Option<Money>,
}

/// What one action met.
#[derive(Clone, Debug, Serialize)]
pub struct ActionLine {
    /// The action.
    pub action: String,
    /// Rows that turned out positive.
    pub positive: usize,
    /// Rows that turned out negative.
    pub negative: usize,
    /// What that was worth.
    pub value: Option<Money>,
}

/// Decides on every event of `[from, to)` with today's models, rules and thresholds, on the rows
/// that were read then.
pub fn evaluate(
    sources: &Sources,
    use_case: usize,
    (from, to): (Time, Time),
    progress: &mut dyn FnMut(u64),
) -> Result<Evaluation, EngineError> {
    let wanted = Wanted {
        from,
        to,
        as_of: None,
        sample: None,
    };
    let rows = rows(sources, use_case, wanted, progress)?;
    let state = state_at_the_end(sources, use_case)?;
    let plan = &sources.plan.use_cases[use_case];
    let all: Vec<usize> = (0..rows.len()).collect();
    let decided = decide_all(plan, &plan.policy, &state, &rows, &all);
    let mut evaluation = judge(sources, use_case, &rows, &state, &decided);
    (evaluation.from, evaluation.to) = (from, to);
    evaluation.warning = seen_in_training(sources, use_case, &state, from)?;
    Ok(evaluation)
}

/// Compares decisions with what became true; the period is that of the rows.
pub(crate) fn judge(
    sources: &Sources,
    use_case: usize,
    rows: &Rows,
    state: &State,
    decided: &[Decision],
) -> Evaluation {
    let plan = &sources.plan.use_cases[use_case];
    let known: Vec<usize> = (0..rows.len())
        .filter(|&i| rows.truth[i] != Truth::Open)
        .collect();
    let positive = |i: &&usize| rows.truth[**i] == Truth::Positive;
    let times = || rows.events.iter().map(|event| event.event_time);
    let mut evaluation = Evaluation {
        use_case: plan.declared.name.clone(),
        from: times().min().unwrap_or(rows.as_of),
        to: times().max().unwrap_or(rows.as_of),
        as_of: rows.as_of,
        rows: known.len(),
        positives: known.iter().filter(positive).count(),
        open: rows.len() - known.len(),
        versions: state
            .members()
            .map(|m| format!("{} {}", m.name(), m.version()))
            .collect(),
        warning: String::new(),
        metrics: metrics(decided, rows, &known),
        actions: Vec::new(),
        precision: None,
        recall: None,
        saved: None,
    };
    evaluation.by_action(plan, decided, rows, &known);
    evaluation
}

fn metrics(decided: &[Decision], rows: &Rows, known: &[usize]) -> Option<BinaryMetrics> {
    let scored: Vec<usize> = known
        .iter()
        .copied()
        .filter(|&i| decided[i].probability.is_some())
        .collect();
    if scored.is_empty() {
        return None;
    }
    let predicted: Vec<f64> = scored
        .iter()
        .filter_map(|&i| decided[i].probability)
        .collect();
    let outcome: Vec<f32> = scored
        .iter()
        .map(|&i| f32::from(rows.truth[i] == Truth::Positive))
        .collect();
    Some(BinaryMetrics::of(&predicted, &outcome))
}

impl Evaluation {
    fn by_action(
        &mut self,
        plan: &UseCasePlan,
        decided: &[Decision],
        rows: &Rows,
        known: &[usize],
    ) {
        let mildest = plan.policy.actions().next().unwrap_or_default();
        let (mut value, mut baseline) = (0_i64, 0_i64);
        for action in plan.policy.actions() {
            let of: Vec<usize> = known
                .iter()
                .copied()
                .filter(|&i| decided[i].action == action)
                .collect();
            let worth = |action: &str| -> Option<i64> {
                let valuation = plan.value.as_ref()?;
                let worth = |&i: &usize| {
                    valuation.value(action, rows.truth[i], &rows.events[i], &rows.rates)
                };
                Some(of.iter().filter_map(worth).map(|money| money.minor).sum())
            };
            value += worth(action).unwrap_or(0);
            baseline += worth(mildest).unwrap_or(0);
            let positive = of
                .iter()
                .filter(|&&i| rows.truth[i] == Truth::Positive)
                .count();
            self.actions.push(ActionLine {
                action: action.to_owned(),
                positive,
                negative: of.len() - positive,
                value: worth(action).map(|minor| Money::new(minor, plan.declared.currency)),
            });
        }
        let (hits, wrong) = self
            .actions
            .iter()
            .skip(1)
            .fold((0, 0), |(hits, wrong), line| {
                (hits + line.positive, wrong + line.negative)
            });
        self.precision = (hits + wrong > 0).then(|| hits as f64 / (hits + wrong) as f64);
        self.recall = (self.positives > 0).then(|| hits as f64 / self.positives as f64);
        let saved = Money::new(value - baseline, plan.declared.currency);
        self.saved = plan.value.is_some().then_some(saved);
    }
}

/// Lists, rules, thresholds and models as the end of the log leaves them.
pub(crate) fn state_at_the_end(
    sources: &Sources,
    use_case: usize,
) -> Result<Arc<State>, EngineError> {
    let mut core = sources.nearest(u64::MAX)?;
    for record in LogReader::open(&sources.folder.log())?.read(core.next) {
        let record = record?;
        if let Body::Control { .. } = record.body {
            core.apply(&record, false);
        }
    }
    Ok(Arc::clone(&core.live[use_case].state))
}

/// Where the deployed models of a use case stopped looking: figures from there on do not flatter
/// them. [`Time::EARLIEST`] where none is deployed.
///
/// # Errors
/// Where the log or a model cannot be read.
pub fn unseen_from(sources: &Sources, use_case: usize) -> Result<Time, EngineError> {
    let state = state_at_the_end(sources, use_case)?;
    let looked = looked_until(sources, use_case, &state)?;
    let latest = looked.into_iter().map(|(_, until)| until).max();
    Ok(latest.unwrap_or(Time::EARLIEST))
}

/// Whether a deployed model was fitted on part of the period.
pub(crate) fn seen_in_training(
    sources: &Sources,
    use_case: usize,
    state: &State,
    from: Time,
) -> Result<String, EngineError> {
    let looked = looked_until(sources, use_case, state)?;
    let flattered = looked.into_iter().filter(|(_, until)| *until > from);
    let warnings: Vec<String> = flattered
        .map(|(member, until)| {
            format!("`{member}` was trained on rows up to {until}: figures before that flatter it")
        })
        .collect();
    Ok(warnings.join("; "))
}

/// The deployed models, each with the end of the rows that it was fitted on.
fn looked_until(
    sources: &Sources,
    use_case: usize,
    state: &State,
) -> Result<Vec<(String, Time)>, EngineError> {
    let declared = &sources.plan.use_cases[use_case].declared;
    let mut looked = Vec::new();
    for member in declared
        .member_names()
        .filter_map(|name| state.member(name))
    {
        let (name, version) = (member.name(), member.version());
        let artifact = sources.store.get(&declared.name, name, version)?;
        looked.push((name.to_owned(), artifact.seen_until()));
    }
    Ok(looked)
}
