//! Visitors: what each of them is like, and what the world remembers of them.

use std::collections::BTreeSet;

use acumen_base::Time;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};

use super::DAY_MS;
use super::goods::{Goods, Style, normal, style};
use super::parameters::{Parameters, Visitors};
use crate::world::account::Account;
use crate::world::chance::pick;

/// Customers came in as many days before the start, where they did.
const BEFORE_DAYS: f64 = 730.0;

/// A visitor: a customer, whether they sign in or not.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) opened_at: Time,
    pub(crate) region: usize,
    /// Sessions a day.
    pub(crate) rate: f64,
    pub(crate) taste: Style,
    /// The day up to which the taste has drifted.
    drifted: i64,
    /// Of each category, how much more it is wanted (log scale), the region's share included.
    pub(crate) categories: Vec<f32>,
    pub(crate) brands: Vec<usize>,
    /// The price that they are used to, against the median (log scale).
    pub(crate) level: f64,
    /// How much a price above that keeps from buying.
    pub(crate) thrift: f64,
    pub(crate) bought: Vec<Bought>,
    pub(crate) hidden: BTreeSet<usize>,
    pub(crate) unfinished: Option<Wanted>,
}

/// A purchase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bought {
    pub(crate) product: usize,
    pub(crate) at_ms: i64,
}

/// What is wanted at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) kind: usize,
    pub(crate) style: Style,
    /// Since when.
    pub(crate) at_ms: i64,
}

/// Accounts of a storefront that has its customers to itself.
pub(crate) fn accounts(parameters: &Parameters, random: &mut ChaCha8Rng) -> Vec<Account> {
    let start = parameters.start().0;
    let account = |_| {
        let days = match random.random::<f64>() < parameters.visitors.came_before {
            true => -random.random::<f64>() * BEFORE_DAYS,
            false => random.random::<f64>() * f64::from(parameters.days),
        };
        Account {
            opened_at: Time(start + (days * DAY_MS as f64) as i64),
            verification: random.random_range(0..3),
        }
    };
    (0..parameters.customers).map(account).collect()
}

/// All visitors.
pub(crate) fn settle(
    accounts: &[Account],
    parameters: &Parameters,
    goods: &Goods,
    random: &mut ChaCha8Rng,
) -> Vec<Visitor> {
    let spread = parameters.visitors.region_spread;
    let line = |random: &mut ChaCha8Rng, spread: f64| -> Vec<f32> {
        let each = 0..goods.categories.len();
        each.map(|_| (spread * normal(random)) as f32).collect()
    };
    let regions: Vec<Vec<f32>> = parameters
        .regions
        .iter()
        .map(|_| line(random, spread))
        .collect();
    let mut visitors = Vec::with_capacity(accounts.len());
    for account in accounts {
        let region = pick(parameters.regions.values().copied(), random);
        let mut categories = line(random, parameters.visitors.category_spread);
        let shared = categories.iter_mut().zip(&regions[region]);
        shared.for_each(|(own, region)| *own += region);
        visitors.push(draw(
            *account,
            (region, categories),
            (&parameters.visitors, goods.brands()),
            random,
        ));
    }
    visitors
}

fn draw(
    account: Account,
    (region, categories): (usize, Vec<f32>),
    (parameters, brands): (&Visitors, usize),
    random: &mut ChaCha8Rng,
) -> Visitor {
    let uneven = Gamma::new(parameters.sessions_shape, 1.0 / parameters.sessions_shape)
        .map_or(1.0, |gamma| gamma.sample(random));
    let favourites = 0..parameters.favourite_brands;
    Visitor {
        opened_at: account.opened_at,
        region,
        rate: parameters.sessions_a_week / 7.0 * uneven,
        taste: style(random),
        drifted: 0,
        categories,
        brands: favourites.map(|_| random.random_range(0..brands)).collect(),
        level: parameters.level_spread * normal(random),
        thrift: parameters.thrift[0] * (parameters.thrift[1] * normal(random)).exp(),
        bought: Vec::new(),
        hidden: BTreeSet::new(),
        unfinished: None,
    }
}

impl Visitor {
    /// Lets the taste drift to a day: a walk that keeps its variance.
    pub(crate) fn drift(&mut self, day: i64, days: f64, random: &mut ChaCha8Rng) {
        let kept = (-((day - self.drifted) as f64) / days).exp();
        let new = (1.0 - kept * kept).max(0.0).sqrt();
        for taste in &mut self.taste {
            *taste = (kept * f64::from(*taste) + new * normal(random)) as f32;
        }
        self.drifted = day;
    }

    /// The last purchase, where it is not longer ago.
    pub(crate) fn last_purchase(&self, now_ms: i64, days: f64) -> Option<Bought> {
        let last = self.bought.last().copied();
        last.filter(|bought| (now_ms - bought.at_ms) as f64 <= days * DAY_MS as f64)
    }
}
