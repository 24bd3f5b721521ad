//! Columns that the deciding event alone decides.

use std::any::Any;

use crate::outcome::Mark;
use crate::state::{Facts, Slotted, State};

/// Columns from one event.
pub(crate) trait FromEvent: Send + Sync + 'static {
    fn width(&self) -> usize;
    fn read(&self, facts: &Facts<'_>, out: &mut [f64]);
}

/// A unit that remembers nothing.
pub(crate) struct Stateless<R: FromEvent>(pub(crate) R);

impl<R: FromEvent> State for Stateless<R> {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn entity(&self) -> Option<usize> {
        None
    }

    fn step(&mut self, facts: &Facts<'_>, out: Option<&mut [f64]>) {
        if let Some(out) = out {
            self.0.read(facts, out);
        }
    }

    fn read_key(&mut self, _slot: u32, _at: i64, out: &mut [f64]) -> Option<i64> {
        out.fill(f64::NAN);
        None
    }

    fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        Ok(Vec::new())
    }

    fn load(&mut self, _bytes: &[u8]) -> Result<(), postcard::Error> {
        Ok(())
    }

    fn merge(&mut self, _other: &dyn State, _slots: Slotted<'_>) {}

    fn mark(&mut self, _mark: &Mark) {}

    fn as_any(&self) -> &dyn Any {
        self
    }
}
