//! Putting written records on the disk, from another thread than the one that appends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::LogError;
use crate::log::Durability;

/// Syncs a log's written records while its owner goes on appending (group commit).
#[derive(Clone, Debug)]
pub struct SyncHandle {
    shared: Arc<Shared>,
}

/// What the log and its sync handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    durability: Durability,
    failed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: Arc<File>,
    path: PathBuf,
    written: u64,
    synced: u64,
    failure: Option<String>,
}

impl SyncHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> SyncHandle {
        SyncHandle { shared }
    }

    /// Puts everything that was flushed before this call on the disk, and returns the position
    /// up to which (exclusive) records are durable: those may be acknowledged.
    ///
    /// # Errors
    /// [`LogError::Sync`] where the system could not, [`LogError::Poisoned`] ever after: what a
    /// failed sync left behind is unknown, so a second one that succeeds proves nothing.
    pub fn sync(&self) -> Result<u64, LogError> {
        self.shared.sync()
    }

    /// The position up to which (exclusive) records are durable.
    pub fn synced(&self) -> u64 {
        self.shared.state().synced
    }
}

impl Shared {
    pub(crate) fn new(durability: Durability, file: File, path: PathBuf, next: u64) -> Shared {
        Shared {
            durability,
            failed: AtomicBool::new(false),
            state: Mutex::new(State {
                file: Arc::new(file),
                path,
                written: next,
                synced: next,
                failure: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where anything failed before.
    pub(crate) fn check(&self) -> Result<(), LogError> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let why = self.state().failure.clone().unwrap_or_default();
        Err(LogError::Poisoned { why })
    }

    /// Remembers the first failure for good.
    pub(crate) fn fail(&self, error: LogError) -> LogError {
        let mut state = self.state();
        state.failure.get_or_insert_with(|| error.to_string());
        self.failed.store(true, Ordering::Release);
        error
    }

    /// The file that is written to.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.state().file)
    }

    /// Notes how far records are written to the system.
    pub(crate) fn written(&self, next: u64) {
        self.state().written = next;
    }

    /// Goes on in another file; everything in the one before must be synced.
    pub(crate) fn roll(&self, file: File, path: &Path) {
        let mut state = self.state();
        state.file = Arc::new(file);
        path.clone_into(&mut state.path);
    }

    pub(crate) fn sync(&self) -> Result<u64, LogError> {
        self.check()?;
        let (file, written) = {
            let state = self.state();
            if state.synced >= state.written {
                return Ok(state.synced);
            }
            (Arc::clone(&state.file), state.written)
        };
        let result = match self.durability {
            Durability::Fsync => file.sync_data(),
            Durability::Os => Ok(()),
        };
        if let Err(source) = result {
            let path = self.state().path.clone();
            return Err(self.fail(LogError::Sync { path, source }));
        }
        // Another thread's sync may have failed meanwhile: the system reports a failure once.
        self.check()?;
        let mut state = self.state();
        state.synced = state.synced.max(written);
        Ok(state.synced)
    }

    #[cfg(test)]
    pub(crate) fn replace_file(&self, file: File) {
        self.state().file = Arc::new(file);
    }
}
