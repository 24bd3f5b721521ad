//! Rows of a stream of events, without a log: how another engine computes the rows of a history
//! that is too long for one machine, through the very pipeline that runs live.

use std::sync::Arc;

use acumen_base::{Columns, Event, Value};
use acumen_event::{Freshness, Seen};
use acumen_feature::{Pass, Pipeline, Problem};
use acumen_table::sorted_by_known_at;

use crate::error::EngineError;
use crate::plan::UseCasePlan;

/// Events that step through the pipeline at once.
const BATCH: usize = 8_192;

/// Which part of a row is computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part<'a> {
    /// One pass; the whole row in one go, where it is left out.
    pub pass: Option<&'a str>,
    /// These features; all, where none is named.
    pub features: &'a [String],
}

/// Some rows of a stream.
pub struct Streamed {
    /// The events that they are of.
    pub events: Vec<Arc<Event>>,
    /// Their values, column by column; NaN is missing.
    pub columns: Vec<Vec<f64>>,
}

/// The rows of a stream of events, in the order in which these became known.
pub struct StreamedRows {
    pipeline: Pipeline,
    events: Vec<Arc<Event>>,
    next: usize,
    /// Events that had come before, with the same body.
    pub repeated: u64,
    /// Events whose id had come before with another body: left out.
    pub conflicts: u64,
}

/// The passes that give a use case's row, of these features (of all, where none is named).
///
/// # Errors
/// Every column that no single pass gives, and every unknown feature.
pub fn passes(plan: &UseCasePlan, features: &[String]) -> Result<Vec<Pass>, EngineError> {
    acumen_feature::passes(plan.pipeline.clone(), 0, features).map_err(|problems| said(&problems))
}

impl StreamedRows {
    /// The rows of these events, which may come in any order of time; of one instant, they count
    /// as in the order in which they stand.
    ///
    /// # Errors
    /// As [`passes`]; and where a pass would need the rates of currencies, which are of no key.
    pub fn new(
        plan: &UseCasePlan,
        part: Part<'_>,
        events: Vec<Event>,
    ) -> Result<StreamedRows, EngineError> {
        let pipeline = pipeline(plan, part)?;
        if part.pass.is_some() {
            refuse_foreign_money(plan, &events)?;
        }
        let mut rows = StreamedRows {
            pipeline,
            events: sorted_by_known_at(events),
            next: 0,
            repeated: 0,
            conflicts: 0,
        };
        rows.keep_each_once();
        Ok(rows)
    }

    /// What the columns are.
    pub fn columns(&self) -> &Arc<Columns> {
        self.pipeline.columns(0)
    }

    /// The rows of the next events; `None` at the end. There may be none among some events.
    pub fn next_rows(&mut self) -> Option<Streamed> {
        let first = self.next;
        let batch = self
            .events
            .get(first..self.events.len().min(first + BATCH))?;
        if batch.is_empty() {
            return None;
        }
        self.next += batch.len();
        let block = self.pipeline.step_many(batch, first as u64, 0);
        let events = block
            .rows
            .iter()
            .map(|row| Arc::clone(&batch[*row as usize]));
        Some(Streamed {
            events: events.collect(),
            columns: block.columns,
        })
    }

    /// Each event once, as a log holds it.
    fn keep_each_once(&mut self) {
        let (mut seen, mut position) = (Seen::new(), 0);
        let (repeated, conflicts) = (&mut self.repeated, &mut self.conflicts);
        self.events.retain(|event| match seen.check(event) {
            Freshness::New => {
                seen.insert(event, position);
                position += 1;
                true
            }
            Freshness::Same(_) => {
                *repeated += 1;
                false
            }
            Freshness::Conflict(_) => {
                *conflicts += 1;
                false
            }
        });
    }
}

fn pipeline(plan: &UseCasePlan, part: Part<'_>) -> Result<Pipeline, EngineError> {
    let spec = plan.pipeline.clone();
    let compiled = match part.pass {
        Some(pass) => Pipeline::compile_pass(spec, 0, pass, part.features),
        None => Pipeline::compile_only(spec, 0, part.features),
    };
    compiled.map_err(|problems| said(&problems))
}

fn refuse_foreign_money(plan: &UseCasePlan, events: &[Event]) -> Result<(), EngineError> {
    let Some(rates) = &plan.pipeline.rates else {
        return Ok(());
    };
    let base = plan.pipeline.currency;
    let foreign = |value: &Value| matches!(value, Value::Money(money) if money.currency != base);
    match events.iter().find(|event| event.values.iter().any(foreign)) {
        None => Ok(()),
        Some(event) => Err(EngineError::NotEnough(format!(
            "`{}` holds an amount that is not in {base}: its rate is a `{}` event, which belongs to \
             no key and so to no pass; convert amounts before, or compute the rows in one process",
            event.id, rates.event
        ))),
    }
}

fn said(problems: &[Problem]) -> EngineError {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    EngineError::NotEnough(lines.join("\n"))
}
