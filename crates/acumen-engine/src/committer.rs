//! Makes what was appended durable, and only then lets the answers go.

use std::sync::mpsc::Receiver;

use acumen_event::SyncHandle;

use crate::refusal::Refusal;

/// An answer that waits for the disk.
pub(crate) type Answering = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// Everything up to the end of one batch of the sequencer has been handed to the system.
pub(crate) struct Commit {
    /// What to answer once it is on disk.
    pub(crate) answers: Vec<Answering>,
}

/// Syncs once for all batches that wait, then answers them; ends when the sequencer is gone.
pub(crate) fn run(commits: &Receiver<Commit>, disk: &SyncHandle) {
    while let Ok(first) = commits.recv() {
        let mut answers = first.answers;
        for more in commits.try_iter() {
            answers.extend(more.answers);
        }
        let written = match disk.sync() {
            Ok(_) => Ok(()),
            Err(error) => Err(Refusal::Log(error.to_string())),
        };
        for answer in answers {
            answer(written.clone());
        }
    }
}
