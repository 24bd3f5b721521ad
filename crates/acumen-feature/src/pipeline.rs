//! The one path from events to rows, live, replayed and in training.

use std::sync::Arc;

use acumen_base::{Columns, Event, Key, Span, Time};

use crate::builder::At;
use crate::condition::Holds;
use crate::entity::{EntityIndex, NO_SLOT, Seen, id_at, key_at};
use crate::operand::MISSING;
use crate::outcome::{Mark, OutcomeIndex};
use crate::plan::{Compiled, Plan};
use crate::problem::Problem;
use crate::rates::RateTable;
use crate::spec::PipelineSpec;
use crate::state::{Facts, State};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is in the state that later rows read.
    Yes,
    /// It became known later than its type allows: counted, and no later row reads it.
    TooLate,
    /// It is of no declared type, or of another version of it: nothing was done.
    UnknownType,
}

/// How much went through, and what was missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Events applied.
    pub applied: u64,
    /// Events that came too late to be applied.
    pub too_late: u64,
    /// Events of no declared type.
    pub unknown_type: u64,
    /// Money without a rate, fields that were not sent, numbers out of range.
    pub missing_operands: u64,
    /// Rows read of each view.
    pub rows: Vec<u64>,
    /// Missing values of each column of each view.
    pub missing: Vec<Vec<u64>>,
}

/// A column of an entity as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityValue {
    /// The column's name.
    pub column: String,
    /// Its value; NaN where it is missing.
    pub value: f64,
    /// How long before the asked instant the newest event behind it happened.
    pub age: Option<Span>,
}

/// Events in, rows out. See the crate's documentation for the laws it keeps.
pub struct Pipeline {
    pub(crate) plan: Arc<Plan>,
    pub(crate) entities: Vec<EntityIndex>,
    /// Of each view that is read by key, the keys that events of its own spec have carried.
    pub(crate) seen: Vec<Seen>,
    pub(crate) rates: RateTable,
    pub(crate) outcomes: Vec<OutcomeIndex>,
    pub(crate) units: Vec<Box<dyn State>>,
    pub(crate) counters: Counters,
    /// One value a column of the plan, overwritten by every row.
    values: Vec<f64>,
    prepared: Prepared,
}

/// What is looked up of an event before operators see it.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) kind: usize,
    pub(crate) applies: bool,
    pub(crate) slots: Vec<u32>,
    pub(crate) operands: Vec<i64>,
    pub(crate) positive: u32,
    pub(crate) holds: Holds,
    /// The earlier events of which it says something else.
    pub(crate) marks: Vec<Mark>,
}

impl Pipeline {
    /// Compiles a spec, or reports everything that is wrong with it.
    ///
    /// # Errors
    /// All problems at once, each with its feature, key and help.
    pub fn compile(spec: PipelineSpec) -> Result<Pipeline, Vec<Problem>> {
        Pipeline::compile_all(vec![spec])
    }

    /// Compiles several specs over one log, or reports everything that is wrong with them: their
    /// views one after the other, each with the very rows that its spec alone would give. What
    /// two of them declare alike is computed once.
    ///
    /// Rows at events that came too late to be applied may know more than those of one spec
    /// alone: state is kept for as long as any of the specs asks.
    ///
    /// # Errors
    /// All problems at once; also where a currency, an entity or an event type is declared
    /// differently by two of the specs.
    pub fn compile_all(specs: Vec<PipelineSpec>) -> Result<Pipeline, Vec<Problem>> {
        Ok(Pipeline::of(Plan::compile(specs)?))
    }

    /// A pipeline that has observed nothing.
    pub(crate) fn of((plan, units): Compiled) -> Pipeline {
        let views = &plan.views;
        let counters = Counters {
            rows: vec![0; views.len()],
            missing: views
                .iter()
                .map(|view| vec![0; view.columns.len()])
                .collect(),
            ..Counters::default()
        };
        Pipeline {
            entities: (0..plan.united.entities.len())
                .map(|entity| EntityIndex::keeping_ids(plan.is_read_by_key(entity)))
                .collect(),
            seen: vec![Seen::default(); views.len()],
            rates: RateTable::default(),
            outcomes: plan
                .outcomes
                .iter()
                .map(|_| OutcomeIndex::default())
                .collect(),
            values: vec![f64::NAN; plan.width()],
            prepared: Prepared::default(),
            plan: Arc::new(plan),
            units,
            counters,
        }
    }

    /// The columns of a view, in the order of its rows.
    pub fn columns(&self, view: usize) -> &Arc<Columns> {
        &self.plan.views[view].columns
    }

    /// The view of this name.
    pub fn view(&self, name: &str) -> Option<usize> {
        self.plan.views.iter().position(|view| view.name == name)
    }

    /// What it was compiled from.
    pub fn specs(&self) -> &[PipelineSpec] {
        &self.plan.specs
    }

    /// How many units of state it keeps: what is declared alike is one.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// What went through so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the next event of the log; `position` is its place there. Where `out` names a view
    /// and room for its row, the row is read as law 2 says: from the events before this one, and
    /// this one where a feature includes it. A row of an event that is not applied is all missing
    /// if its type is unknown, and else read all the same.
    pub fn step(
        &mut self,
        event: &Event,
        position: u64,
        mut out: Option<(usize, &mut [f64])>,
    ) -> Applied {
        self.step_views(event, position, out.as_mut_slice())
    }

    /// The same with the rows of several views, or of none.
    pub fn step_views(
        &mut self,
        event: &Event,
        position: u64,
        outs: &mut [(usize, &mut [f64])],
    ) -> Applied {
        let mut prepared = std::mem::take(&mut self.prepared);
        let applied = self.prepare(event, position, &mut prepared);
        if applied == Applied::UnknownType {
            outs.iter_mut().for_each(|(_, out)| out.fill(f64::NAN));
        } else {
            self.step_prepared(event, position, &prepared, outs);
            outs.iter().for_each(|(view, out)| self.count(*view, out));
        }
        self.prepared = prepared;
        applied
    }

    /// Reads a row of a view at an event that is of no log, and observes nothing: what
    /// [`Pipeline::step`] would read of it, were it the next. `position` is the place that it
    /// would have. Gives whether there is such a row: its type is declared, and some event has
    /// carried each of its keys.
    pub fn read(&mut self, event: &Event, position: u64, (view, out): (usize, &mut [f64])) -> bool {
        let Some(kind) = self.kind(event) else {
            return false;
        };
        let by_key = self.plan.views[view].each;
        let places = self.plan.entity_fields[kind].iter().zip(&self.entities);
        let mut keys = places.enumerate().filter_map(|(entity, (places, index))| {
            let key = key_at(event, places.as_ref()?)?;
            let seen = &self.seen[view];
            let known = |slot| by_key != Some(entity) || seen.contains(slot);
            Some(index.find(key).is_some_and(known))
        });
        if !keys.all(|known| known) {
            return false;
        }
        let mut prepared = std::mem::take(&mut self.prepared);
        let missing = self.counters.missing_operands;
        self.look_up(event, &mut prepared);
        self.counters.missing_operands = missing;
        prepared.applies = false;
        self.step_prepared(event, position, &prepared, &mut [(view, out)]);
        self.prepared = prepared;
        true
    }

    /// The ids of the keys that the rows of a view may be read of, in the order in which they were
    /// first carried by an event that its spec declares; none of a view that is not read by key.
    pub fn ids(&self, view: usize) -> impl ExactSizeIterator<Item = &Arc<str>> {
        let each = self.plan.views[view].each;
        let ids = each.and_then(|entity| self.entities[entity].ids());
        let ids = ids.unwrap_or_default();
        let slots = self.seen[view].slots().iter();
        slots.map(|slot| &ids[*slot as usize])
    }

    fn step_prepared(
        &mut self,
        event: &Event,
        position: u64,
        prepared: &Prepared,
        outs: &mut [(usize, &mut [f64])],
    ) {
        let mut facts = prepared.facts(event, position);
        let plan = Arc::clone(&self.plan);
        let wanted = |index: usize| {
            let mut views = outs.iter().map(|(view, _)| &plan.views[*view]);
            views.any(|view| view.wanted[index])
        };
        for gather in &plan.gathers {
            if wanted(gather.unit) {
                let gathered = gather.read(&mut self.units, &facts);
                let begin = plan.offsets[gather.unit] + gather.begin;
                self.values[begin..begin + gathered.len()].copy_from_slice(&gathered);
            }
        }
        let stages = plan.stages(facts.kind);
        let heeds = &plan.heeds[facts.kind];
        for (index, unit) in self.units.iter_mut().enumerate() {
            if stages && index == plan.staged {
                let value = |at: At| self.values[plan.offsets[at.0] + at.1];
                let about = (event, facts.kind);
                facts.holds = (facts.holds).and_of_columns(&plan.conditions, about, value);
            }
            let range = plan.offsets[index]..plan.offsets[index + 1];
            if wanted(index) || stages && plan.sources[index] {
                unit.step(&facts, Some(&mut self.values[range]));
            } else if facts.applies && heeds[index] {
                unit.step(&facts, None);
            }
            prepared.marks.iter().for_each(|mark| unit.mark(mark));
        }
        for (index, derived) in plan.derived.iter().enumerate() {
            let index = self.units.len() + index;
            if wanted(index) {
                let values = &self.values;
                let read = |at: At| values[plan.offsets[at.0] + at.1];
                self.values[plan.offsets[index]] = derived.value(event, facts.kind, read);
            }
        }
        for (view, out) in outs {
            for (out, global) in out.iter_mut().zip(&plan.views[*view].globals) {
                *out = self.values[*global];
            }
        }
    }

    /// Notes that a row of a view was read at an event of the log.
    fn count(&mut self, view: usize, row: &[f64]) {
        self.counters.rows[view] += 1;
        for (value, missing) in row.iter().zip(&mut self.counters.missing[view]) {
            *missing += u64::from(value.is_nan());
        }
    }

    /// Looks up everything about an event, and learns what all operators share: rates, outcomes.
    pub(crate) fn prepare(
        &mut self,
        event: &Event,
        position: u64,
        prepared: &mut Prepared,
    ) -> Applied {
        let applied = self.look_up(event, prepared);
        if applied != Applied::UnknownType {
            for (view, seen) in self.plan.views.iter().zip(&mut self.seen) {
                let declares = &self.plan.united.kinds[view.spec];
                if let Some(entity) = view.each.filter(|_| declares.contains(&prepared.kind)) {
                    seen.note(prepared.slots[entity]);
                }
            }
        }
        match applied {
            Applied::UnknownType => self.counters.unknown_type += 1,
            Applied::TooLate => self.counters.too_late += 1,
            Applied::Yes => {
                self.counters.applied += 1;
                self.learn(event, position, prepared);
            }
        }
        applied
    }

    /// Looks up everything about an event, and learns nothing.
    pub(crate) fn look_up(&mut self, event: &Event, prepared: &mut Prepared) -> Applied {
        let Some(kind) = self.kind(event) else {
            return Applied::UnknownType;
        };
        let plan = &self.plan;
        prepared.kind = kind;
        prepared.applies = !event.is_too_late();
        prepared.positive = 0;
        prepared.holds = Holds::of(&plan.conditions, event, kind);
        prepared.marks.clear();
        prepared.slots.clear();
        for (places, index) in plan.entity_fields[kind].iter().zip(&mut self.entities) {
            let key = places.as_ref().and_then(|places| key_at(event, places));
            let slot = key.map_or(NO_SLOT, |key| index.slot(key));
            index.name(|| id_at(event, places.as_ref()?));
            prepared.slots.push(slot);
        }
        prepared.operands.clear();
        for operand in &plan.operands {
            if operand.kind != kind {
                prepared.operands.push(MISSING);
                continue;
            }
            let value = operand.of(event, plan.united.currency, &self.rates);
            self.counters.missing_operands += u64::from(value == MISSING);
            prepared.operands.push(value);
        }
        match prepared.applies {
            true => Applied::Yes,
            false => Applied::TooLate,
        }
    }

    /// Which of the declared types an event is of.
    fn kind(&self, event: &Event) -> Option<usize> {
        let kinds = &self.plan.united.events;
        let same = kinds.iter().position(|kind| Arc::ptr_eq(kind, &event.kind));
        same.or_else(|| kinds.iter().position(|kind| **kind == *event.kind))
    }

    fn learn(&mut self, event: &Event, position: u64, prepared: &mut Prepared) {
        if let Some(rate) = self.plan.rate.filter(|rate| rate.kind == prepared.kind) {
            self.rates.observe(rate, event, position);
        }
        for (index, outcome) in self.plan.outcomes.iter().enumerate() {
            if !outcome.used {
                continue;
            }
            let known = &mut self.outcomes[index];
            if outcome.of == prepared.kind {
                let positive = known.remember(outcome, event, position, prepared);
                prepared.positive |= u32::from(positive) << index;
            }
            for teller in outcome.tellers.iter().flatten() {
                if teller.kind == prepared.kind {
                    let mark = known.learn(outcome, index, *teller, event, position);
                    prepared.marks.extend(mark);
                }
            }
        }
    }

    /// The columns of one entity's key at an instant, of the spec that declares a view: empty if
    /// there is no such entity or the key was never seen. What an instant of the past gives is
    /// what is known of it now.
    pub fn read_entity(
        &mut self,
        view: usize,
        entity: &str,
        key_text: &str,
        at: Time,
    ) -> Vec<EntityValue> {
        let plan = Arc::clone(&self.plan);
        let mut entities = plan.united.entities.iter();
        let Some(entity) = entities.position(|e| e.name == entity) else {
            return Vec::new();
        };
        let Some(slot) = self.entities[entity].find(Key::of(key_text)) else {
            return Vec::new();
        };
        let mut newest = vec![None; self.units.len()];
        for (index, unit) in self.units.iter_mut().enumerate() {
            if unit.entity() == Some(entity) {
                let range = plan.offsets[index]..plan.offsets[index + 1];
                newest[index] = unit.read_key(slot, at.0, &mut self.values[range]);
            }
        }
        let features = plan.features[plan.views[view].spec].iter();
        let columns = features.flat_map(|feature| &feature.1);
        columns
            .filter(|draft| draft.entity == Some(entity))
            .map(|draft| EntityValue {
                column: draft.column.name.clone(),
                value: self.values[plan.offsets[draft.at.0] + draft.at.1],
                age: newest[draft.at.0].map(|time| at - Time(time)),
            })
            .collect()
    }
}

impl Prepared {
    pub(crate) fn facts<'a>(&'a self, event: &'a Event, position: u64) -> Facts<'a> {
        Facts {
            event,
            position,
            kind: self.kind,
            applies: self.applies,
            time: event.event_time.0,
            known_at: event.known_at.0,
            slots: &self.slots,
            operands: &self.operands,
            positive: self.positive,
            holds: self.holds,
        }
    }
}
