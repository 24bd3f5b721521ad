//! Batches beside the running engine, as use cases schedule them.
//!
//! One thread runs them, one after the other, so that none overlaps another of its use case. What is
//! due is the last occurrence of the schedule: of several that were missed it is run once. A date
//! that is scored is a folder with its name, so a server that begins anew finds out by looking.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acumen_base::{Clock, Span, Time};
use serde::Serialize;

use crate::background::Background;
use crate::history::Sources;
use crate::scoring::{BatchOptions, BatchOutcome, Coverage, score_all};
use crate::spec::{BatchDecl, UseCase};

/// How often the schedule is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// After how long a run that failed is tried again.
const RETRY_AFTER: Span = Span::seconds(600);

/// What the thread is sent for.
pub(crate) enum BatchErrand {
    /// Look at the schedule from now on.
    Follow,
    /// Do what is due now, and tell.
    Due(Sender<Vec<BatchRun>>),
}

/// One run of a batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchRun {
    /// The use case.
    pub use_case: String,
    /// The date that was scored.
    pub at: Time,
    /// When the run began.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// What it came to; `None` where it did not come to its end.
    pub coverage: Option<Coverage>,
    /// Keys that are left where its time was over.
    pub left: usize,
    /// Why it did not come to its end.
    pub problem: Option<String>,
}

/// What there is to know of the batches of a use case.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BatchStatus {
    /// When the next is due; `None` where no `batch_inference` is declared.
    pub next_at: Option<Time>,
    /// Since when one is under way.
    pub running_since: Option<Time>,
    /// Keys of it that are scored, and all.
    pub progress: Option<(usize, usize)>,
    /// The latest that ended.
    pub latest: Option<BatchRun>,
}

/// What is shared with those who ask.
pub(crate) type Board = Arc<Mutex<BTreeMap<String, BatchStatus>>>;

/// What the thread holds.
pub(crate) struct Batches {
    pub(crate) sources: Sources,
    pub(crate) clock: Arc<dyn Clock>,
    /// Set when the engine closes: a batch under way ends after its part, and goes on next time.
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) board: Board,
    pub(crate) background: Background,
}

/// The payload of the unwinding that ends a batch when the engine closes.
struct Stopped;

pub(crate) fn on(board: &Board) -> MutexGuard<'_, BTreeMap<String, BatchStatus>> {
    // Every change of it is whole.
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Batches {
    /// Does what it is sent for until the engine closes.
    pub(crate) fn run(&self, errands: &Receiver<BatchErrand>) {
        let mut follows = false;
        while !self.stopping.load(Ordering::SeqCst) {
            match errands.recv_timeout(LOOK_EVERY) {
                Ok(BatchErrand::Follow) => {
                    follows = true;
                    drop(self.due());
                }
                Ok(BatchErrand::Due(done)) => {
                    let _gone = done.send(self.due());
                }
                Err(RecvTimeoutError::Timeout) if follows => drop(self.due()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Runs every batch whose time has come.
    fn due(&self) -> Vec<BatchRun> {
        let mut runs = Vec::new();
        let declared = self
            .sources
            .plan
            .use_cases
            .iter()
            .map(|plan| &plan.declared);
        for (use_case, declared) in declared.enumerate() {
            let Some(batch) = declared
                .batch
                .as_ref()
                .filter(|_| declared.subject.is_some())
            else {
                continue;
            };
            let now = self.clock.now();
            let due = batch
                .schedule
                .last(now)
                .filter(|at| self.is_open(&declared.name, *at, now));
            if let Some(run) = due.and_then(|at| self.score(use_case, declared, batch, at)) {
                on(&self.board)
                    .entry(declared.name.clone())
                    .or_default()
                    .latest = Some(run.clone());
                runs.push(run);
            }
        }
        runs
    }

    /// Whether a date is still to be scored: not if that was done or ran out of its time, and not
    /// yet again if it failed a moment ago.
    fn is_open(&self, use_case: &str, at: Time, now: Time) -> bool {
        let board = on(&self.board);
        let latest = board
            .get(use_case)
            .and_then(|status| status.latest.as_ref());
        let same = latest.filter(|run| run.at == at);
        same.is_none_or(|run| run.problem.is_some() && now >= run.ended_at + RETRY_AFTER)
    }

    /// Scores a date; `None` where the engine closes meanwhile.
    fn score(
        &self,
        use_case: usize,
        declared: &UseCase,
        batch: &BatchDecl,
        at: Time,
    ) -> Option<BatchRun> {
        let name = &declared.name;
        let options = BatchOptions {
            at,
            out: self.sources.folder.scores(name),
            batch_size: usize::try_from(batch.batch_size).unwrap_or(usize::MAX),
            timeout: Some(batch.timeout),
        };
        let started_at = self.clock.now();
        on(&self.board)
            .entry(name.clone())
            .or_default()
            .running_since = Some(started_at);
        let attempt = || {
            score_all(
                &self.sources,
                use_case,
                &options,
                &*self.clock,
                &mut |done, all| {
                    if self.stopping.load(Ordering::SeqCst) {
                        resume_unwind(Box::new(Stopped));
                    }
                    on(&self.board).entry(name.clone()).or_default().progress = Some((done, all));
                },
            )
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| self.background.run(attempt)));
        let mut run = BatchRun {
            use_case: name.clone(),
            at,
            started_at,
            ended_at: self.clock.now(),
            coverage: None,
            left: 0,
            problem: None,
        };
        match outcome {
            Ok(Ok(BatchOutcome::Done { coverage, .. })) => run.coverage = Some(coverage),
            Ok(Ok(BatchOutcome::Left { left, .. })) => run.left = left,
            Ok(Err(error)) => run.problem = Some(error.to_string()),
            Err(payload) if payload.is::<Stopped>() => return None,
            Err(_) => run.problem = Some("scoring panicked".to_owned()),
        }
        let mut board = on(&self.board);
        let status = board.entry(name.clone()).or_default();
        (status.running_since, status.progress) = (None, None);
        Some(run)
    }
}
