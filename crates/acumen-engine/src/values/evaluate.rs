//! How good the live model would have been at an origin of the past.

use acumen_base::{CalendarSpan, Time};
use acumen_model::RegressionMetrics;
use acumen_model::metrics::Gains;
use serde::Serialize;

use crate::error::EngineError;
use crate::evaluate::state_at_the_end;
use crate::history::Sources;
use crate::origins::{Each, OriginRows, Reach, Uncounted, rows_at};
use crate::plan::UseCasePlan;
use crate::scoring::LiveModel;

/// What an evaluation at an origin found.
#[derive(Clone, Debug, Serialize)]
pub struct ValueEvaluation {
    /// The use case.
    pub use_case: String,
    /// When the rows were read.
    pub at: Time,
    /// The end of what is summed up.
    pub until: Time,
    /// The model and version that answered.
    pub version: String,
    /// What the model saw of that time in training, in words; empty where it saw nothing.
    pub warning: String,
    /// Keys of the base.
    pub rows: usize,
    /// Keys that did not belong to it.
    pub outside: usize,
    /// Events of the target in nobody's sum, in all of the log.
    pub uncounted: Uncounted,
    /// The sum of what was predicted.
    pub predicted: f64,
    /// The sum of what came.
    pub actual: f64,
    /// The figures.
    pub metrics: RegressionMetrics,
    /// Tenths of the keys, from the lowest prediction to the highest.
    pub tenths: Vec<Tenth>,
}

/// A tenth of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tenth {
    /// Their mean prediction.
    pub predicted: f64,
    /// What they came to on average.
    pub actual: f64,
}

/// Predicts with the live model at `at`, or at the latest time whose target is known, and compares
/// with what came.
///
/// # Errors
/// Where nothing is live, or what followed `at` is not known yet.
pub fn evaluate_values(
    sources: &Sources,
    use_case: usize,
    at: Option<Time>,
    progress: &mut dyn FnMut(u64),
) -> Result<ValueEvaluation, EngineError> {
    Ok(Judged::read(sources, use_case, at, progress)?.found())
}

/// What the live model said of keys, with what came of them.
pub(super) struct Judged<'a> {
    pub(super) plan: &'a UseCasePlan,
    /// When the rows were read.
    pub(super) at: Time,
    pub(super) over: CalendarSpan,
    pub(super) live: LiveModel,
    pub(super) rows: OriginRows,
    /// One for each row.
    pub(super) predicted: Vec<f64>,
}

impl<'a> Judged<'a> {
    /// Reads the rows at `at`, or at the latest time whose target is known, and asks the live model.
    pub(super) fn read(
        sources: &'a Sources,
        use_case: usize,
        at: Option<Time>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Judged<'a>, EngineError> {
        let plan = &sources.plan.use_cases[use_case];
        let reach = Reach::of(sources, use_case, None)?;
        let over = Each::of(plan)?.target.over;
        let latest = over.before(reach.as_of);
        let at = at.unwrap_or(latest);
        if at > latest {
            return Err(EngineError::NotEnough(format!(
                "what follows {at} for {over} is known at {}, and events are known up to {}: the \
                 latest time that works is {latest}",
                over.after(at),
                reach.as_of
            )));
        }
        let state = state_at_the_end(sources, use_case)?;
        let live = LiveModel::of_state(&sources.store, plan, &state)?;
        let rows = rows_at(sources, use_case, &[at], reach, progress)?;
        let predicted = live.values(&rows.data);
        Ok(Judged {
            plan,
            at,
            over,
            live,
            rows,
            predicted,
        })
    }

    /// The figures.
    pub(super) fn found(&self) -> ValueEvaluation {
        let (predicted, actual) = (&self.predicted, &self.rows.target);
        let outcome: Vec<f32> = actual.iter().map(|sum| *sum as f32).collect();
        let mut metrics = RegressionMetrics::of(predicted, &outcome);
        let artifact = self.live.artifact();
        let intervals = artifact.intervals.as_ref();
        metrics.interval_coverage = intervals.map(|found| found.coverage(predicted, &outcome));
        ValueEvaluation {
            use_case: self.plan.declared.name.clone(),
            at: self.at,
            until: self.over.after(self.at),
            version: format!("{} {}", artifact.member, self.live.version()),
            warning: self.live.seen(self.at),
            rows: predicted.len(),
            outside: self.rows.outside,
            uncounted: self.rows.uncounted,
            predicted: predicted.iter().sum(),
            actual: actual.iter().sum(),
            metrics,
            tenths: tenths(predicted, &outcome),
        }
    }
}

fn tenths(predicted: &[f64], outcome: &[f32]) -> Vec<Tenth> {
    let gains = Gains::new(predicted, outcome);
    let groups = gains.groups(10).into_iter();
    groups
        .map(|(predicted, actual)| Tenth { predicted, actual })
        .collect()
}
