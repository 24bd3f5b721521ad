//! Worlds: one module each, and a way to tell any of them without knowing its business.

use std::io::Write;
use std::sync::Arc;

use acumen_base::{Diagnostic, Event, EventType, Seed, Time, nearest};
use serde::Deserialize;

mod account;
mod agenda;
mod chance;
mod check;
mod error;
mod layout;
pub mod payments;
pub mod shop;
pub mod storefront;

pub use account::Account;
pub use error::SimulateError;
pub use layout::EventTypes;

/// The names by which a `world.yaml` says which world it is of.
const WORLDS: [&str; 3] = ["payments", "shop", "storefront"];

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
    /// The date of its first day.
    pub start: Option<Time>,
}

impl Size {
    fn date(&self) -> Option<String> {
        let text = self.start?.to_string();
        text.split('T').next().map(str::to_owned)
    }
}

/// What was written of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Events of every type.
    pub events: u64,
    /// What is worth saying of them, a line each.
    pub notes: Vec<String>,
}

/// The parameters of some world.
enum Parameters {
    Payments(Box<payments::Parameters>),
    Shop(Box<shop::Parameters>),
    Storefront(Box<storefront::Parameters>),
}

/// A world as a sequence of what happened, ordered by when it became known.
#[derive(Debug)]
pub struct Story {
    world: World,
}

#[derive(Debug)]
enum World {
    Payments(Box<payments::World>),
    Shop(Box<shop::World>),
    Storefront(Box<storefront::World>),
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
        let types = types
            .iter()
            .map(|kind| (kind.name.clone(), Arc::clone(kind)))
            .collect();
        let world = match sized(text, file, size)? {
            Parameters::Payments(parameters) => World::Payments(Box::new(
                payments::World::with_types(*parameters, seed, &types)?,
            )),
            Parameters::Shop(parameters) => World::Shop(Box::new(shop::World::with_types(
                *parameters,
                seed,
                &types,
            )?)),
            Parameters::Storefront(parameters) => World::Storefront(Box::new(
                storefront::World::with_types(*parameters, seed, &types)?,
            )),
        };
        Ok(Story { world })
    }

    /// How many events that a decision is about there will be, roughly.
    pub fn expected(&self) -> u64 {
        match &self.world {
            World::Payments(world) => world.payments_expected(),
            World::Shop(world) => world.orders_expected(),
            World::Storefront(world) => world.lists_expected(),
        }
    }

    /// How many days it lasts; some things become known later.
    pub fn days(&self) -> u32 {
        match &self.world {
            World::Payments(world) => world.parameters().days,
            World::Shop(world) => world.parameters().days,
            World::Storefront(world) => world.parameters().days,
        }
    }

    /// Whether it tells of events of a type.
    pub fn tells(&self, kind: &str) -> bool {
        let kinds: &[layout::KindRow] = match &self.world {
            World::Payments(_) => &payments::KINDS,
            World::Shop(_) => &shop::KINDS,
            World::Storefront(_) => &storefront::KINDS,
        };
        kinds.iter().any(|known| known.0 == kind)
    }

    /// When it begins.
    pub fn start(&self) -> Time {
        match &self.world {
            World::Payments(world) => world.parameters().start(),
            World::Shop(world) => world.parameters().start(),
            World::Storefront(world) => world.parameters().start(),
        }
    }
}

impl Iterator for Story {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        match &mut self.world {
            World::Payments(world) => world.next().map(|happening| Told {
                event: happening.event,
                positive: happening.truth.map(|truth| truth.fraud),
            }),
            World::Shop(world) => world.next().map(|event| Told {
                event,
                positive: None,
            }),
            World::Storefront(world) => world.next_event().map(|event| Told {
                event,
                positive: None,
            }),
        }
    }
}

/// Writes the world of a `world.yaml` in its own event types: events as NDJSON, and the truth as
/// CSV. `progress` is told how many events that a decision is about are written, and of how many,
/// roughly.
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
    match sized(text, file, size).map_err(SimulateError::Parameters)? {
        Parameters::Payments(parameters) => {
            let told = payments::simulate(*parameters, seed, out, truth, progress)?;
            let notes = vec![format!(
                "{} payments, {} of them fraud",
                told.payments, told.frauds
            )];
            Ok(Written {
                events: told.events,
                notes,
            })
        }
        Parameters::Shop(parameters) => {
            let told = shop::simulate(*parameters, seed, out, truth, progress)?;
            let mut notes = vec![format!("{} orders", told.orders)];
            notes.extend(told.oracle.iter().map(ToString::to_string));
            Ok(Written {
                events: told.events,
                notes,
            })
        }
        Parameters::Storefront(parameters) => {
            let told = storefront::simulate(*parameters, seed, out, truth, progress)?;
            Ok(Written {
                events: told.events,
                notes: vec![told.to_string()],
            })
        }
    }
}

fn sized(text: &str, file: &str, size: Size) -> Result<Parameters, Vec<Diagnostic>> {
    match named(text, file)? {
        "shop" => {
            let mut parameters = shop::Parameters::parse(text, file)?;
            parameters.customers = size.customers.unwrap_or(parameters.customers);
            parameters.days = size.days.unwrap_or(parameters.days);
            parameters.start = size.date().unwrap_or(parameters.start);
            Ok(Parameters::Shop(Box::new(parameters)))
        }
        "storefront" => {
            let mut parameters = storefront::Parameters::parse(text, file)?;
            parameters.customers = size.customers.unwrap_or(parameters.customers);
            parameters.days = size.days.unwrap_or(parameters.days);
            parameters.start = size.date().unwrap_or(parameters.start);
            Ok(Parameters::Storefront(Box::new(parameters)))
        }
        _ => {
            let mut parameters = payments::Parameters::parse(text, file)?;
            parameters.customers = size.customers.unwrap_or(parameters.customers);
            parameters.days = size.days.unwrap_or(parameters.days);
            parameters.start = size.date().unwrap_or(parameters.start);
            Ok(Parameters::Payments(Box::new(parameters)))
        }
    }
}

/// Which world a file is of.
fn named(text: &str, file: &str) -> Result<&'static str, Vec<Diagnostic>> {
    #[derive(Deserialize)]
    struct Named {
        world: String,
    }
    let read: Named =
        serde_saphyr::from_str(text).map_err(|error| vec![check::unreadable(&error, file)])?;
    let found = WORLDS.iter().find(|&&world| world == read.world);
    found.copied().ok_or_else(|| {
        let help = match nearest(&read.world, WORLDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the worlds are {}", WORLDS.join(", ")),
        };
        let mut found = check::Found::new(file);
        found.add("world", &read.world, &help);
        found.problems
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_that_is_not_there_names_the_nearest() {
        let text = include_str!("../../../usecases/fraud/world.yaml");
        let text = text.replace("world: payments", "world: payment");
        let size = Size::default();
        let problems = Story::open((&text, "world.yaml"), size, Seed(1), &[]).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].help.contains("`payments`"), "{}", problems[0]);
    }
}
