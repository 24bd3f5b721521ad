//! Many events at once: the same values as one by one, unit by unit and on two threads.
//!
//! A unit whose keys do not know of each other is fed key by key, so that what is kept of a key
//! is fetched from memory once a batch and not once an event.

use std::sync::{Arc, OnceLock};

use acumen_base::Event;

use crate::builder::At;
use crate::condition::{Holds, Where};
use crate::gather::{GatherPlan, Pool};
use crate::outcome::Mark;
use crate::pipeline::{Applied, Pipeline, Prepared};
use crate::plan::{Plan, ViewPlan};
use crate::state::{Facts, State};

/// Rows of many events, by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// For each row, which of the events it is of.
    pub rows: Vec<u32>,
    /// For each column of the view, one value a row; NaN is missing.
    pub columns: Vec<Vec<f64>>,
}

/// Threads that share the units of a batch.
const THREADS: usize = 2;

/// The looked-up facts of many events, end to end.
#[derive(Default)]
struct Batch {
    /// Those of an undeclared type are left out.
    events: Vec<Known>,
    /// The slots of each, one an entity.
    slots: Vec<u32>,
    /// The operands of each, one an operand of the plan.
    operands: Vec<i64>,
    marks: Vec<Mark>,
    /// What happens, in the order of the log.
    steps: Vec<Step>,
}

/// What is looked up of an event, except for slots and operands.
struct Known {
    /// Which of the given events it is.
    index: u32,
    /// Its row, or none.
    row: u32,
    positive: u32,
    holds: Holds,
    kind: u16,
    applies: bool,
    time: i64,
    known_at: i64,
}

/// One thing that happens to units.
#[derive(Clone, Copy)]
enum Step {
    /// An event of the batch comes.
    Event(u32),
    /// Its mark of an earlier event comes right after it.
    Mark(u32),
}

const NO_ROW: u32 = u32::MAX;

/// A unit and where its columns go.
struct Work<'a> {
    index: usize,
    unit: &'a mut Box<dyn State>,
    wanted: bool,
    width: usize,
    /// Its columns row by row, while it is fed: a row is written in one place.
    values: Vec<f64>,
    columns: Vec<Vec<f64>>,
    /// Its columns at the newest event, where conditions read them; else empty.
    newest: Vec<f64>,
}

impl Pool for [&mut Work<'_>] {
    fn unit(&mut self, index: usize) -> &mut dyn State {
        let found = self.iter_mut().find(|work| work.index == index);
        found
            .expect("units that gather stand with those that they gather from")
            .unit
            .as_mut()
    }
}

impl Pipeline {
    /// Takes the next events of the log, the first at `first_position`, and reads a row of the
    /// view at each event of the view's type: bit for bit what [`Pipeline::step`] gives.
    pub fn step_many(&mut self, events: &[Arc<Event>], first_position: u64, view: usize) -> Block {
        self.step_some(events, first_position, view, &|_| true)
    }

    /// The same with rows of those events only that are wanted: what is not read costs nothing.
    pub fn step_some(
        &mut self,
        events: &[Arc<Event>],
        first_position: u64,
        view: usize,
        wanted: &dyn Fn(&Event) -> bool,
    ) -> Block {
        let plan = Arc::clone(&self.plan);
        let view_plan = &plan.views[view];
        let (batch, rows) = self.prepare_many(events, first_position, (view_plan.kind, wanted));
        let mut work: Vec<Work<'_>> = self
            .units
            .iter_mut()
            .enumerate()
            .map(|(index, unit)| Work {
                index,
                width: plan.offsets[index + 1] - plan.offsets[index],
                wanted: view_plan.wanted[index],
                values: Vec::new(),
                columns: Vec::new(),
                newest: match plan.sources[index] {
                    true => vec![f64::NAN; plan.offsets[index + 1] - plan.offsets[index]],
                    false => Vec::new(),
                },
                unit,
            })
            .collect();
        let feed = Feed {
            batch: &batch,
            events,
            first_position,
            rows: rows.len(),
            plan: &plan,
            by_key: plan
                .united
                .entities
                .iter()
                .map(|_| OnceLock::new())
                .collect(),
        };
        run(&feed, &mut work);
        let mut all = united(&plan, work);
        derive(&feed, view_plan, &mut all);
        let columns = pick(view_plan, all);
        self.counters.rows[view] += rows.len() as u64;
        for (missing, column) in self.counters.missing[view].iter_mut().zip(&columns) {
            *missing += column.iter().filter(|value| value.is_nan()).count() as u64;
        }
        Block { rows, columns }
    }

    fn prepare_many(
        &mut self,
        events: &[Arc<Event>],
        first_position: u64,
        (view_kind, wanted): (usize, &dyn Fn(&Event) -> bool),
    ) -> (Batch, Vec<u32>) {
        let mut batch = Batch::default();
        let mut rows = Vec::new();
        let mut one = Prepared::default();
        batch.slots.reserve(events.len() * self.entities.len());
        batch
            .operands
            .reserve(events.len() * self.plan.operands.len());
        for (index, event) in events.iter().enumerate() {
            let applied = self.prepare(event, first_position + index as u64, &mut one);
            if applied == Applied::UnknownType {
                continue;
            }
            let row = match one.kind == view_kind && wanted(event) {
                true => rows.len() as u32,
                false => NO_ROW,
            };
            if row != NO_ROW {
                rows.push(index as u32);
            }
            batch.push(event, (index as u32, row), &mut one);
        }
        (batch, rows)
    }
}

impl Batch {
    fn push(&mut self, event: &Event, (index, row): (u32, u32), one: &mut Prepared) {
        self.steps.push(Step::Event(self.events.len() as u32));
        self.events.push(Known {
            index,
            row,
            positive: one.positive,
            holds: one.holds,
            kind: one.kind as u16,
            applies: one.applies,
            time: event.event_time.0,
            known_at: event.known_at.0,
        });
        self.slots.extend_from_slice(&one.slots);
        self.operands.extend_from_slice(&one.operands);
        for mark in one.marks.drain(..) {
            self.steps.push(Step::Mark(self.marks.len() as u32));
            self.marks.push(mark);
        }
    }

    /// The steps key by key of one of so many entities, and those of one key as they stand.
    fn by_key(&self, entity: usize, entities: usize) -> Vec<Step> {
        let slot = |step: &Step| match *step {
            Step::Event(at) => self.slots[at as usize * entities + entity],
            Step::Mark(mark) => self.marks[mark as usize].slots[entity],
        };
        let places = self.steps.iter().zip(0_u64..);
        let mut order: Vec<u64> = places
            .map(|(step, place)| u64::from(slot(step)) << 32 | place)
            .collect();
        order.sort_unstable();
        order
            .into_iter()
            .map(|place| self.steps[place as u32 as usize])
            .collect()
    }
}

/// What every unit is fed.
struct Feed<'a> {
    batch: &'a Batch,
    events: &'a [Arc<Event>],
    first_position: u64,
    rows: usize,
    plan: &'a Plan,
    /// The steps key by key, of each entity that a unit asks for.
    by_key: Vec<OnceLock<Vec<Step>>>,
}

impl Feed<'_> {
    fn facts(&self, at: usize) -> Facts<'_> {
        let batch = self.batch;
        let known = &batch.events[at];
        let entities = self.plan.united.entities.len();
        let operands = self.plan.operands.len();
        Facts {
            event: &self.events[known.index as usize],
            position: self.first_position + u64::from(known.index),
            kind: usize::from(known.kind),
            applies: known.applies,
            time: known.time,
            known_at: known.known_at,
            slots: &batch.slots[at * entities..(at + 1) * entities],
            operands: &batch.operands[at * operands..(at + 1) * operands],
            positive: known.positive,
            holds: known.holds,
        }
    }

    /// Feeds a group of units: all events in the order of the log, or key by key.
    fn run(&self, group: &mut [&mut Work<'_>]) {
        for work in &mut *group {
            if work.wanted {
                work.values = vec![f64::NAN; self.rows * work.width];
            }
        }
        let inside = |gather: &&GatherPlan| {
            group
                .iter()
                .any(|work| work.index == gather.unit && work.wanted)
        };
        let gathers: Vec<&GatherPlan> = self.plan.gathers.iter().filter(inside).collect();
        for step in self.order(group) {
            match *step {
                Step::Event(at) => self.event(at as usize, group, &gathers),
                Step::Mark(mark) => {
                    let mark = &self.batch.marks[mark as usize];
                    group.iter_mut().for_each(|work| work.unit.mark(mark));
                }
            }
        }
        group.iter_mut().for_each(|work| work.finish(self.rows));
    }

    fn order(&self, group: &[&mut Work<'_>]) -> &[Step] {
        let [work] = group else {
            return &self.batch.steps;
        };
        match work.unit.by_key() {
            None => &self.batch.steps,
            Some(entity) => self.by_key[entity]
                .get_or_init(|| self.batch.by_key(entity, self.plan.united.entities.len())),
        }
    }

    fn event(&self, at: usize, group: &mut [&mut Work<'_>], gathers: &[&GatherPlan]) {
        let mut facts = self.facts(at);
        let row = self.batch.events[at].row;
        if row != NO_ROW {
            for gather in gathers {
                let gathered = gather.read(group, &facts);
                let reader = group.iter_mut().find(|work| work.index == gather.unit);
                if let Some(out) = reader.and_then(|work| work.row(row).2) {
                    out[gather.begin..][..gathered.len()].copy_from_slice(&gathered);
                }
            }
        }
        let stages = self.plan.stages(facts.kind);
        let staged = group.partition_point(|work| work.index < self.plan.staged);
        let (first, then) = group.split_at_mut(staged);
        let heeds = &self.plan.heeds[facts.kind];
        first
            .iter_mut()
            .for_each(|work| work.step(&facts, row, heeds));
        if stages && !first.is_empty() && !then.is_empty() {
            let value = |at: At| {
                let source = first.iter().find(|work| work.index == at.0);
                source.map_or(f64::NAN, |work| work.newest[at.1])
            };
            let about = (facts.event, facts.kind);
            facts.holds = (facts.holds).and_of_columns(&self.plan.conditions, about, value);
        }
        then.iter_mut()
            .for_each(|work| work.step(&facts, row, heeds));
    }
}

impl Work<'_> {
    /// The unit, its columns at the newest event, and room for those of a row where they are
    /// wanted.
    fn row(&mut self, row: u32) -> (&mut dyn State, &mut [f64], Option<&mut [f64]>) {
        let begin = row as usize * self.width;
        let wanted = row != NO_ROW && self.wanted;
        let out = wanted.then(|| &mut self.values[begin..begin + self.width]);
        (self.unit.as_mut(), &mut self.newest, out)
    }

    /// Feeds it an event, of a row or of none, unless that is nothing to it.
    fn step(&mut self, facts: &Facts<'_>, row: u32, heeds: &[bool]) {
        let heeds = heeds[self.index];
        let (unit, newest, out) = self.row(row);
        if !heeds && out.is_none() {
            return;
        }
        if newest.is_empty() {
            unit.step(facts, out);
            return;
        }
        unit.step(facts, Some(&mut *newest));
        if let Some(out) = out {
            out.copy_from_slice(newest);
        }
    }

    /// Turns rows into columns.
    fn finish(&mut self, rows: usize) {
        if !self.wanted {
            return;
        }
        let values = std::mem::take(&mut self.values);
        self.columns
            .resize_with(self.width, || Vec::with_capacity(rows));
        for row in values.chunks_exact(self.width.max(1)) {
            for (column, value) in self.columns.iter_mut().zip(row) {
                column.push(*value);
            }
        }
    }
}

/// Units that have to be fed together: those that gather or have conditions, with those that they
/// gather from or whose columns their conditions read.
fn groups<'a, 'b>(plan: &Plan, work: &'a mut [Work<'b>]) -> Vec<Vec<&'a mut Work<'b>>> {
    let mut group_of: Vec<usize> = (0..work.len()).collect();
    let gathers = plan.gathers.iter();
    let gathers = gathers.flat_map(|g| g.sources.iter().map(|source| (source.unit, g.unit)));
    let conditioned = work.iter().filter_map(|w| Some((w.index, w.unit.when()?)));
    let conditioned = conditioned.flat_map(|(unit, Where(at))| {
        let columns = plan.conditions[at].expression.columns();
        columns.map(move |column| (column.0, unit))
    });
    for (source, reader) in gathers.chain(conditioned) {
        let (from, to) = (group_of[source], group_of[reader]);
        group_of
            .iter_mut()
            .filter(|group| **group == from)
            .for_each(|group| *group = to);
    }
    let mut groups: Vec<Vec<&mut Work<'_>>> = Vec::new();
    groups.resize_with(work.len(), Vec::new);
    for (work, group) in work.iter_mut().zip(group_of) {
        groups[group].push(work);
    }
    groups
}

/// Shares the groups among threads, the widest first to the one with the least to do.
fn run(feed: &Feed<'_>, work: &mut [Work<'_>]) {
    let width = |group: &Vec<&mut Work<'_>>| -> usize {
        let widths = group
            .iter()
            .map(|work| if work.wanted { work.width } else { 0 });
        widths.map(|width| 3 + width).sum()
    };
    let mut order = groups(feed.plan, work);
    order.sort_by_key(|group| std::cmp::Reverse(width(group)));
    let mut shares: Vec<(usize, Vec<Vec<&mut Work<'_>>>)> = Vec::new();
    shares.resize_with(THREADS, Default::default);
    for group in order {
        let least = shares.iter_mut().min_by_key(|share| share.0);
        if let Some(share) = least {
            share.0 += width(&group);
            share.1.push(group);
        }
    }
    std::thread::scope(|scope| {
        for (_, share) in shares {
            scope.spawn(move || {
                for mut group in share {
                    feed.run(&mut group);
                }
            });
        }
    });
}

/// The columns of all units by their place in the plan; those of no use are empty.
fn united(plan: &Plan, work: Vec<Work<'_>>) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = Vec::with_capacity(plan.width());
    for work in work {
        all.extend(work.columns);
        all.resize_with(plan.offsets[work.index + 1], Vec::new);
    }
    all.resize_with(plan.width(), Vec::new);
    all
}

/// The second phase: columns computed from columns.
fn derive(feed: &Feed<'_>, view: &ViewPlan, all: &mut [Vec<f64>]) {
    let (plan, batch) = (feed.plan, feed.batch);
    let units = plan.offsets.len() - 1 - plan.derived.len();
    for (index, derived) in plan.derived.iter().enumerate() {
        let index = units + index;
        if !view.wanted[index] {
            continue;
        }
        let mut column = Vec::with_capacity(feed.rows);
        for known in batch.events.iter().filter(|known| known.row != NO_ROW) {
            let event = &feed.events[known.index as usize];
            let read = |at: At| all[plan.offsets[at.0] + at.1][known.row as usize];
            column.push(derived.value(event, usize::from(known.kind), read));
        }
        all[plan.offsets[index]] = column;
    }
}

fn pick(view: &ViewPlan, mut all: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(view.globals.len());
    for (index, global) in view.globals.iter().enumerate() {
        // Two features may ask for the same column; the last of them takes it.
        let column = if view.globals[index + 1..].contains(global) {
            all[*global].clone()
        } else {
            std::mem::take(&mut all[*global])
        };
        columns.push(column);
    }
    columns
}
