//! Something that is known by key, in parts that lock by themselves: a request waits for no event
//! but one of a key of the same part.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use acumen_base::Key;

/// Parts that lock by themselves.
const PARTS: usize = 64;

/// The parts.
#[derive(Debug)]
pub(super) struct Parts<T>(Vec<RwLock<T>>);

impl<T: Default> Default for Parts<T> {
    fn default() -> Parts<T> {
        Parts((0..PARTS).map(|_| RwLock::default()).collect())
    }
}

impl<T> Parts<T> {
    fn of(&self, key: Key) -> &RwLock<T> {
        &self.0[(key.0 % PARTS as u128) as usize]
    }

    /// The part of a key.
    pub(super) fn read(&self, key: Key) -> RwLockReadGuard<'_, T> {
        // Every change is whole: one that panicked has left nothing half done.
        self.of(key).read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a key, to be changed.
    pub(super) fn write(&self, key: Key) -> RwLockWriteGuard<'_, T> {
        self.of(key).write().unwrap_or_else(PoisonError::into_inner)
    }

    /// All parts, one after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = RwLockReadGuard<'_, T>> {
        let parts = self.0.iter();
        parts.map(|part| part.read().unwrap_or_else(PoisonError::into_inner))
    }
}
