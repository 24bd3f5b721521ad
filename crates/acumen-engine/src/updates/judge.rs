//! Whether a candidate may replace the champion: both decide on the newest rows whose truth is
//! known, which the candidate was not fitted to.

use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Clock, Deadline, Decision, Gate, ManualClock, Member, Time};
use acumen_decision::State;
use acumen_model::ArtifactMember;
use acumen_model::metrics::BinaryMetrics;
use acumen_model::split::Period;

use super::Updater;
use crate::core::load_member;
use crate::error::EngineError;
use crate::history::Sources;
use crate::judged::decide_all;
use crate::plan::UseCasePlan;
use crate::projected::in_rows_of;
use crate::rows::Rows;
use crate::spec::{GateMetric, GatesDecl, compile};
use crate::train::Trained;

/// Rows on which speed is measured.
const TIMED_ROWS: usize = 200;

/// How often each is measured; the fastest counts, because others disturb and never help.
const TIMED_ROUNDS: usize = 3;

/// What was found.
pub(super) struct Judged {
    /// The first and the last instant of the rows.
    pub(super) period: Option<(Time, Time)>,
    pub(super) gates: Vec<Gate>,
}

/// The figures of champion and candidate on the rows that both gave a probability for.
struct Compared {
    candidate: BinaryMetrics,
    champion: Option<BinaryMetrics>,
}

/// Judges a candidate.
///
/// # Errors
/// Where what was trained cannot be loaded.
pub(super) fn judge(
    updater: &Updater,
    use_case: usize,
    rows: &Rows,
    trained: &Trained,
    champion: &State,
) -> Result<Judged, EngineError> {
    let plan = &updater.sources.plan.use_cases[use_case];
    let gates = &plan.declared.gates;
    let candidate = deployed(updater, trained, champion)?;
    let as_judged = |state: &State| as_judged(&updater.sources, use_case, state);
    let which = unseen(rows, trained);
    let times = which.iter().map(|&i| rows.events[i].event_time);
    let period = times.clone().min().zip(times.max());
    let has_champion = champion_answers(plan, champion);
    let compared = compare(
        plan,
        rows,
        &which,
        &as_judged(&candidate)?,
        has_champion
            .then(|| as_judged(champion))
            .transpose()?
            .as_ref(),
    )?;
    let members: Vec<&Arc<dyn Member>> = plan
        .declared
        .models
        .iter()
        .filter_map(|model| candidate.member(&model.name))
        .collect();
    let took = latency_us(&members, rows, &which, &updater.clock);
    Ok(Judged {
        period,
        gates: vec![
            enough(gates, &compared.candidate),
            not_worse(gates, &compared),
            calibrated(gates, &compared.candidate),
            fast(gates, took),
        ],
    })
}

/// Why it was promoted or held, in words.
pub(super) fn verdict(gates: &[Gate]) -> String {
    let failed: Vec<&str> = gates
        .iter()
        .filter(|gate| !gate.passed)
        .map(|gate| gate.text.as_str())
        .collect();
    match failed.as_slice() {
        [] => "promoted: it passed every gate".to_owned(),
        failed => format!("held: {}", failed.join("; ")),
    }
}

/// The champion's state with what was trained in its place.
fn deployed(updater: &Updater, trained: &Trained, champion: &State) -> Result<State, EngineError> {
    let mut state = champion.clone();
    let position = champion.control();
    for control in &trained.controls {
        state
            .apply(position, control)
            .map_err(EngineError::Control)?;
        let (plan, store) = (&updater.sources.plan, &updater.sources.store);
        if let Some(version) = load_member(plan, store, control)? {
            state.deploy(position, version.member);
        }
    }
    Ok(state)
}

/// A state whose models are as they were judged: one that was fitted again to all rows has seen
/// what it would be compared on.
fn as_judged(sources: &Sources, use_case: usize, state: &State) -> Result<State, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let name = &plan.declared.name;
    let mut judged = state.clone();
    for model in &plan.declared.models {
        let Some(live) = state.member(&model.name) else {
            continue;
        };
        let artifact = sources.store.get(name, &model.name, live.version())?;
        if let Some(version) = &artifact.refit_of {
            let artifact = sources.store.get(name, &model.name, version)?;
            let member = ArtifactMember::new(Arc::new(artifact));
            let member = in_rows_of(member, &plan.columns, &model.name)?;
            judged.deploy(state.control(), member);
        }
    }
    Ok(judged)
}

/// The rows whose truth is known and that no candidate was fitted to or calibrated on.
fn unseen(rows: &Rows, trained: &Trained) -> Vec<usize> {
    let tests = trained.models.iter().map(|model| model.artifact.split.test);
    let Some(period) = tests.reduce(|a, b| Period {
        from: a.from.max(b.from),
        to: a.to.min(b.to),
    }) else {
        return Vec::new();
    };
    let mut mature = rows.mature();
    mature.retain(|&i| period.contains(rows.events[i].event_time));
    mature
}

/// Whether any declared model is live.
fn champion_answers(plan: &UseCasePlan, champion: &State) -> bool {
    let models = &plan.declared.models;
    models
        .iter()
        .any(|model| champion.member(&model.name).is_some())
}

fn compare(
    plan: &UseCasePlan,
    rows: &Rows,
    which: &[usize],
    candidate: &State,
    champion: Option<&State>,
) -> Result<Compared, EngineError> {
    // A policy of its own: circuit breakers of the live one must not hear of this.
    let policy = compile::policy(&plan.declared, Arc::clone(&plan.columns));
    let policy = policy.map_err(EngineError::Spec)?;
    let decided = |state: &State| decide_all(plan, &policy, state, rows, which);
    let ours = decided(candidate);
    let theirs = champion.map(decided);
    let outcome = |i: usize| f32::from(rows.truth[which[i]] == Truth::Positive);
    let both = |i: &usize| {
        let theirs = theirs.as_ref();
        ours[*i].probability.is_some()
            && theirs.is_none_or(|theirs| theirs[*i].probability.is_some())
    };
    let both: Vec<usize> = (0..which.len()).filter(both).collect();
    let outcomes: Vec<f32> = both.iter().map(|&i| outcome(i)).collect();
    let weights: Vec<f32> = both.iter().map(|&i| rows.weight[which[i]]).collect();
    let figures = |decisions: &[Decision]| {
        let predicted: Vec<f64> = both
            .iter()
            .filter_map(|&i| decisions[i].probability)
            .collect();
        BinaryMetrics::weighted(&predicted, &outcomes, Some(&weights))
    };
    Ok(Compared {
        candidate: figures(&ours),
        champion: theirs.as_deref().map(figures),
    })
}

/// What all members take for a row, in microseconds, in 99 of 100 rows; `None` without rows.
fn latency_us(
    members: &[&Arc<dyn Member>],
    rows: &Rows,
    which: &[usize],
    clock: &Arc<dyn Clock>,
) -> Option<f64> {
    let patient = Deadline::never(ManualClock::at(rows.as_of));
    let mut took: Vec<u64> = Vec::new();
    for &i in which.iter().take(TIMED_ROWS) {
        let row = rows.row(i);
        let round = |_| {
            let started = clock.nanos();
            for member in members {
                // What fails is told by the other gates: it gives no probability.
                let _answer = member.predict(&row, &patient);
            }
            clock.nanos() - started
        };
        took.extend((0..TIMED_ROUNDS).map(round).min());
    }
    took.sort_unstable();
    let slow = took.get((took.len() * 99).div_ceil(100).checked_sub(1)?)?;
    Some(*slow as f64 / 1_000.0)
}

fn enough(gates: &GatesDecl, candidate: &BinaryMetrics) -> Gate {
    let (found, least) = (candidate.positives, gates.min_positives);
    Gate {
        name: "enough".to_owned(),
        passed: found >= least,
        figure: Some(found as f64),
        limit: Some(least as f64),
        text: format!(
            "{found} positives among {} rows whose truth is known and that it has not seen, at \
             least {least} are wanted",
            candidate.rows
        ),
    }
}

fn not_worse(gates: &GatesDecl, compared: &Compared) -> Gate {
    let name = gates.metric.name();
    let ours = figure(gates.metric, &compared.candidate);
    let Some(champion) = &compared.champion else {
        return Gate {
            name: "not_worse".to_owned(),
            passed: ours.is_some(),
            figure: ours,
            limit: None,
            text: format!("{name} {}, and no champion to compare with", shown(ours)),
        };
    };
    let theirs = figure(gates.metric, champion);
    let less = gates.metric.less_is_better();
    let slack = if less {
        gates.tolerance
    } else {
        -gates.tolerance
    };
    let limit = theirs.map(|theirs| theirs + slack);
    let passed = match (ours, limit) {
        (Some(ours), Some(limit)) if less => ours <= limit,
        (Some(ours), Some(limit)) => ours >= limit,
        // A champion that has no figure here cannot be beaten by one that has none either.
        (ours, None) => ours.is_some(),
        (None, Some(_)) => false,
    };
    Gate {
        name: "not_worse".to_owned(),
        passed,
        figure: ours,
        limit,
        text: format!(
            "{name} {} where the champion has {}, with a tolerance of {}",
            shown(ours),
            shown(theirs),
            gates.tolerance
        ),
    }
}

fn calibrated(gates: &GatesDecl, candidate: &BinaryMetrics) -> Gate {
    let (found, most) = (candidate.ece_equal_mass, gates.ece_max);
    Gate {
        name: "calibrated".to_owned(),
        // Without rows there is no error, and nothing was shown.
        passed: candidate.rows > 0 && found <= most,
        figure: (candidate.rows > 0).then_some(found),
        limit: Some(most),
        text: format!("calibration error {found:.4}, at most {most} is allowed"),
    }
}

fn fast(gates: &GatesDecl, took: Option<f64>) -> Gate {
    let most = gates.latency_us_max;
    Gate {
        name: "fast".to_owned(),
        passed: took.is_some_and(|took| took <= most as f64),
        figure: took,
        limit: Some(most as f64),
        text: match took {
            Some(took) => format!("99 of 100 rows take {took:.0} µs or less, {most} are allowed"),
            None => "no row to measure speed on".to_owned(),
        },
    }
}

fn figure(metric: GateMetric, of: &BinaryMetrics) -> Option<f64> {
    let some = of.rows > 0;
    match metric {
        GateMetric::AveragePrecision => of.average_precision,
        GateMetric::Auc => of.auc,
        GateMetric::RecallAtPrecision95 => of.at_precision_95.as_ref().map(|point| point.recall),
        GateMetric::LogLoss => some.then_some(of.log_loss),
        GateMetric::Brier => some.then_some(of.brier),
    }
}

fn shown(figure: Option<f64>) -> String {
    figure.map_or_else(|| "none".to_owned(), |figure| format!("{figure:.4}"))
}
