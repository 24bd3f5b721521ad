//! What a new rule would have done on the log.

mod question;
mod tally;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use acumen_base::{Deadline, Money, Time};
use serde::Serialize;

use crate::cache::{Part, Prepared, Reach, Said, prepare};
use crate::error::EngineError;
use crate::history::Sources;
use question::Question;
use tally::{Asked, Tally};

/// A rule to try out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BacktestQuery {
    /// The condition, as CEL.
    pub rule: String,
    /// Events from this time on.
    pub from: Time,
    /// Events before this time.
    pub to: Time,
    /// The action that it would ask for; the mildest that does something unless said.
    pub effect: Option<String>,
}

/// How long a backtest may take, and how much it may look at.
#[derive(Clone, Debug, Default)]
pub struct BacktestLimits {
    /// Records of the log before this position; all that are written unless said.
    pub until: Option<u64>,
    /// When to give up; it does not wait for another one then.
    pub deadline: Option<Deadline>,
    /// The most events that it may look at.
    pub rows_max: Option<u64>,
}

/// What a rule would have done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// The use case.
    pub use_case: String,
    /// The condition.
    pub rule: String,
    /// The action that it would ask for.
    pub effect: String,
    /// From when.
    pub from: Time,
    /// To when.
    pub to: Time,
    /// Up to when outcomes were known.
    pub as_of: Time,
    /// Decided events in the period.
    pub rows: u64,
    /// Those that turned out positive.
    pub positives: u64,
    /// Where it would have fired.
    pub hits: Hits,
    /// Of the hits whose truth is known, the share that was positive.
    pub precision: Option<f64>,
    /// Of all positives, the share that it hits.
    pub recall: Option<f64>,
    /// Negatives for each positive that it hits.
    pub false_positive_ratio: Option<f64>,
    /// Hits at which something else would have been done than was.
    pub changed: u64,
    /// What acting would have been worth more than what was done, over the hits whose truth is
    /// known; where nothing was decided, the mildest action was done. `None` without `value`.
    pub gained: Option<Money>,
    /// Known hits without a value: a field was missing, or a currency had no rate.
    pub unvalued: u64,
    /// What was at stake at the positives that it hits, where the use case says what that is.
    pub positive_amount: Option<Money>,
    /// Beside each declared rule.
    pub overlap: Vec<Overlap>,
    /// What to keep in mind when reading this; empty where there is nothing.
    pub warning: String,
}

/// Where a rule would have fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// In all.
    pub all: u64,
    /// At events that turned out positive.
    pub positive: u64,
    /// At events that turned out negative.
    pub negative: u64,
    /// At events whose truth is not known yet.
    pub open: u64,
    /// At events whose truth was hidden by what was done, such as blocking.
    pub hidden: u64,
}

/// A new rule beside a declared one, whose condition is evaluated on the same events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// The declared rule.
    pub rule: String,
    /// Events that both hit.
    pub both: u64,
    /// Events that only the new one hits.
    pub only_new: u64,
    /// Events that only the declared one hits.
    pub only_old: u64,
}

/// Evaluates a rule on every decided event of a period, on the row that was read then, and compares
/// with what turned out to be true. Lists are taken as they are now; a score is what the models
/// said then.
///
/// # Errors
/// All problems of the rule at once ([`EngineError::Rule`]); [`EngineError::NotReady`] where the
/// deadline passed.
pub fn backtest(
    sources: &Sources,
    use_case: usize,
    query: &BacktestQuery,
    limits: &BacktestLimits,
    progress: &mut dyn FnMut(u64),
) -> Result<Backtest, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let question = Question::new(plan, query)?;
    let reach = Reach {
        until: limits.until,
        patience: limits.deadline.clone(),
    };
    let prepared = prepare(sources, use_case, &reach, progress)?;
    let parts = prepared.parts();
    let mut facts = Vec::with_capacity(parts.len());
    for part in &parts {
        facts.push(part.facts()?);
    }
    let said = Said::of(facts);
    let state = sources.state_after(use_case, &said.controls);
    let asked = Asked::new(&question, &said, &state);
    let rows = parts.iter().map(|part| part.rows() as u64).sum::<u64>();
    if let Some(most) = limits.rows_max.filter(|most| rows > *most) {
        return Err(EngineError::NotEnough(format!(
            "a backtest here looks at {most} events at most, and there are {rows}: run `acumen \
             backtest` beside the server, which has no such limit"
        )));
    }
    let tally = count(&prepared, limits.deadline.as_ref(), &|part| {
        asked.tally(part)
    })?;
    Ok(asked.report(query, &tally))
}

/// Counts all stretches, on all cores.
fn count(
    prepared: &Prepared,
    deadline: Option<&Deadline>,
    tally: &(dyn Fn(&Part<'_>) -> Result<Tally, EngineError> + Sync),
) -> Result<Tally, EngineError> {
    let parts = prepared.parts();
    let next = AtomicUsize::new(0);
    let sum = Mutex::new(Ok(Tally::default()));
    let work = || {
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let counted = match deadline.is_some_and(Deadline::expired) {
                true => Err(EngineError::NotReady(
                    "the backtest took longer than it may take here: ask for a shorter period, or \
                     run `acumen backtest` beside the server"
                        .to_owned(),
                )),
                false => tally(part),
            };
            let Ok(mut sum) = sum.lock() else { return };
            match (&mut *sum, counted) {
                // Whole numbers: in which order they are added makes no difference.
                (Ok(sum), Ok(counted)) => sum.add(&counted),
                (Ok(_), Err(error)) => *sum = Err(error),
                (Err(_), _) => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    sum.into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
