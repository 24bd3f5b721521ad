//! Every key scored at a date, part by part: a run that was cut off goes on where it was.

use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::{Clock, Span, Time};
use acumen_table::{Scores, write_scores};

use super::LiveModel;
use super::online;
use super::run::{Coverage, Found, Run, RunFolder};
use crate::error::EngineError;
use crate::evaluate::state_at_the_end;
use crate::history::Sources;
use crate::origins::{Each, Standing, standing_at};

/// How a batch is to be run.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// The logical date.
    pub at: Time,
    /// The folder under which its own is made.
    pub out: PathBuf,
    /// Keys of a part.
    pub batch_size: usize,
    /// After this long it stops between two parts.
    pub timeout: Option<Span>,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchOutcome {
    /// Every key is scored or has a reason.
    Done {
        /// What it came to.
        coverage: Coverage,
        /// Whether all of it was there before.
        before: bool,
    },
    /// The time was over: the same command goes on.
    Left {
        /// Keys whose parts are written.
        done: usize,
        /// Keys that are left.
        left: usize,
    },
}

/// Scores every key that was known at a date. The same use case and date give the same scores,
/// once: what is there is not written again.
///
/// # Errors
/// Where the use case decides on events, no model is live, or something cannot be read or written.
pub fn score_all(
    sources: &Sources,
    use_case: usize,
    options: &BatchOptions,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<BatchOutcome, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let each = Each::of(plan)?;
    let name = &plan.declared.name;
    let deadline = options
        .timeout
        .map(|timeout| clock.nanos() + nanos(timeout));
    let folder = match RunFolder::open(&options.out, name, options.at)? {
        Found::Done(coverage, done) => {
            // One that ended before its scores were in place puts them there now.
            online::publish(&sources.folder, &done)?;
            let before = true;
            return Ok(BatchOutcome::Done { coverage, before });
        }
        Found::Open(folder) => folder,
    };
    let begun = folder.begun()?;
    let place = begun.as_ref().map(|run| run.position);
    // What cannot answer is found out before the log is read.
    let live = match &begun {
        Some(run) => LiveModel::of_version(&sources.store, plan, &run.model, &run.version)?,
        None => {
            let state = state_at_the_end(sources, use_case)?;
            LiveModel::of_state(&sources.store, plan, &state)?
        }
    };
    let standing = standing_at(sources, use_case, options.at, place, &mut |_| ())?;
    if standing.ids.is_empty() {
        return Err(EngineError::NotEnough(format!(
            "no {} was known at {}: name a later date",
            each.subject.each, options.at
        )));
    }
    let run = match begun {
        Some(run) => run,
        None => {
            let run = Run {
                use_case: name.clone(),
                at: options.at,
                position: standing.position,
                model: live.artifact().member.clone(),
                version: live.version().to_owned(),
                keys: standing.ids.len(),
                batch_size: options.batch_size.max(1),
            };
            folder.begin(&run)?;
            run
        }
    };
    let mut batch = Batch {
        each,
        live,
        standing,
        run,
    };
    let (outcome, done) = batch.write(folder, deadline, clock, progress)?;
    if let Some(done) = done {
        online::publish(&sources.folder, &done)?;
    }
    Ok(outcome)
}

fn nanos(span: Span) -> u64 {
    u64::try_from(span.0).unwrap_or(0).saturating_mul(1_000_000)
}

/// A batch under way.
struct Batch<'a> {
    each: Each<'a>,
    live: LiveModel,
    standing: Standing,
    run: Run,
}

impl Batch<'_> {
    fn write(
        &mut self,
        folder: RunFolder,
        deadline: Option<u64>,
        clock: &dyn Clock,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(BatchOutcome, Option<PathBuf>), EngineError> {
        let mut coverage = Coverage {
            use_case: self.run.use_case.clone(),
            at: self.run.at,
            version: format!("{} {}", self.run.model, self.run.version),
            ..Coverage::default()
        };
        let ids = std::mem::take(&mut self.standing.ids);
        let parts = ids.chunks(self.run.batch_size);
        let count = parts.len();
        for (number, part) in parts.enumerate() {
            let tally = match folder.tally(number) {
                Some(tally) => tally,
                None if deadline.is_some_and(|deadline| clock.nanos() >= deadline) => {
                    let done = coverage.keys;
                    let left = ids.len() - done;
                    return Ok((BatchOutcome::Left { done, left }, None));
                }
                None => {
                    let (scores, tally) = self.part(part);
                    write_scores(&folder.part(number), &scores)?;
                    folder.keep(number, &tally)?;
                    tally
                }
            };
            coverage.add(&tally);
            progress(coverage.keys, ids.len());
        }
        let done = folder.finish(count, &coverage)?;
        let before = false;
        Ok((BatchOutcome::Done { coverage, before }, Some(done)))
    }

    /// The scores of some keys.
    fn part(&mut self, ids: &[Arc<str>]) -> (Scores, Coverage) {
        let width = self.each.plan.columns.len();
        let mut rows = vec![vec![f64::NAN; width]; ids.len()];
        let place = (self.standing.at, self.standing.position);
        for (id, row) in ids.iter().zip(&mut rows) {
            let features = (&mut self.standing.pipeline, self.standing.view);
            self.each.read(features, id, place, row);
        }
        let column = |column: usize| rows.iter().map(|row| row[column]).collect();
        let data: Vec<Vec<f64>> = (0..width).map(column).collect();
        let values = self.live.values(&data);
        let says = self.live.says_many(rows.iter().map(Vec::as_slice));
        let mut scores = Scores {
            key: self.each.subject.kind.fields[0].name.clone(),
            ids: ids.to_vec(),
            version: self.run.version.clone(),
            origin: self.run.at,
            ..Scores::default()
        };
        let mut tally = Coverage {
            keys: ids.len(),
            ..Coverage::default()
        };
        for ((row, value), says) in rows.iter().zip(values).zip(says) {
            let scored = (self.each.belongs(row)).then(|| self.live.scored(value, says));
            let reason = match &scored {
                Some(_) => None,
                None => Some(self.each.not_of_the_base()),
            };
            if let Some(reason) = &reason {
                *tally.not_scored.entry(reason.clone()).or_default() += 1;
            }
            let of = scored.as_ref();
            if let Some(scored) = of {
                tally.scored += 1;
                tally.value += scored.value;
                if let Some(segment) = &scored.segment {
                    *tally.segments.entry(segment.clone()).or_default() += 1;
                }
            }
            scores.value.push(of.map(|scored| scored.value));
            scores.low.push(of.and_then(|scored| scored.low));
            scores.high.push(of.and_then(|scored| scored.high));
            scores.alive.push(of.and_then(|scored| scored.alive));
            scores
                .purchases
                .push(of.and_then(|scored| scored.purchases));
            scores
                .segment
                .push(of.and_then(|scored| scored.segment.clone()));
            scores.reason.push(reason);
        }
        (scores, tally)
    }
}
