//! Snapshots and trimming beside a running engine, so that a long-running one starts fast.
//!
//! A snapshot is made from the log, by the same replay that recovery runs, on a thread of its
//! own: no decision waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use acumen_event::SyncHandle;

use crate::error::EngineError;
use crate::history::Sources;
use crate::metrics::Metrics;
use crate::offline::write_snapshot;
use crate::retention;
use crate::sequencer::Command;

/// Records between two snapshots of a running engine.
pub const SNAPSHOT_EVERY: u64 = 1_000_000;

/// A wanted snapshot, and who waits for it.
pub(crate) struct Wanted {
    /// The state before this position, which has been flushed.
    pub(crate) position: u64,
    /// Told how it went.
    pub(crate) done: Option<Sender<Result<(), EngineError>>>,
}

/// What the thread holds.
pub(crate) struct Upkeep {
    pub(crate) sources: Sources,
    pub(crate) disk: SyncHandle,
    pub(crate) sequencer: Sender<Command>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Upkeep {
    /// Takes snapshots until the sequencer is gone.
    pub(crate) fn run(&self, wanted: &Receiver<Wanted>) {
        while let Ok(wanted) = wanted.recv() {
            let done = self.snapshot(wanted.position).and_then(|()| self.trim());
            if done.is_err() {
                self.metrics.upkeep_failed();
            }
            if let Some(waiting) = wanted.done {
                let _nobody_waits = waiting.send(done);
            }
        }
    }

    fn snapshot(&self, position: u64) -> Result<(), EngineError> {
        let core = self.sources.state_before(position)?;
        // A snapshot must never know more than the disk: power may fail right behind it.
        self.disk.sync()?;
        write_snapshot(&self.sources, &core)
    }

    fn trim(&self) -> Result<(), EngineError> {
        let plan = Arc::clone(&self.sources.plan);
        let find = move |core: &crate::core::Core, log: &acumen_event::Log| {
            retention::boundary(log, &plan, core.newest)
        };
        let Some(Some(boundary)) = self.ask(move |core, log| find(core, log)) else {
            return Ok(());
        };
        let bases = retention::write_base(&self.sources, boundary)?;
        match self.ask(move |_, log| log.trim_before(boundary, &bases)) {
            Some(trimmed) => Ok(trimmed.map(drop)?),
            None => Ok(()),
        }
    }

    /// `None` where the engine closes meanwhile: closing trims too.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut crate::core::Core, &mut acumen_event::Log) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = channel();
        let question = move |core: &mut _, log: &mut _| drop(sender.send(question(core, log)));
        self.sequencer.send(Command::Ask(Box::new(question))).ok()?;
        receiver.recv().ok()
    }
}
