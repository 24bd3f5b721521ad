//! How good the live model would have been at an origin of the past.

use acumen_base::Time;
use acumen_model::RegressionMetrics;
use acumen_model::metrics::Gains;
use serde::Serialize;

use crate::error::EngineError;
use crate::evaluate::state_at_the_end;
use crate::history::Sources;
use crate::origins::{Each, Reach, Uncounted, rows_at};
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
    let plan = &sources.plan.use_cases[use_case];
    let each = Each::of(plan)?;
    let reach = Reach::of(sources, use_case, None)?;
    let over = each.target.over;
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
    let live = LiveModel::of_state(&sources.store, plan, &*state_at_the_end(sources, use_case)?)?;
    let rows = rows_at(sources, use_case, &[at], reach, progress)?;
    let predicted = live.values(&rows.data);
    let outcome: Vec<f32> = rows.target.iter().map(|sum| *sum as f32).collect();
    let mut metrics = RegressionMetrics::of(&predicted, &outcome);
    let artifact = live.artifact();
    let intervals = artifact.intervals.as_ref();
    metrics.interval_coverage = intervals.map(|found| found.coverage(&predicted, &outcome));
    Ok(ValueEvaluation {
        use_case: plan.declared.name.clone(),
        at,
        until: over.after(at),
        version: format!("{} {}", artifact.member, live.version()),
        warning: live.seen(at),
        rows: rows.len(),
        outside: rows.outside,
        uncounted: rows.uncounted,
        predicted: predicted.iter().sum(),
        actual: rows.target.iter().sum(),
        metrics,
        tenths: tenths(&predicted, &outcome),
    })
}

fn tenths(predicted: &[f64], outcome: &[f32]) -> Vec<Tenth> {
    let gains = Gains::new(predicted, outcome);
    let groups = gains.groups(10).into_iter();
    groups
        .map(|(predicted, actual)| Tenth { predicted, actual })
        .collect()
}
