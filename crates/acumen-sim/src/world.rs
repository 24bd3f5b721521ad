//! Worlds: one module each, and a way to tell any of them without knowing its business.

use std::io::Write;
use std::sync::Arc;

use acumen_base::{Diagnostic, Event, EventType, Seed};

pub mod payments;

pub use payments::SimulateError;

/// Something that happened in some world.
#[derive(Clone, Debug)]
pub struct Told {
    /// The event, as it became known.
    pub event: Event,
    /// Whether its outcome is truly positive; `None` for events that have no outcome.
    pub positive: Option<bool>,
}

/// How large a world is, where that is not as its file says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Customers.
    pub customers: Option<u32>,
    /// Days.
    pub days: Option<u32>,
}

/// What was written of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Events of every type.
    pub events: u64,
    /// Events that have an outcome.
    pub decided: u64,
    /// Those of them whose outcome is positive.
    pub positives: u64,
}

/// A world as a sequence of what happened, ordered by when it became known.
#[derive(Debug)]
pub struct Story {
    world: payments::World,
}

impl Story {
    /// The world of a `world.yaml` (`text`, the content of `file`), told in declared event types.
    ///
    /// # Errors
    /// Everything that is wrong with the file, and every declared field that the world cannot
    /// fill.
    pub fn open(
        (text, file): (&str, &str),
        size: Size,
        seed: Seed,
        types: &[Arc<EventType>],
    ) -> Result<Story, Vec<Diagnostic>> {
        let parameters = sized(text, file, size)?;
        let types = types
            .iter()
            .map(|kind| (kind.name.clone(), Arc::clone(kind)))
            .collect();
        let world = payments::World::with_types(parameters, seed, &types)?;
        Ok(Story { world })
    }

    /// How many events with an outcome there will be, roughly.
    pub fn expected(&self) -> u64 {
        self.world.payments_expected()
    }

    /// How many days it lasts; outcomes may become known later.
    pub fn days(&self) -> u32 {
        self.world.parameters().days
    }

    /// When it begins.
    pub fn start(&self) -> acumen_base::Time {
        self.world.parameters().start()
    }
}

impl Iterator for Story {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        let happening = self.world.next()?;
        let positive = happening.truth.map(|truth| truth.fraud);
        Some(Told {
            event: happening.event,
            positive,
        })
    }
}

/// Writes the world of a `world.yaml` in its own event types: events as NDJSON, and the truth as
/// CSV. `progress` is told how many events with an outcome are written, and of how many, roughly.
///
/// # Errors
/// Everything that is wrong with the file; a writer that fails.
pub fn write(
    (text, file): (&str, &str),
    size: Size,
    seed: Seed,
    (out, truth): (&mut dyn Write, &mut dyn Write),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Written, SimulateError> {
    let parameters = sized(text, file, size).map_err(SimulateError::Parameters)?;
    let summary = payments::simulate(parameters, seed, out, truth, progress)?;
    Ok(Written {
        events: summary.events,
        decided: summary.payments,
        positives: summary.frauds,
    })
}

fn sized(text: &str, file: &str, size: Size) -> Result<payments::Parameters, Vec<Diagnostic>> {
    let mut parameters = payments::Parameters::parse(text, file)?;
    parameters.customers = size.customers.unwrap_or(parameters.customers);
    parameters.days = size.days.unwrap_or(parameters.days);
    Ok(parameters)
}
