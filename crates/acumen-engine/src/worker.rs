//! The workers that run policies and models beside the sequencer, on immutable rows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use acumen_base::{Clock, Decision};
use acumen_decision::{Pool, Request};
use crossbeam_channel::Receiver;

use crate::core::Undecided;
use crate::history::{self, Sources};
use crate::refusal::Refusal;
use crate::sequencer::Command;

/// A decision to be made.
pub(crate) struct Job {
    /// The use case's place in the plan.
    pub(crate) use_case: usize,
    /// From what.
    pub(crate) work: Work,
    /// What the stopwatch read when the request arrived.
    pub(crate) received_nanos: u64,
}

/// What a decision is made from.
pub(crate) enum Work {
    /// A row that has just been read.
    Row(Undecided),
    /// The row of an older event, which has to be read from the log again.
    Position {
        /// Where the event stands.
        position: u64,
        /// Its id.
        event_id: String,
    },
}

impl Work {
    fn event_id(&self) -> &str {
        match self {
            Work::Row(undecided) => &undecided.event.id,
            Work::Position { event_id, .. } => event_id,
        }
    }
}

/// What every worker holds.
#[derive(Clone)]
pub(crate) struct Worker {
    /// For members that run beside the request.
    pub(crate) pool: Arc<Pool>,
    pub(crate) sources: Sources,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sequencer: Sender<Command>,
}

impl Worker {
    /// Takes jobs until the sequencer is gone.
    pub(crate) fn run(&self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let command = self.answer(job, jobs.len());
            if self.sequencer.send(command).is_err() {
                return;
            }
        }
    }

    /// What came of a job while so many waited behind it. A panic is one request's: whoever waits
    /// for it is told, and the worker goes on.
    pub(crate) fn answer(&self, job: Job, waiting: usize) -> Command {
        let (use_case, event_id) = (job.use_case, job.work.event_id().to_owned());
        catch_unwind(AssertUnwindSafe(|| self.work(job, waiting))).unwrap_or_else(|_| {
            let why = Refusal::Failed(format!("deciding on `{event_id}` failed"));
            Command::Undecidable {
                use_case,
                event_id,
                why,
            }
        })
    }

    /// Whether a job is done as soon as its own work is: nothing in it waits for another thread
    /// or for the disk, and no model can overrun its deadline.
    pub(crate) fn is_prompt(&self, job: &Job) -> bool {
        let policy = &self.sources.plan.use_cases[job.use_case].policy;
        match &job.work {
            Work::Row(undecided) => policy.is_prompt(&undecided.state),
            Work::Position { .. } => false,
        }
    }

    fn work(&self, job: Job, waiting: usize) -> Command {
        let use_case = job.use_case;
        let undecided = match job.work {
            Work::Row(undecided) => undecided,
            Work::Position { position, event_id } => {
                match history::row_at(&self.sources, use_case, position) {
                    Ok(undecided) => undecided,
                    Err(error) => {
                        let why = Refusal::Log(error.to_string());
                        return Command::Undecidable {
                            use_case,
                            event_id,
                            why,
                        };
                    }
                }
            }
        };
        let decision = Box::new(self.decide(use_case, &undecided, (job.received_nanos, waiting)));
        Command::Decided {
            use_case,
            decision,
            event: undecided.event,
        }
    }

    fn decide(
        &self,
        use_case: usize,
        undecided: &Undecided,
        (received_nanos, waiting): (u64, usize),
    ) -> Decision {
        let plan = &self.sources.plan.use_cases[use_case];
        let name = &plan.declared.name;
        let request = Request {
            id: format!("{name}:{}", undecided.event.id),
            event: &undecided.event,
            row: &undecided.row,
            received_nanos,
            decided_at: self.clock.now(),
            clock: Arc::clone(&self.clock),
            seed: plan.seed(),
            build: crate::BUILD,
            pool: Some(&self.pool),
            waiting,
        };
        plan.policy.decide(&request, &undecided.state)
    }
}
