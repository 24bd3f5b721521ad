//! Many events at once: the same values as one by one, unit by unit and on two threads.

use std::sync::Arc;

use acumen_base::Event;

use crate::builder::At;
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
    /// Which of the events they are of: those of an undeclared type are left out.
    events: Vec<u32>,
    kinds: Vec<u16>,
    applies: Vec<bool>,
    positive: Vec<u32>,
    slots: Vec<u32>,
    operands: Vec<i64>,
    marks: Vec<Mark>,
    /// Where the marks of each end.
    marks_end: Vec<u32>,
    /// The row of each, or none.
    rows: Vec<u32>,
}

const NO_ROW: u32 = u32::MAX;

/// A unit and where its columns go.
struct Work<'a> {
    index: usize,
    unit: &'a mut Box<dyn State>,
    wanted: bool,
    /// Its columns of one row.
    values: Vec<f64>,
    columns: Vec<Vec<f64>>,
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
        let plan = Arc::clone(&self.plan);
        let view_plan = &plan.views[view];
        let (batch, rows) = self.prepare_many(events, first_position, view_plan.kind);
        let mut work: Vec<Work<'_>> = self
            .units
            .iter_mut()
            .enumerate()
            .map(|(index, unit)| Work {
                index,
                wanted: view_plan.wanted[index],
                values: Vec::new(),
                columns: Vec::new(),
                unit,
            })
            .collect();
        let feed = Feed {
            batch: &batch,
            events,
            first_position,
            rows: rows.len(),
            plan: &plan,
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
        view_kind: usize,
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
            batch.events.push(index as u32);
            batch.kinds.push(one.kind as u16);
            batch.applies.push(one.applies);
            batch.positive.push(one.positive);
            batch.slots.extend_from_slice(&one.slots);
            batch.operands.extend_from_slice(&one.operands);
            batch.marks.append(&mut one.marks);
            batch.marks_end.push(batch.marks.len() as u32);
            if one.kind == view_kind {
                batch.rows.push(rows.len() as u32);
                rows.push(index as u32);
            } else {
                batch.rows.push(NO_ROW);
            }
        }
        (batch, rows)
    }
}

/// What every unit is fed.
struct Feed<'a> {
    batch: &'a Batch,
    events: &'a [Arc<Event>],
    first_position: u64,
    rows: usize,
    plan: &'a Plan,
}

impl Feed<'_> {
    fn facts(&self, at: usize) -> Facts<'_> {
        let batch = self.batch;
        let index = batch.events[at] as usize;
        let entities = self.plan.spec.entities.len();
        let operands = self.plan.operands.len();
        let first_mark = at
            .checked_sub(1)
            .map_or(0, |before| batch.marks_end[before]);
        Facts {
            event: &self.events[index],
            position: self.first_position + index as u64,
            kind: usize::from(batch.kinds[at]),
            applies: batch.applies[at],
            slots: &batch.slots[at * entities..(at + 1) * entities],
            operands: &batch.operands[at * operands..(at + 1) * operands],
            positive: batch.positive[at],
            marks: &batch.marks[first_mark as usize..batch.marks_end[at] as usize],
        }
    }

    /// Feeds a group of units, each with all events, or event by event where some gather from
    /// others.
    fn run(&self, group: &mut [&mut Work<'_>]) {
        for work in &mut *group {
            let width = self.width(work);
            work.values = vec![f64::NAN; width];
            if work.wanted {
                work.columns = vec![vec![f64::NAN; self.rows]; width];
            }
        }
        let inside = |gather: &&GatherPlan| {
            group
                .iter()
                .any(|work| work.index == gather.unit && work.wanted)
        };
        let gathers: Vec<&GatherPlan> = self.plan.gathers.iter().filter(inside).collect();
        for at in 0..self.batch.events.len() {
            let facts = self.facts(at);
            let row = self.batch.rows[at];
            if row != NO_ROW {
                for gather in &gathers {
                    let gathered = gather.read(group, &facts);
                    let reader = group.iter_mut().find(|work| work.index == gather.unit);
                    if let Some(work) = reader {
                        let range = gather.begin..gather.begin + gathered.len();
                        work.values[range].copy_from_slice(&gathered);
                    }
                }
            }
            for work in &mut *group {
                work.step(&facts, row);
            }
        }
    }

    fn width(&self, work: &Work<'_>) -> usize {
        self.plan.offsets[work.index + 1] - self.plan.offsets[work.index]
    }
}

impl Work<'_> {
    fn step(&mut self, facts: &Facts<'_>, row: u32) {
        if row == NO_ROW || !self.wanted {
            self.unit.step(facts, None);
            return;
        }
        self.unit.step(facts, Some(&mut self.values));
        for (column, value) in self.columns.iter_mut().zip(&self.values) {
            column[row as usize] = *value;
        }
    }
}

/// Units that have to be fed together: those that gather, with those that they gather from.
fn groups<'a, 'b>(plan: &Plan, work: &'a mut [Work<'b>]) -> Vec<Vec<&'a mut Work<'b>>> {
    let mut group_of: Vec<usize> = (0..work.len()).collect();
    for gather in &plan.gathers {
        for source in &gather.sources {
            let (from, to) = (group_of[source.unit], group_of[gather.unit]);
            group_of
                .iter_mut()
                .filter(|group| **group == from)
                .for_each(|group| *group = to);
        }
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
            .map(|work| if work.wanted { feed.width(work) } else { 0 });
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
        for at in (0..batch.events.len()).filter(|at| batch.rows[*at] != NO_ROW) {
            let row = batch.rows[at] as usize;
            let event = &feed.events[batch.events[at] as usize];
            let read = |at: At| all[plan.offsets[at.0] + at.1][row];
            column.push(derived.value(event, usize::from(batch.kinds[at]), read));
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
