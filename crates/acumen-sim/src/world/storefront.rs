//! Visitors of a shop's pages, the lists they are shown, and what they do with them; the chance of
//! every click and purchase is known.
//!
//! Turns [`Parameters`] and a seed into moments in the order of time: events, and visits that ask
//! for a list. Whoever runs the world answers a visit ([`World::answer`]), and what the visitor then
//! does (looks at some places and not at others, clicks, buys, hides, goes on or leaves) comes as
//! events and changes what is asked for next.
//!
//! ```text
//! next_moment ──▶ Event ──▶ whoever learns from it
//!      ▲     └──▶ Visit ──▶ whoever makes lists ──answer──┐
//!      └──────────────────────────────────────────────────┘
//! ```
//!
//! A visitor has a taste in categories, styles and brands that drifts, and a price that they are
//! used to; in a session they want something in particular, which what they look at and buy
//! changes. Products have a style that their title says in part, an appeal that it does not, prices
//! that are reduced at times, a margin, and a stock that runs out and comes back; new ones come
//! daily. The module `choice` has the formula. Of a visit that waits, all chances are known
//! ([`World::chances`]), and so is the best list ([`World::best`]).
//!
//! Without anybody to answer, lists are dressed by what is popular and some by chance
//! ([`World::dressed`]).
//!
//! Invariants: the same parameters, seed and answers give the same bytes; who comes when, wanting
//! what, what is new and what is reduced do not depend on answers. After the last day nothing new
//! begins; sessions end and ratings follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Currency, Diagnostic, Event, Money, Seed, Time, Value};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::account::Account;
use super::layout::{EventTypes, Layout};

mod answer;
mod choice;
mod dressing;
mod event_types;
mod goods;
mod parameters;
mod session;
mod simulate;
mod trade;
mod truth;
mod visitors;

pub use answer::{AnswerError, Outcome};
pub use choice::Chance;
pub use event_types::event_types;
pub use parameters::{
    Buying, Category, Examination, Goods as GoodsParameters, Hides, Interest, Parameters, Sessions,
    Visitors, WindowDressing,
};
pub use simulate::{Summary, simulate};
pub use truth::{Aim, Expected};

use dressing::Popularity;
pub(super) use event_types::KINDS;
use event_types::Kind;
use goods::Goods;
use session::Session;
use visitors::Visitor;

const DAY_MS: i64 = 86_400_000;

/// Something that comes next.
#[derive(Clone, Debug)]
pub enum Moment {
    /// Something became known.
    Event(Event),
    /// A visitor asks for a list, and waits for [`World::answer`].
    Visit(Visit),
}

/// A visitor who asks for a list: what a shop knows of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// When.
    pub at: Time,
    /// The session.
    pub session: Arc<str>,
    /// The customer, where they are signed in.
    pub customer: Option<Arc<str>>,
    /// Where they are.
    pub region: Arc<str>,
    /// `desktop` or `phone`.
    pub device: &'static str,
    /// How many products the list shows.
    pub places: usize,
    /// Which list of the session it is, from 1.
    pub number: u32,
}

/// The world. See the module's documentation.
#[derive(Clone, Debug)]
pub struct World {
    parameters: Parameters,
    seed: Seed,
    layout: Layout,
    regions: Vec<Arc<str>>,
    goods: Goods,
    visitors: Vec<Visitor>,
    popularity: Popularity,
    /// What is to come, by time and then in the order in which it was planned.
    planned: BTreeMap<(i64, u64), Planned>,
    plans: u64,
    /// How many events of each kind there were, for their ids.
    told: [u64; KINDS.len()],
    sessions: u64,
    lists: u64,
    /// Who waits for a list, and since when.
    waiting: Option<(Box<Session>, i64)>,
}

/// What is to come.
#[derive(Clone, Debug)]
enum Planned {
    /// A day begins.
    Day,
    /// A visitor comes.
    Arrival(usize),
    /// A visitor asks for a list.
    Request(Box<Session>),
    /// Something becomes known.
    Event(Box<Event>),
    /// A product is new.
    Launch,
    /// A product comes back.
    Restock(usize),
    /// A product is no longer reduced.
    FullPrice(usize),
}

impl World {
    /// The world of these parameters, in its own event types.
    ///
    /// # Errors
    /// Every value that makes no world, at once.
    pub fn new(parameters: Parameters, seed: Seed) -> Result<World, Vec<Diagnostic>> {
        World::with_types(parameters, seed, &event_types())
    }

    /// The world of these parameters, told in the event types that a use case declares.
    ///
    /// # Errors
    /// Every value that makes no world, and every declared field that the world cannot fill.
    pub fn with_types(
        parameters: Parameters,
        seed: Seed,
        types: &EventTypes,
    ) -> Result<World, Vec<Diagnostic>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed.derive("storefront accounts").0);
        let accounts = visitors::accounts(&parameters, &mut random);
        World::among(&accounts, parameters, seed, types)
    }

    /// The same, with customers who have an account already: `customers` of the parameters is
    /// then as many as there are.
    ///
    /// # Errors
    /// As [`World::with_types`].
    pub fn among(
        accounts: &[Account],
        mut parameters: Parameters,
        seed: Seed,
        types: &EventTypes,
    ) -> Result<World, Vec<Diagnostic>> {
        parameters.customers = accounts.len() as u32;
        let mut problems = parameters.problems("");
        let layout = Layout::new(&KINDS, types)
            .map_err(|misfits| problems.extend(misfits))
            .ok();
        let (true, Some(layout)) = (problems.is_empty(), layout) else {
            return Err(problems);
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed.derive("storefront goods").0);
        let goods = Goods::new(&parameters.categories, &parameters.goods, &mut random);
        let mut random = ChaCha8Rng::seed_from_u64(seed.derive("storefront people").0);
        let visitors = visitors::settle(accounts, &parameters, &goods, &mut random);
        let mut world = World {
            regions: parameters
                .regions
                .keys()
                .map(|r| r.as_str().into())
                .collect(),
            popularity: Popularity::new(&parameters.window_dressing),
            layout,
            goods,
            visitors,
            planned: BTreeMap::new(),
            plans: 0,
            told: [0; KINDS.len()],
            sessions: 0,
            lists: 0,
            waiting: None,
            parameters,
            seed,
        };
        world.open();
        Ok(world)
    }

    /// The parameters that it was made of.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How many lists will be asked for, roughly: for a progress bar.
    pub fn lists_expected(&self) -> u64 {
        let (visitors, sessions) = (&self.parameters.visitors, &self.parameters.sessions);
        let here = visitors.came_before + (1.0 - visitors.came_before) / 2.0;
        let days = f64::from(self.parameters.customers) * here * f64::from(self.parameters.days);
        (days * visitors.sessions_a_week / 7.0 / (1.0 - sessions.stays).max(0.1)) as u64
    }

    /// What comes next; nothing once the world is over. A visit that was not answered is shown
    /// nothing.
    pub fn next_moment(&mut self) -> Option<Moment> {
        if self.waiting.is_some() {
            self.show(&[], "");
        }
        loop {
            let ((at_ms, _), next) = self.planned.pop_first()?;
            match next {
                Planned::Event(event) => return Some(Moment::Event(*event)),
                Planned::Request(session) => {
                    let visit = self.visit(&session, at_ms);
                    self.waiting = Some((session, at_ms));
                    self.lists += 1;
                    return Some(Moment::Visit(visit));
                }
                Planned::Day => self.begin_day(at_ms),
                Planned::Arrival(who) => self.arrive(who, at_ms),
                Planned::Launch => self.launch(at_ms, at_ms),
                Planned::Restock(product) => self.restock(product, at_ms),
                Planned::FullPrice(product) => self.set_price(product, 0.0, at_ms),
            }
        }
    }

    /// The next event, lists being dressed where one is asked for.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        loop {
            match self.next_moment()? {
                Moment::Event(event) => return Some(event),
                Moment::Visit(_) => {
                    let (list, name) = (self.dressed_numbers(), self.list_name());
                    self.show(&list, &name);
                }
            }
        }
    }

    fn start_ms(&self) -> i64 {
        self.parameters.start().0
    }

    fn day(&self, at_ms: i64) -> i64 {
        (at_ms - self.start_ms()).div_euclid(DAY_MS)
    }

    /// Chance of one purpose, which no other purpose can shift.
    fn random(&self, purpose: &str) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed.derive(purpose).0)
    }

    fn plan(&mut self, at_ms: i64, what: Planned) {
        self.plans += 1;
        self.planned.insert((at_ms, self.plans), what);
    }

    fn tell(&mut self, kind: Kind, at_ms: i64, values: &mut [Value]) {
        self.told[kind as usize] += 1;
        let number = self.told[kind as usize];
        let id = match kind {
            Kind::Feedback => format!("f{number:09}"),
            Kind::Product => format!("g{number:08}"),
        };
        let event = self
            .layout
            .event(kind as usize, id.into(), Time(at_ms), values);
        if let Some(event) = event {
            self.plan(at_ms, Planned::Event(Box::new(event)));
        }
    }

    /// The name of a list that its maker gave none.
    fn list_name(&self) -> String {
        format!("l{:08}", self.lists)
    }

    fn pounds(pence: i64) -> Value {
        Value::Money(Money::new(pence, Currency::GBP))
    }
}

#[cfg(test)]
mod tests;
