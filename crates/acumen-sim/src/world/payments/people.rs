//! Customers with their homes, cards and devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::Time;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::city::{CITIES, HOMES, Point, near};
use super::episode::Episode;
use super::parameters::Parameters;
use crate::world::account;

pub(crate) const DAY_MS: i64 = 86_400_000;

/// A device as a browser shows it. Its version rises every six weeks or so.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) id: Arc<str>,
    pub(crate) browser: usize,
    version: i64,
    phase: i64,
    pub(crate) system: usize,
    pub(crate) screen: usize,
    pub(crate) timezone: &'static str,
}

pub(crate) const BROWSERS: [&str; 4] = ["Chrome", "Safari", "Firefox", "Edge"];
pub(crate) const SYSTEMS: [&str; 5] = ["Windows 11", "macOS 15", "iOS 18", "Android 15", "Linux"];
pub(crate) const SCREENS: [&str; 6] = [
    "1920x1080",
    "1440x900",
    "390x844",
    "412x915",
    "2560x1440",
    "1366x768",
];
/// Versions that browsers have over the longest world.
pub(crate) const VERSIONS: i64 = 128;
const UPGRADE_DAYS: i64 = 42;

impl Device {
    pub(crate) fn new(number: u64, timezone: &'static str, random: &mut ChaCha8Rng) -> Device {
        Device {
            id: format!("d{number:07}").into(),
            browser: random.random_range(0..BROWSERS.len()),
            version: random.random_range(118..122),
            phase: random.random_range(0..UPGRADE_DAYS),
            system: random.random_range(0..SYSTEMS.len()),
            screen: random.random_range(0..SCREENS.len()),
            timezone,
        }
    }

    /// The browser's version on a day: the one component that upgrades change.
    pub(crate) fn version(&self, day: i64) -> i64 {
        (self.version + (day + self.phase) / UPGRADE_DAYS).rem_euclid(VERSIONS)
    }
}

/// With whom a customer shares a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Alone,
    /// A household of this size.
    Household(u32),
    /// A farm of this many synthetic identities.
    Farm(u32),
}

/// A customer, and what the world must remember of them.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) id: Arc<str>,
    pub(crate) city: usize,
    pub(crate) home: Point,
    pub(crate) work: Point,
    /// What they spend against the median customer (log scale).
    pub(crate) level: f64,
    pub(crate) payments_per_day: f64,
    pub(crate) typing: f64,
    pub(crate) typing_deviation: f64,
    pub(crate) cards: Vec<Arc<str>>,
    pub(crate) devices: Vec<Device>,
    pub(crate) favourite: usize,
    pub(crate) group: Group,
    pub(crate) opened_at: Time,
    /// The first day on which they pay, 0 for who was there before.
    pub(crate) joins: i64,
    pub(crate) verification: usize,
    /// Where they truly were at their last payment.
    pub(crate) last: Option<(Point, i64)>,
    /// The card that leaked and the days on which it may be abused.
    pub(crate) leaked: Option<(usize, i64, i64)>,
    pub(crate) episode: Option<Episode>,
    pub(crate) closed: bool,
}

/// Draws an index by cumulative shares.
pub(crate) fn pick(cumulative: &[f64], random: &mut ChaCha8Rng) -> usize {
    let at = random.random::<f64>() * cumulative.last().copied().unwrap_or(1.0);
    cumulative
        .iter()
        .position(|&c| at < c)
        .unwrap_or(cumulative.len() - 1)
}

fn pick_size(sizes: &BTreeMap<u32, f64>, random: &mut ChaCha8Rng) -> u32 {
    let total: f64 = sizes.values().sum();
    let mut at = random.random::<f64>() * total;
    for (&size, &weight) in sizes {
        at -= weight;
        if at < 0.0 {
            return size;
        }
    }
    sizes.keys().next_back().copied().unwrap_or(1)
}

/// The share of all members of groups that are in groups of this size.
pub(crate) fn member_share(sizes: &BTreeMap<u32, f64>, size: u32) -> f64 {
    let members = |(size, weight): (&u32, &f64)| f64::from(*size) * weight;
    let total: f64 = sizes.iter().map(members).sum();
    sizes
        .get(&size)
        .map_or(0.0, |w| members((&size, w)) / total)
}

/// The people of the world.
pub(crate) struct People<'a> {
    parameters: &'a Parameters,
    random: &'a mut ChaCha8Rng,
    customers: Vec<Customer>,
    devices: u64,
    cards: u64,
}

impl<'a> People<'a> {
    /// All customers, and how many devices they have.
    pub(crate) fn settle(
        parameters: &'a Parameters,
        random: &'a mut ChaCha8Rng,
    ) -> (Vec<Customer>, u64) {
        let mut people = People {
            parameters,
            random,
            customers: Vec::with_capacity(parameters.customers as usize),
            devices: 0,
            cards: 0,
        };
        let all = parameters.customers as usize;
        let farmed = (all as f64 * parameters.people.synthetic).round() as usize;
        let housed = (all as f64 * parameters.people.households).round() as usize;
        while people.customers.len() < farmed {
            let size = pick_size(&parameters.people.farm_sizes, people.random);
            people.group(Group::Farm(size), size, all);
        }
        while people.customers.len() < farmed + housed {
            let size = pick_size(&parameters.people.household_sizes, people.random);
            people.group(Group::Household(size), size, all);
        }
        while people.customers.len() < all {
            people.group(Group::Alone, 1, all);
        }
        (people.customers, people.devices)
    }

    fn group(&mut self, group: Group, size: u32, all: usize) {
        let city = self.random.random_range(0..HOMES);
        let home = near(CITIES[city].at, 12.0, self.random);
        let shared = self.device(city);
        for _ in 0..size {
            if self.customers.len() == all {
                return;
            }
            let mut customer = self.customer(group, city, home);
            if group != Group::Alone {
                customer.devices.insert(0, shared.clone());
                customer.devices.truncate(3);
            }
            if matches!(group, Group::Farm(_)) {
                customer.devices.truncate(1);
            }
            self.customers.push(customer);
        }
    }

    fn device(&mut self, city: usize) -> Device {
        self.devices += 1;
        Device::new(self.devices, CITIES[city].timezone, self.random)
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(self.random)
    }

    fn customer(&mut self, group: Group, city: usize, home: Point) -> Customer {
        let people = &self.parameters.people;
        let synthetic = matches!(group, Group::Farm(_));
        let home = match group {
            Group::Farm(_) => near(CITIES[city].at, 14.0, self.random),
            _ => home,
        };
        let days = f64::from(self.parameters.days);
        let start = self.parameters.start();
        let joins = if synthetic {
            (self.random.random::<f64>() * 0.8 * days) as i64
        } else if self.random.random::<f64>() < people.joins {
            (self.random.random::<f64>() * days) as i64
        } else {
            0
        };
        let opened_at = if joins > 0 || synthetic {
            Time(start.0 + joins * DAY_MS + self.random.random_range(0..6 * 3_600_000))
        } else {
            let years: f64 = Exp1.sample(self.random);
            Time((start.0 - (years * 3.0 * 365.0 * DAY_MS as f64) as i64).max(0))
        };
        let number = self.customers.len();
        let cards = 1 + pick(&[0.5, 0.85, 1.0], self.random);
        let cards = (0..cards).map(|_| {
            self.cards += 1;
            Arc::from(format!("k{:07}", self.cards))
        });
        let cards = cards.collect();
        let devices = 1 + pick(&[0.45, 0.85, 1.0], self.random);
        let verification: &[f64] = if synthetic {
            &[0.5, 1.0]
        } else {
            &[0.25, 0.8, 1.0]
        };
        Customer {
            id: account::id(number).into(),
            city,
            home,
            work: near(CITIES[city].at, 8.0, self.random),
            level: people.level_spread * self.normal(),
            payments_per_day: people.payments_per_day
                * (people.payments_spread * self.normal()).exp(),
            typing: 5.0 + 1.2 * self.normal().clamp(-2.5, 2.5),
            typing_deviation: 0.35,
            cards,
            devices: (0..devices).map(|_| self.device(city)).collect(),
            favourite: self.random.random_range(0..10_000),
            group,
            opened_at,
            joins,
            verification: pick(verification, self.random),
            last: None,
            leaked: None,
            episode: None,
            closed: false,
        }
    }
}
