//! Rows for training and reports: the log replayed through the very pipeline that runs live.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Body, Columns, Decision, Event, Row, Seed, Time};
use acumen_event::LogReader;
use acumen_feature::Pipeline;
use acumen_value::Rates;

use crate::core::as_declared;
use crate::error::EngineError;
use crate::history::Sources;
use crate::plan::UseCasePlan;
use crate::spec::TrainingDecl;
use crate::truth::{self, Known, Word};

/// Events that step through the pipeline at once.
const BATCH: usize = 8_192;

/// Which rows are wanted, by event time, and what may be known of their outcomes.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Rows from this time on.
    pub from: Time,
    /// Rows before this time.
    pub to: Time,
    /// Outcomes that were known by then; `None` is the end of the log.
    pub as_of: Option<Time>,
    /// Which rows without a positive outcome are kept; `None` is all.
    pub sample: Option<Sample>,
}

/// A share of the rows without a positive outcome, drawn by a hash of their events' ids: the same
/// rows every time, however often the log is read.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Above 0 and below 1; each kept row counts `1 / share` times.
    pub share: f64,
    /// What the hash follows from.
    pub seed: Seed,
}

impl Sample {
    /// The sample that a use case declares; `None` where all rows are kept.
    pub fn of(training: &TrainingDecl) -> Option<Sample> {
        let share = training.negative_share;
        (share < 1.0).then(|| Sample {
            share,
            seed: Seed(training.seed).derive("negatives"),
        })
    }

    fn draws(&self, event: &Event) -> bool {
        self.seed.unit(&event.id) < self.share
    }
}

/// Rows in log order, column by column, with what became of them.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What the columns are.
    pub columns: Arc<Columns>,
    /// One vector a column; NaN is missing.
    pub data: Vec<Vec<f64>>,
    /// The event behind each row.
    pub events: Vec<Arc<Event>>,
    /// Its truth, as far as it was known.
    pub truth: Vec<Truth>,
    /// How much each row counts: 0 where the decision hid the truth, 1 ÷ the explored share
    /// where it was let through on purpose, 1 ÷ the share of a sample where it stands for others.
    pub weight: Vec<f32>,
    /// How many rows there were of which these were kept.
    pub read: usize,
    /// The time up to which outcomes are known.
    pub as_of: Time,
    /// The newest rates of currencies.
    pub rates: Rates,
}

/// Replays the log and keeps the wanted rows.
pub fn rows(
    sources: &Sources,
    use_case: usize,
    wanted: Wanted,
    progress: &mut dyn FnMut(u64),
) -> Result<Rows, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let oldest = sources.oldest()?;
    let first = oldest.next;
    let mut replay = Replay::new(plan, oldest.features_alone(use_case), wanted);
    if wanted.sample.is_some() {
        replay.positive = said_to_be_positive(sources, plan, first)?;
    }
    for record in LogReader::open(&sources.folder.log())?.read(first) {
        let record = record?;
        match record.body {
            Body::Event(event) => {
                if let Some(kind) = sources.plan.event_type(&event.kind.name) {
                    replay.event(as_declared(&event, kind), record.position);
                }
            }
            Body::Decision(decision) => replay.decision(&decision),
            Body::Listing(_) | Body::Control { .. } => {}
        }
        if record.position.is_multiple_of(BATCH as u64) {
            progress(record.position);
        }
    }
    Ok(replay.finish())
}

/// The ids of events of which the log says anywhere that their outcome is positive: a first pass
/// over the log, so that the second need not keep rows until that is known.
fn said_to_be_positive(
    sources: &Sources,
    plan: &UseCasePlan,
    first: u64,
) -> Result<HashSet<Arc<str>>, EngineError> {
    let mut positive = HashSet::new();
    for record in LogReader::open(&sources.folder.log())?.read(first) {
        let Body::Event(event) = record?.body else {
            continue;
        };
        if let Some(kind) = sources.plan.event_type(&event.kind.name)
            && let Some((id, Word { positive: true, .. })) =
                truth::word(plan, &as_declared(&event, kind))
        {
            positive.insert(Arc::clone(id));
        }
    }
    Ok(positive)
}

/// The state of one replay.
struct Replay<'a> {
    plan: &'a UseCasePlan,
    pipeline: Pipeline,
    wanted: Wanted,
    batch: Vec<Arc<Event>>,
    batch_position: u64,
    rows: Rows,
    /// Events that are kept, drawn or not; empty where there is no sample.
    positive: HashSet<Arc<str>>,
    /// What was said of outcomes, by the id of the event that it is about.
    words: HashMap<Arc<str>, Vec<Word>>,
    /// What was done about each event.
    actions: HashMap<String, Taken>,
}

/// What was done about an event.
struct Taken {
    action: String,
    explored: bool,
    propensity: f64,
}

impl<'a> Replay<'a> {
    fn new(plan: &'a UseCasePlan, pipeline: Pipeline, wanted: Wanted) -> Replay<'a> {
        let rows = Rows {
            columns: Arc::clone(&plan.columns),
            data: vec![Vec::new(); plan.columns.len()],
            events: Vec::new(),
            truth: Vec::new(),
            weight: Vec::new(),
            read: 0,
            as_of: Time(i64::MIN),
            rates: Rates::new(),
        };
        Replay {
            plan,
            pipeline,
            wanted,
            batch: Vec::with_capacity(BATCH),
            batch_position: 0,
            rows,
            positive: HashSet::new(),
            words: HashMap::new(),
            actions: HashMap::new(),
        }
    }

    fn event(&mut self, event: Arc<Event>, position: u64) {
        self.rows.as_of = self.rows.as_of.max(event.known_at);
        if let Some((id, word)) = truth::word(self.plan, &event) {
            self.words.entry(Arc::clone(id)).or_default().push(word);
        }
        if let Some((currency, rate)) = self.plan.rate(&event) {
            self.rows.rates.insert(currency, rate);
        }
        if self.batch.is_empty() {
            self.batch_position = position;
        }
        self.batch.push(event);
        if self.batch.len() == BATCH {
            self.step();
        }
    }

    fn decision(&mut self, decision: &Decision) {
        if decision.use_case == self.plan.declared.name {
            let taken = Taken {
                action: decision.action.clone(),
                explored: decision.action != decision.action_without_exploration,
                propensity: decision.propensity,
            };
            self.actions.insert(decision.event_id.clone(), taken);
        }
    }

    fn step(&mut self) {
        let (plan, wanted, positive) = (self.plan, self.wanted, &self.positive);
        let is_row = |event: &Event| {
            let within = (wanted.from..wanted.to).contains(&event.event_time);
            within && plan.decides(&event.kind.name)
        };
        self.rows.read += self.batch.iter().filter(|event| is_row(event)).count();
        let is_kept = |event: &Event| {
            let drawn = |sample: Sample| sample.draws(event) || positive.contains(&event.id);
            is_row(event) && wanted.sample.is_none_or(drawn)
        };
        let pipeline = &mut self.pipeline;
        let block = pipeline.step_some(&self.batch, self.batch_position, 0, &is_kept);
        for (column, values) in self.rows.data.iter_mut().zip(&block.columns) {
            column.extend_from_slice(values);
        }
        let kept = block.rows.iter();
        let events = kept.map(|&row| Arc::clone(&self.batch[row as usize]));
        self.rows.events.extend(events);
        self.batch.clear();
    }

    fn finish(mut self) -> Rows {
        self.step();
        let as_of = self.wanted.as_of.unwrap_or(self.rows.as_of);
        self.rows.as_of = as_of;
        let events = std::mem::take(&mut self.rows.events);
        let known: Vec<Known> = events.iter().map(|event| self.known(event)).collect();
        self.rows.truth = known.iter().map(|known| known.truth).collect();
        let weight = events
            .iter()
            .zip(&known)
            .map(|(e, known)| self.weight(e, *known));
        self.rows.weight = weight.collect();
        self.rows.events = events;
        if let Some(sample) = self.wanted.sample {
            self.rows.stand_for_others(sample);
        }
        self.rows
    }

    fn known(&self, event: &Event) -> Known {
        let words = self.words.get(&event.id).map_or(&[][..], Vec::as_slice);
        let outcome = self.plan.declared.outcome.as_ref();
        truth::truth(outcome, event.event_time, words, self.rows.as_of)
    }

    fn weight(&self, event: &Event, known: Known) -> f32 {
        if known.found {
            return 1.0;
        }
        let hidden_by = self
            .plan
            .declared
            .outcome
            .as_ref()
            .map(|outcome| &outcome.hidden_by);
        match self.actions.get(&*event.id) {
            Some(taken) if hidden_by.is_some_and(|hidden| hidden.contains(&taken.action)) => 0.0,
            // Let through on purpose: it stands for those that were not.
            Some(taken) if taken.explored => (1.0 / taken.propensity) as f32,
            _ => 1.0,
        }
    }
}

impl Rows {
    /// Leaves out what is neither positive nor drawn, and lets what was drawn count for it.
    fn stand_for_others(&mut self, sample: Sample) {
        let positive = |truth: Truth| truth == Truth::Positive;
        let kept: Vec<usize> = (0..self.len())
            .filter(|&i| positive(self.truth[i]) || sample.draws(&self.events[i]))
            .collect();
        for column in &mut self.data {
            *column = kept.iter().map(|&i| column[i]).collect();
        }
        let weight = |&i: &usize| match positive(self.truth[i]) {
            true => self.weight[i],
            false => (f64::from(self.weight[i]) / sample.share) as f32,
        };
        self.weight = kept.iter().map(weight).collect();
        self.events = kept.iter().map(|&i| Arc::clone(&self.events[i])).collect();
        self.truth = kept.iter().map(|&i| self.truth[i]).collect();
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// One row by itself.
    pub fn row(&self, i: usize) -> Row {
        Row {
            columns: Arc::clone(&self.columns),
            values: self.data.iter().map(|column| column[i]).collect(),
            at: self.events[i].event_time,
            position: 0,
        }
    }

    /// The places of the rows whose truth is known and was not hidden by the decision.
    pub fn mature(&self) -> Vec<usize> {
        (0..self.len())
            .filter(|&i| self.truth[i] != Truth::Open && self.weight[i] > 0.0)
            .collect()
    }
}
