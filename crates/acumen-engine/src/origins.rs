//! Rows of each key at origins: the log replayed through the very pipeline that runs live, and read
//! where an origin stands.
//!
//! An origin is a date with a place in the log: before the first record that became known later.
//! Events stand there in the order in which they became known, so the place follows from the date,
//! whoever looks for it, and a batch of last night and a row of training two years ago are read by
//! the same call.

mod place;
mod target;
mod times;

use std::sync::Arc;

use acumen_base::{Body, Columns, Event, Seed, Span, Time, Value};
use acumen_event::LogReader;
use acumen_feature::Pipeline;

use crate::core::as_declared;
use crate::error::EngineError;
use crate::history::Sources;
use crate::plan::UseCasePlan;
use crate::spec::{SubjectDecl, TargetDecl};
use target::Targets;

pub(crate) use place::{Standing, standing_at};
pub(crate) use times::{Reach, origins};

/// Events that step through the pipeline at once.
const BATCH: usize = 8_192;

/// Rows of training that are held at once; of more, keys are drawn.
const ROWS_MAX: usize = 1_000_000;

/// Rows of each key of an entity at some times, column by column.
#[derive(Clone, Debug)]
pub struct OriginRows {
    /// What the columns are.
    pub columns: Arc<Columns>,
    /// One vector a column; NaN is missing.
    pub data: Vec<Vec<f64>>,
    /// The id that each row is of.
    pub ids: Vec<Arc<str>>,
    /// The time at which it was read.
    pub at: Vec<Time>,
    /// The sum that followed it.
    pub target: Vec<f64>,
    /// The share of all keys that the rows are of: 1 unless there are too many.
    pub share: f64,
    /// Rows left out because their key did not belong to the base then.
    pub outside: usize,
    /// Summed events that carry no id, or an amount in a currency without a rate.
    pub uncounted: Uncounted,
    /// Up to when events are known.
    pub as_of: Time,
}

/// Events of a target that are in nobody's sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Uncounted {
    /// They carry no id of the entity.
    pub without_id: u64,
    /// They lack the amount, or no rate is known for its currency.
    pub without_amount: u64,
}

/// A use case that decides on each key, with what that takes.
#[derive(Clone, Copy)]
pub(crate) struct Each<'a> {
    pub(crate) plan: &'a UseCasePlan,
    pub(crate) subject: &'a SubjectDecl,
    pub(crate) target: &'a TargetDecl,
    base: Option<usize>,
}

impl<'a> Each<'a> {
    /// # Errors
    /// [`EngineError::NotFound`] where the use case decides on events.
    pub(crate) fn of(plan: &'a UseCasePlan) -> Result<Each<'a>, EngineError> {
        let declared = &plan.declared;
        let (Some(subject), Some(target)) = (&declared.subject, &declared.target) else {
            return Err(EngineError::NotFound(format!(
                "`{}` decides on each {}: it has no keys to be scored by",
                declared.name, declared.decide_event
            )));
        };
        let base = subject.base.as_ref();
        Ok(Each {
            plan,
            subject,
            target,
            base: base.and_then(|name| plan.columns.position(name)),
        })
    }

    /// Reads the row of a key from a view of features; gives whether the key is known.
    pub(crate) fn read(
        &self,
        (pipeline, view): (&mut Pipeline, usize),
        id: &str,
        (at, position): (Time, u64),
        out: &mut [f64],
    ) -> bool {
        let event = Event {
            kind: Arc::clone(&self.subject.kind),
            id: "".into(),
            event_time: at,
            known_at: at,
            received_at: at,
            values: vec![Value::text(id)],
        };
        pipeline.read(&event, position, (view, out))
    }

    /// Whether the key of a row belongs to the base.
    pub(crate) fn belongs(&self, row: &[f64]) -> bool {
        self.base.is_none_or(|column| row[column] > 0.0)
    }

    /// Why a key is not scored that does not.
    pub(crate) fn not_of_the_base(&self) -> String {
        let base = self.base().unwrap_or_default();
        format!("not of the base: {base} is not above 0")
    }

    /// The column that says so.
    pub(crate) fn base(&self) -> Option<&str> {
        self.subject.base.as_deref()
    }
}

/// Reads the rows of every key of the base at each of the times, with what followed: all of it
/// where that is known, else as far as it is.
///
/// # Errors
/// Where the use case decides on events, or the log cannot be read.
pub fn origin_rows(
    sources: &Sources,
    use_case: usize,
    times: &[Time],
    progress: &mut dyn FnMut(u64),
) -> Result<OriginRows, EngineError> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let reach = Reach::of(sources, use_case, None)?;
    rows_at(sources, use_case, &times, reach, progress)
}

/// The same of times that rise, with what was known by a time.
pub(crate) fn rows_at(
    sources: &Sources,
    use_case: usize,
    times: &[Time],
    reach: Reach,
    progress: &mut dyn FnMut(u64),
) -> Result<OriginRows, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let each = Each::of(plan)?;
    let oldest = sources.oldest()?;
    let first = oldest.next;
    let wanted = (reach.keys * times.len()).max(1);
    let mut replay = Replay {
        each,
        pipeline: oldest.features_alone(use_case),
        batch: Vec::with_capacity(BATCH),
        batch_position: 0,
        targets: Targets::of(each),
        seed: plan.seed().derive("keys"),
        row: vec![f64::NAN; plan.columns.len()],
        rows: OriginRows {
            columns: Arc::clone(&plan.columns),
            data: vec![Vec::new(); plan.columns.len()],
            ids: Vec::new(),
            at: Vec::new(),
            target: Vec::new(),
            share: (ROWS_MAX as f64 / wanted as f64).min(1.0),
            outside: 0,
            uncounted: Uncounted::default(),
            as_of: reach.as_of,
        },
    };
    let mut ahead = times.iter().copied().peekable();
    let mut next = first;
    for record in LogReader::open(&sources.folder.log())?.read(first) {
        let record = record?;
        next = record.position + 1;
        let Body::Event(event) = record.body else {
            continue;
        };
        if event.known_at > reach.as_of {
            break;
        }
        while let Some(at) = ahead.next_if(|at| event.known_at > *at) {
            replay.origin(at, record.position);
        }
        if let Some(kind) = sources.plan.event_type(&event.kind.name) {
            replay.event(as_declared(&event, kind), record.position);
        }
        if record.position.is_multiple_of(BATCH as u64) {
            progress(record.position);
        }
    }
    for at in ahead {
        replay.origin(at, next);
    }
    Ok(replay.finish())
}

/// The state of one replay.
struct Replay<'a> {
    each: Each<'a>,
    pipeline: Pipeline,
    batch: Vec<Arc<Event>>,
    batch_position: u64,
    targets: Targets<'a>,
    seed: Seed,
    row: Vec<f64>,
    rows: OriginRows,
}

impl Replay<'_> {
    fn event(&mut self, event: Arc<Event>, position: u64) {
        self.targets.observe(&event);
        if self.batch.is_empty() {
            self.batch_position = position;
        }
        self.batch.push(event);
        if self.batch.len() == BATCH {
            self.step();
        }
    }

    fn step(&mut self) {
        self.pipeline.step_many(&self.batch, self.batch_position, 0);
        self.batch.clear();
    }

    /// Reads the rows of an origin that stands before a position.
    fn origin(&mut self, at: Time, position: u64) {
        self.step();
        let ids = self.pipeline.ids(0).cloned().collect::<Vec<Arc<str>>>();
        for id in ids {
            if self.rows.share < 1.0 && self.seed.unit(&id) >= self.rows.share {
                continue;
            }
            let place = (at, position);
            self.each
                .read((&mut self.pipeline, 0), &id, place, &mut self.row);
            if !self.each.belongs(&self.row) {
                self.rows.outside += 1;
                continue;
            }
            for (column, value) in self.rows.data.iter_mut().zip(&self.row) {
                column.push(*value);
            }
            self.rows.ids.push(id);
            self.rows.at.push(at);
        }
    }

    fn finish(self) -> OriginRows {
        let mut rows = self.rows;
        let over = self.each.target.over;
        let sums = self.targets.finish();
        let places = rows.ids.iter().zip(&rows.at);
        let floor = self.each.target.floor.unwrap_or(f64::NEG_INFINITY);
        rows.target = places
            .map(|(id, at)| sums.between(id, *at, over.after(*at)).max(floor))
            .collect();
        rows.uncounted = sums.uncounted;
        rows
    }
}

impl OriginRows {
    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// The length of a day, in which dates of origins are counted.
const DAY: Span = Span::days(1);
