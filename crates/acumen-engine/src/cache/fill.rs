//! From the log into the cache: only what is not there yet.

use std::sync::Arc;

use acumen_base::key::hash64;
use acumen_base::{Body, Deadline, Event, Record};
use acumen_event::LogReader;
use acumen_feature::Pipeline;

use super::part::{Gathering, Layout};
use super::store::{Fresh, Prepared, Store};
use crate::core::as_declared;
use crate::error::EngineError;
use crate::history::Sources;
use crate::plan::UseCasePlan;
use crate::truth;

/// Events that step through the pipeline at once.
const BATCH: usize = 8_192;

/// Rows of a stretch, and other things that a stretch may say.
const ROWS_MAX: usize = 16_384;
const FACTS_MAX: usize = 65_536;

/// New records from which on they are written down: fewer are sooner read again.
const WRITTEN_FROM: u64 = 16_384;

/// How far to go and how long.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// The records before this position, where it is known; else all that are written.
    pub(crate) until: Option<u64>,
    /// When to stop; what is read by then is kept. Also whether to wait for others: one without a
    /// deadline does.
    pub(crate) patience: Option<Deadline>,
}

/// Brings the cache of a use case up to the log and gives all of it.
///
/// # Errors
/// [`EngineError::NotReady`] where there was no time: asked again it goes on.
pub(crate) fn prepare(
    sources: &Sources,
    use_case: usize,
    reach: &Reach,
    progress: &mut dyn FnMut(u64),
) -> Result<Prepared, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let layout = layout(plan)?;
    let folder = sources.folder.rows(&plan.declared.name);
    let mut store = Store::open(&folder, reach.patience.is_none())?;
    let definition = definition(plan);
    let log = LogReader::open(&sources.folder.log())?;
    let first = log.first_position()?;
    if !store.is_of(definition, first) || !continues(sources, &store, first) {
        store.clear(definition, first);
    }
    let mut state = None;
    if store.is_begun() && log.read(store.end().0).next().is_some() {
        state = store.state();
        if state.is_none() {
            store.clear(definition, first);
        }
    }
    let (begin, _) = store.end();
    let until = reach.until.unwrap_or(u64::MAX);
    let mut filling = None;
    for record in log.read(begin) {
        let record = record?;
        if record.position >= until {
            break;
        }
        let filling = match &mut filling {
            Some(filling) => filling,
            none => none.insert(Filling::begin(sources, use_case, begin, state.take())?),
        };
        let position = record.position;
        if filling.take(sources, record) {
            progress(position);
            if reach.patience.as_ref().is_some_and(Deadline::expired) {
                filling.stretch();
                filling.write(&mut store)?;
                let of = reach
                    .until
                    .map_or(String::new(), |until| format!(" of {until}"));
                return Err(EngineError::NotReady(format!(
                    "the rows of `{}` are being read from the log, which takes a while the first \
                     time: {position}{of} records so far; ask again, and it goes on from there",
                    plan.declared.name
                )));
            }
        }
    }
    let mut fresh = Vec::new();
    if let Some(mut filling) = filling {
        filling.step();
        filling.stretch();
        match filling.end.0 - begin >= WRITTEN_FROM {
            true => filling.write(&mut store)?,
            false => fresh = filling.fresh,
        }
    }
    Ok(Prepared::new(layout, store, fresh))
}

fn layout(plan: &UseCasePlan) -> Result<Layout, EngineError> {
    let declared = &plan.declared;
    let event = declared.event(&declared.decide_event);
    let event = event
        .ok_or_else(|| EngineError::NotFound(format!("`{}` decides on no event", declared.name)))?;
    Ok(Layout {
        columns: plan.columns.len(),
        fields: event.fields.len(),
    })
}

/// A hash of everything that what is kept depends on.
fn definition(plan: &UseCasePlan) -> u64 {
    let declared = &plan.declared;
    let event = declared.event(&declared.decide_event);
    let pipeline = plan.fresh_pipeline().fingerprint();
    let review = declared.review.as_ref().map(|review| &review.event);
    let said = (&declared.outcome, review, &declared.rates, event, pipeline);
    hash64(
        format!(
            "{} {said:?} {:016x}",
            crate::BUILD,
            plan.columns.fingerprint
        )
        .as_bytes(),
    )
}

/// Whether the log still holds what was read from it: a machine that failed may have lost the end
/// of what was never acknowledged.
fn continues(sources: &Sources, store: &Store, first: u64) -> bool {
    let (next, last) = store.end();
    next == first
        || sources
            .record(next - 1)
            .is_ok_and(|record| print(&record) == last)
}

fn print(record: &Record) -> u64 {
    hash64(format!("{record:?}").as_bytes())
}

/// The log read on from where the cache ends.
struct Filling<'a> {
    plan: &'a UseCasePlan,
    layout: Layout,
    pipeline: Pipeline,
    batch: Vec<(Arc<Event>, u64)>,
    gathering: Gathering,
    fresh: Vec<Fresh>,
    /// The position behind the last record, and its hash.
    end: (u64, u64),
    last: Option<Record>,
}

impl<'a> Filling<'a> {
    fn begin(
        sources: &'a Sources,
        use_case: usize,
        begin: u64,
        state: Option<Vec<u8>>,
    ) -> Result<Filling<'a>, EngineError> {
        let plan = &sources.plan.use_cases[use_case];
        let layout = layout(plan)?;
        let mut gathering = Gathering::new(layout);
        let pipeline = match state {
            Some(state) => {
                let mut pipeline = plan.fresh_pipeline();
                let loaded = pipeline.load(&state);
                loaded.map_err(|error| EngineError::NotEnough(error.to_string()))?;
                pipeline
            }
            None => {
                let oldest = sources.oldest()?;
                for (position, control) in &oldest.controls {
                    gathering.facts.control(*position, control);
                }
                oldest.features_alone(use_case)
            }
        };
        Ok(Filling {
            plan,
            layout,
            pipeline,
            batch: Vec::with_capacity(BATCH),
            gathering,
            fresh: Vec::new(),
            end: (begin, 0),
            last: None,
        })
    }

    /// Takes the next record; says whether this is a good place to stop.
    fn take(&mut self, sources: &Sources, record: Record) -> bool {
        let position = record.position;
        match &record.body {
            Body::Event(event) => {
                if let Some(kind) = sources.plan.event_type(&event.kind.name) {
                    self.event(as_declared(event, kind), position);
                }
            }
            Body::Decision(decision) if decision.use_case == self.plan.declared.name => {
                self.gathering.facts.decision(decision);
            }
            Body::Decision(_) | Body::Listing(_) => {}
            Body::Control { control, .. } => self.gathering.facts.control(position, control),
        }
        self.end.0 = position + 1;
        self.last = Some(record);
        let full = self.batch.len() == BATCH || self.gathering.facts.len() >= FACTS_MAX;
        if full {
            self.step();
            if self.gathering.rows() >= ROWS_MAX || self.gathering.facts.len() >= FACTS_MAX {
                self.stretch();
            }
        }
        full
    }

    fn event(&mut self, event: Arc<Event>, position: u64) {
        let facts = &mut self.gathering.facts;
        facts.known(event.known_at);
        if let Some((id, word)) = truth::word(self.plan, &event) {
            facts.words.push((hash64(id.as_bytes()), word));
        }
        if let Some((currency, rate)) = self.plan.rate(&event) {
            facts.rate(currency, rate);
        }
        self.batch.push((event, position));
    }

    /// Reads the rows of the batch.
    fn step(&mut self) {
        let Some((_, first)) = self.batch.first() else {
            return;
        };
        let events: Vec<Arc<Event>> = self
            .batch
            .iter()
            .map(|(event, _)| Arc::clone(event))
            .collect();
        let block = self.pipeline.step_many(&events, *first, 0);
        let decided = block
            .rows
            .iter()
            .map(|row| self.batch[*row as usize].clone());
        self.gathering.add(decided, &block.columns);
        self.batch.clear();
    }

    /// Ends a stretch.
    fn stretch(&mut self) {
        let gathered = std::mem::replace(&mut self.gathering, Gathering::new(self.layout));
        if !gathered.is_empty() {
            self.fresh.push(gathered.streams());
        }
    }

    /// Writes all stretches down.
    fn write(&mut self, store: &mut Store) -> Result<(), EngineError> {
        let last = self.last.as_ref().map_or(0, print);
        store.extend(&self.fresh, (self.end.0, last), &self.pipeline.save())?;
        self.fresh.clear();
        Ok(())
    }
}
