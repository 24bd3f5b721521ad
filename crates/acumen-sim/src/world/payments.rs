//! Payments of some thousand customers over a year, with fraud whose truth is known.
//!
//! Turns [`Parameters`] and a seed into [`Happening`]s in the order in which they become known:
//! payments, chargebacks, customers' profiles and exchange rates. Customers have homes, work, trips,
//! habits, cards and devices; fraud comes in episodes of five families, each with a genuine
//! look-alike that is drawn from the same densities with other parameters, so that
//! what can be known of a payment is known exactly (the oracle: Bayes' rule over everything that
//! an episode has shown up to a payment).
//!
//! Invariants: the same parameters and seed give the same bytes; genuine payments of one customer
//! never outrun an airliner once the accuracy of both places is taken off; every fraud has its
//! truth; a chargeback comes at least `chargeback.days[0]` after its payment. Only a day is held
//! in memory, and the chargebacks to come. After the last day the outstanding chargebacks follow.
//!
//! How hard the frozen parameters (`usecases/fraud/world.yaml`) are, with 2,500 customers and
//! seed 7, as recall at 95 % precision on the last fifth of the year: logistic regression on the
//! raw event 0.001, the best single rule 0.151, XGBoost with streaming features 0.794, the oracle
//! 0.976. `python peers/world_baselines.py EVENTS TRUTH` repeats them from what [`simulate`] wrote.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Diagnostic, Event, Seed, Time, Value};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::account::{Account, LEVELS};
use super::agenda::Agenda;
use super::layout::{EventTypes, Layout};

mod city;
mod day;
mod episode;
mod event_types;
mod market;
mod oracle;
mod parameters;
mod payment;
mod people;
mod simulate;

pub use city::least_speed;
pub use event_types::event_types;
pub use parameters::{
    Category, Chargeback, Families, Family, Parameters, People, PlaceNoise, Profile, cities,
};
pub use simulate::{Summary, simulate};

pub(super) use event_types::KINDS;
use event_types::Kind;
use market::Market;
pub(crate) use market::Rates;
use oracle::{Side, When};
use people::{BROWSERS, Customer, DAY_MS, Group, SCREENS, SYSTEMS, VERSIONS};

/// Something that happened in the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// The event, as it became known.
    pub event: Event,
    /// What it truly was; payments only.
    pub truth: Option<Truth>,
}

/// What a payment truly was.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Whether it was fraud.
    pub fraud: bool,
    /// The story that it belongs to, such as `account_takeover` or `trip`.
    pub scenario: Arc<str>,
    /// The probability of fraud for one who knows the world (not the future).
    pub oracle: f64,
}

/// The world: an iterator of [`Happening`]s ordered by `known_at`.
#[derive(Debug)]
pub struct World {
    parameters: Parameters,
    seed: Seed,
    layout: Layout,
    names: Names,
    ordinary: Side,
    /// Fraud and look-alike of each family.
    sides: Vec<[Side; 2]>,
    median: Vec<f64>,
    online: Vec<f64>,
    customers: Vec<Customer>,
    market: Market,
    rates: Rates,
    devices: u64,
    pools: [Vec<people::Device>; 2],
    payments: u64,
    profiles: u64,
    day: i64,
    /// The day's random numbers.
    random: ChaCha8Rng,
    /// What is known to happen, by day.
    agenda: Agenda<Happening>,
}

/// Texts that many events share.
#[derive(Debug)]
struct Names {
    categories: Vec<Arc<str>>,
    channels: [Arc<str>; 3],
    methods: [Arc<str>; 3],
    levels: [Arc<str>; 3],
    browsers: Vec<Vec<Arc<str>>>,
    systems: [Arc<str>; 5],
    screens: [Arc<str>; 6],
    timezones: BTreeMap<&'static str, Arc<str>>,
    ordinary: Arc<str>,
    ramping: Arc<str>,
    friendly: Arc<str>,
    scenarios: Vec<[Arc<str>; 2]>,
}

impl Names {
    fn new(parameters: &Parameters) -> Names {
        let browser = |name: &&str| {
            (0..VERSIONS)
                .map(|v| format!("{name} {v}").into())
                .collect()
        };
        let scenario = |(_, family): (&str, &Family)| {
            [&family.fraud, &family.genuine].map(|p| Arc::from(p.scenario.as_str()))
        };
        Names {
            categories: parameters
                .categories
                .keys()
                .map(|c| c.as_str().into())
                .collect(),
            channels: ["pos", "ecommerce", "atm"].map(Arc::from),
            methods: ["card", "wallet", "chip_and_pin"].map(Arc::from),
            levels: LEVELS.map(Arc::from),
            browsers: BROWSERS.iter().map(browser).collect(),
            systems: SYSTEMS.map(Arc::from),
            screens: SCREENS.map(Arc::from),
            timezones: city::CITIES
                .iter()
                .map(|c| (c.timezone, c.timezone.into()))
                .collect(),
            ordinary: parameters.ordinary.scenario.as_str().into(),
            ramping: "ramping".into(),
            friendly: "friendly_fraud".into(),
            scenarios: parameters
                .families
                .named()
                .into_iter()
                .map(scenario)
                .collect(),
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
        let mut problems = parameters.problems("");
        let layout = Layout::new(&KINDS, types)
            .map_err(|misfits| problems.extend(misfits))
            .ok();
        let (true, Some(layout)) = (problems.is_empty(), layout) else {
            return Err(problems);
        };
        let random = |name: &str| ChaCha8Rng::seed_from_u64(seed.derive(name).0);
        let (customers, devices) = people::People::settle(&parameters, &mut random("people"));
        let side = |profile: &Profile| Side::new(profile, &parameters);
        let families = parameters.families.named();
        Ok(World {
            layout,
            names: Names::new(&parameters),
            ordinary: side(&parameters.ordinary),
            sides: families
                .map(|(_, f)| [side(&f.fraud), side(&f.genuine)])
                .into(),
            median: parameters
                .categories
                .values()
                .map(|c| c.median.ln())
                .collect(),
            online: parameters.categories.values().map(|c| c.online).collect(),
            customers,
            market: Market::open(&parameters, seed, &mut random("market")),
            rates: Rates::open(),
            devices,
            pools: [Vec::new(), Vec::new()],
            payments: 0,
            profiles: 0,
            day: 0,
            random: random("day 0"),
            agenda: Agenda::new(),
            parameters,
            seed,
        })
    }

    /// How many payments this world will have, roughly: for a progress bar.
    pub fn payments_expected(&self) -> u64 {
        let people = &self.parameters.people;
        let spread = (people.payments_spread * people.payments_spread / 2.0).exp();
        let present = 1.0 - (people.joins + people.synthetic) / 2.0;
        let days = f64::from(self.parameters.days) * f64::from(self.parameters.customers);
        (people.payments_per_day * spread * present * days * 1.05) as u64
    }

    /// The parameters that it was made of.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The customers' accounts, for another world of the same people.
    pub fn accounts(&self) -> Vec<Account> {
        let account = |who: &Customer| Account {
            opened_at: who.opened_at,
            verification: who.verification as u8,
        };
        self.customers.iter().map(account).collect()
    }

    fn start_ms(&self) -> i64 {
        self.parameters.start().0
    }

    fn when(&self) -> When {
        let first = self.start_ms() + self.day * DAY_MS;
        // Days of the year, near enough: presents are bought in the five weeks to 24 December.
        let of_year = Time(first).day().rem_euclid(365);
        let christmas = 365 - 8 + Time(first).day().div_euclid(1_461) % 2;
        let progress = self.day as f64 / f64::from(self.parameters.days);
        When {
            progress,
            presents: (0..35).contains(&(christmas - of_year + 13)),
        }
    }

    fn plan(
        &mut self,
        kind: Kind,
        id: String,
        at_ms: i64,
        values: &mut [Value],
        truth: Option<Truth>,
    ) {
        let event = self
            .layout
            .event(kind as usize, id.into(), Time(at_ms), values);
        if let Some(event) = event {
            let day = (at_ms - self.start_ms()).div_euclid(DAY_MS).max(self.day);
            let happening = Happening { event, truth };
            self.agenda.plan(day, at_ms, happening);
        }
    }

    fn profile(&mut self, customer: usize, at_ms: i64) {
        self.profiles += 1;
        let who = &self.customers[customer];
        let mut values = [
            Value::Text(who.id.clone()),
            Value::Time(who.opened_at),
            Value::Text(self.names.levels[who.verification].clone()),
        ];
        let id = format!("v{:07}", self.profiles);
        self.plan(Kind::CustomerProfile, id, at_ms, &mut values, None);
    }

    /// Rates, new customers and verifications of the day.
    fn announce(&mut self) {
        let midnight = self.start_ms() + self.day * DAY_MS;
        self.rates
            .drift(self.parameters.rate_drift, &mut self.random);
        for (code, _, rate) in self.rates.list.clone() {
            let rounded = (rate * 1e6).round() / 1e6;
            let mut values = [Value::Text(code.clone()), Value::Number(rounded)];
            let id = format!("r{}{code}", self.day);
            self.plan(Kind::ExchangeRate, id, midnight, &mut values, None);
        }
        for customer in 0..self.customers.len() {
            if self.customers[customer].joins == self.day {
                let opened_at = self.customers[customer].opened_at.0;
                self.profile(customer, opened_at.max(midnight));
            }
        }
        let upgrades = self.customers.len() as f64 * 0.2 / 365.0;
        let whole = upgrades as usize;
        let more = usize::from(self.random.random::<f64>() < upgrades.fract());
        for _ in 0..whole + more {
            let customer = self.random.random_range(0..self.customers.len());
            let who = &mut self.customers[customer];
            if who.joins < self.day && who.verification < 2 && !matches!(who.group, Group::Farm(_))
            {
                who.verification += 1;
                let at = midnight + self.random.random_range(8 * 3_600_000..20 * 3_600_000);
                self.profile(customer, at);
            }
        }
    }

    /// Lives one day; `false` where the world is over.
    fn advance(&mut self) -> bool {
        if self.day < i64::from(self.parameters.days) {
            let name = format!("day {}", self.day);
            self.random = ChaCha8Rng::seed_from_u64(self.seed.derive(&name).0);
            self.announce();
            self.live();
        } else if self.agenda.is_empty() {
            return false;
        }
        self.agenda.begin(self.day);
        self.day += 1;
        true
    }
}

impl Iterator for World {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
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
