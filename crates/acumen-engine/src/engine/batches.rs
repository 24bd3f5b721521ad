//! What others may ask about batches.

use std::sync::mpsc::channel;

use super::Engine;
use crate::batches::{BatchErrand, BatchRun, BatchStatus, on};
use crate::refusal::Refusal;

impl Engine {
    /// Runs every batch that is due by the engine's clock, and waits: for whoever moves that clock.
    pub fn batches_due(&self) -> Result<Vec<BatchRun>, Refusal> {
        let (done, received) = channel();
        self.send_for_batches(BatchErrand::Due(done))?;
        received.recv().map_err(|_| self.gone())
    }

    /// What became of the batches of a use case, what is under way, and when the next is due.
    pub fn batches(&self, use_case: &str) -> Result<BatchStatus, Refusal> {
        let position = self.use_case(use_case)?;
        let declared = &self.plan.use_cases[position].declared;
        let schedule = declared.batch.as_ref().map(|batch| &batch.schedule);
        let mut status = on(&self.board).get(use_case).cloned().unwrap_or_default();
        status.next_at = schedule.and_then(|schedule| schedule.next(self.clock.now()));
        Ok(status)
    }

    pub(super) fn send_for_batches(&self, errand: BatchErrand) -> Result<(), Refusal> {
        let held = self.batch_errands.lock().map_err(|_| self.gone())?;
        let sent = held.as_ref().map(|errands| errands.send(errand));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(self.gone()),
        }
    }
}
