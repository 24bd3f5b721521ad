//! What follows from a source's own numbers: made when it is first needed, never stored.

use std::sync::OnceLock;

/// Something that follows from what stands beside it.
#[derive(Clone, Debug)]
pub(super) struct Derived<T>(OnceLock<T>);

impl<T> Derived<T> {
    /// What follows.
    pub(super) fn get(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }

    /// To be called when what it follows from has changed.
    pub(super) fn forget(&mut self) {
        self.0.take();
    }
}

impl<T> Default for Derived<T> {
    fn default() -> Derived<T> {
        Derived(OnceLock::new())
    }
}

impl<T> PartialEq for Derived<T> {
    /// Where what they follow from is the same, so are they.
    fn eq(&self, _: &Derived<T>) -> bool {
        true
    }
}
