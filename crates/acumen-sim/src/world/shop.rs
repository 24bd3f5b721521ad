//! Customers of a shop over some years, whose future value is known.
//!
//! Turns [`Parameters`] and a seed into events in the order in which they become known: orders (of
//! guests, too), refunds, sessions, e-mails, tickets, subscriptions, customers' profiles and
//! exchange rates. A customer orders at a rate of their own on a clock that follows the season
//! (the private module `season`), and may leave after any order. So what a customer will be worth
//! has an exact expectation: with rate `λ`, chance to leave `p` and a clock that advances by `C`,
//! `(1 − exp(−pλC)) / p` orders, each worth its mean net of what will be refunded. Everything else
//! that is seen of a customer (sessions, opened e-mails, tickets, plans, the channel they came by)
//! tells something of `λ` and `p` and changes neither.
//!
//! The customers are those of the payments world where [`World::among`] is given its accounts:
//! the same ids, opened at the same time. With the same start, seed and `rate_drift` the exchange
//! rates are the same events as well, under the same ids, so that a log takes them once.
//!
//! Invariants: the same parameters and seed give the same bytes; kinds of event that nobody
//! declared change nothing of the others; memory grows with the customers (about 100 bytes each)
//! and not with the days. After the last day the outstanding refunds, tickets and so on follow.

use std::sync::Arc;

use acumen_base::{Currency, Diagnostic, Event, Seed, Time, Value};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use super::account::{self, Account, LEVELS};
use super::agenda::Agenda;
use super::layout::{EventTypes, Layout};
use super::payments::Rates;

mod contacts;
mod customers;
mod event_types;
mod orders;
mod parameters;
mod season;
mod simulate;
mod truth;

pub use event_types::event_types;
pub use parameters::{Category, Channel, Contacts, Orders, Parameters, People, Season, TruthOf};
pub use simulate::{Summary, simulate};
pub use truth::{Oracle, Truth};

use customers::{Customer, Due};
pub(super) use event_types::KINDS;
use event_types::Kind;
use season::Clock;
use truth::Origin;

const DAY_MS: i64 = 86_400_000;

/// The world: an iterator of events ordered by `known_at`.
#[derive(Debug)]
pub struct World {
    parameters: Parameters,
    seed: Seed,
    layout: Layout,
    clock: Clock,
    names: Names,
    customers: Vec<Customer>,
    due: Due,
    origins: Vec<Origin>,
    rates: Rates,
    euros: Currency,
    /// How many events of each kind there were, for their ids.
    told: [u64; KINDS.len()],
    day: i64,
    /// What is known to happen, by day.
    agenda: Agenda<Event>,
}

/// Texts that many events share.
#[derive(Debug)]
struct Names {
    categories: Vec<Arc<str>>,
    methods: [Arc<str>; 3],
    channels: [Arc<str>; 2],
    levels: [Arc<str>; 3],
    topics: [Arc<str>; 4],
    plans: [Arc<str>; 3],
    kinds: [Arc<str>; 3],
}

impl Names {
    fn new(parameters: &Parameters) -> Names {
        let categories = parameters.categories.keys();
        Names {
            categories: categories.map(|name| name.as_str().into()).collect(),
            methods: ["card", "wallet", "invoice"].map(Arc::from),
            channels: ["web", "app"].map(Arc::from),
            levels: LEVELS.map(Arc::from),
            topics: ["delivery", "return", "product", "invoice"].map(Arc::from),
            plans: ["none", "plus", "premium"].map(Arc::from),
            kinds: ["sent", "opened", "clicked"].map(Arc::from),
        }
    }
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
        let mut random = ChaCha8Rng::seed_from_u64(seed.derive("shop accounts").0);
        let accounts = customers::accounts(&parameters, &mut random);
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
        let clock = Clock::new(&parameters.season, parameters.start(), parameters.days);
        let mut random = ChaCha8Rng::seed_from_u64(seed.derive("shop people").0);
        let mut due = Due::new(parameters.days);
        let customers = customers::settle(accounts, &parameters, &clock, &mut due, &mut random);
        let origins = parameters.origins().into_iter().map(Origin::at).collect();
        Ok(World {
            layout,
            clock,
            names: Names::new(&parameters),
            customers,
            due,
            origins,
            rates: Rates::open(),
            euros: "EUR".parse().expect("the code stands in ISO 4217"),
            told: [0; KINDS.len()],
            day: 0,
            agenda: Agenda::new(),
            parameters,
            seed,
        })
    }

    /// The parameters that it was made of.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How many orders this world will have, roughly: for a progress bar.
    pub fn orders_expected(&self) -> u64 {
        let years = f64::from(self.parameters.days) / 365.0;
        let people = &self.parameters.people;
        let [a, b] = people.leaves;
        let stays = (1.0 + b / a).min(people.orders_per_year * years);
        (f64::from(self.parameters.customers) * (1.0 + stays / 2.0)) as u64
    }

    fn start_ms(&self) -> i64 {
        self.parameters.start().0
    }

    /// Chance of one purpose on this day, which no other purpose can shift.
    fn random(&self, purpose: &str) -> ChaCha8Rng {
        let name = format!("day {}{purpose}", self.day);
        ChaCha8Rng::seed_from_u64(self.seed.derive(&name).0)
    }

    /// When something that comes at this rate by the clock comes next, after a moment of today.
    fn next_turn(&self, ms: u32, rate: f64, random: &mut ChaCha8Rng) -> (i64, u32) {
        let wait: f64 = Exp1.sample(random);
        let share = f64::from(ms) / DAY_MS as f64;
        let shown = self.clock.at(self.day, share) + wait / rate;
        let (day, at) = customers::turn(&self.clock, shown, random);
        if day == self.day && at <= ms {
            (day, random.random_range(ms..DAY_MS as u32))
        } else {
            (day, at)
        }
    }

    /// The number of the next event of a kind.
    fn number(&mut self, kind: Kind) -> u64 {
        self.told[kind as usize] += 1;
        self.told[kind as usize]
    }

    fn customer_id(who: u32) -> Value {
        Value::Text(account::id(who as usize).into())
    }

    fn plan(&mut self, kind: Kind, id: String, at_ms: i64, values: &mut [Value]) {
        let event = self
            .layout
            .event(kind as usize, id.into(), Time(at_ms), values);
        if let Some(event) = event {
            let day = (at_ms - self.start_ms()).div_euclid(DAY_MS).max(self.day);
            self.agenda.plan(day, at_ms, event);
        }
    }

    /// Rates and new customers of the day.
    fn announce(&mut self) {
        let midnight = self.start_ms() + self.day * DAY_MS;
        let mut random = self.random("");
        self.rates.drift(self.parameters.rate_drift, &mut random);
        for (code, _, rate) in self.rates.list.clone() {
            let rounded = (rate * 1e6).round() / 1e6;
            let mut values = [Value::Text(code.clone()), Value::Number(rounded)];
            let id = format!("r{}{code}", self.day);
            self.plan(Kind::ExchangeRate, id, midnight, &mut values);
        }
        for (who, _) in self.due.accounts.take(self.day) {
            let known = self.customers[who as usize].account;
            let mut values = [
                World::customer_id(who),
                Value::Time(known.opened_at),
                Value::Text(self.names.levels[usize::from(known.verification)].clone()),
            ];
            let id = format!("v{:07}", self.number(Kind::CustomerProfile));
            let at = known.opened_at.0.max(midnight);
            self.plan(Kind::CustomerProfile, id, at, &mut values);
        }
    }

    /// Lives one day; `false` where the world is over.
    fn advance(&mut self) -> bool {
        if self.day < i64::from(self.parameters.days) {
            self.announce();
            self.foresee();
            self.take_orders();
            if self.layout.tells(Kind::Session as usize) {
                self.visit();
            }
            if self.layout.tells(Kind::Email as usize) {
                self.write_emails();
            }
        } else if self.agenda.is_empty() {
            return false;
        }
        self.agenda.begin(self.day);
        self.day += 1;
        true
    }
}

impl Iterator for World {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let next = self.agenda.next();
            if next.is_some() || !self.advance() {
                return next;
            }
        }
    }
}

#[cfg(test)]
mod tests;
