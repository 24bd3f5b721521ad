//! Customers: what each of them is like, and what is due of them next.

use acumen_base::Time;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Exp1, Gamma, StandardNormal};

use super::DAY_MS;
use super::parameters::Parameters;
use super::season::{BEFORE_DAYS, Clock};
use crate::world::account::Account;
use crate::world::chance::{moment, pick};

/// A customer. What is drawn once is kept small: there may be a million of them.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) account: Account,
    /// Orders a day of the season's clock.
    pub(crate) rate: f32,
    /// The chance to leave after an order.
    pub(crate) leaves: f32,
    /// By what the value of an order is multiplied.
    pub(crate) value: f32,
    /// The chance that an order goes back.
    pub(crate) returns: f32,
    /// Sessions for each order.
    pub(crate) visits: f32,
    /// The share of e-mails opened.
    pub(crate) opens: f32,
    /// The day of the first order, which may lie before the start.
    pub(crate) joins: i32,
    pub(crate) channel: u8,
    pub(crate) favourite: u8,
    pub(crate) plan: u8,
    pub(crate) euros: bool,
    /// Whether they have not left.
    pub(crate) here: bool,
}

/// For each day, whose turn it is: the customer, and the millisecond of the day.
#[derive(Debug)]
pub(crate) struct Calendar {
    days: Vec<Vec<(u32, u32)>>,
}

impl Calendar {
    fn new(days: u32) -> Calendar {
        Calendar {
            days: vec![Vec::new(); days as usize],
        }
    }

    /// Notes a turn; none after the last day.
    pub(crate) fn note(&mut self, day: i64, who: u32, ms: u32) {
        if let Some(turns) = usize::try_from(day).ok().and_then(|d| self.days.get_mut(d)) {
            turns.push((who, ms));
        }
    }

    /// The turns of a day, which it then no longer has.
    pub(crate) fn take(&mut self, day: i64) -> Vec<(u32, u32)> {
        let turns = usize::try_from(day).ok().and_then(|d| self.days.get_mut(d));
        turns.map(std::mem::take).unwrap_or_default()
    }
}

/// What is due next of every customer.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) accounts: Calendar,
    pub(crate) orders: Calendar,
    pub(crate) sessions: Calendar,
    pub(crate) emails: Calendar,
}

impl Due {
    pub(crate) fn new(days: u32) -> Due {
        Due {
            accounts: Calendar::new(days),
            orders: Calendar::new(days),
            sessions: Calendar::new(days),
            emails: Calendar::new(days),
        }
    }
}

/// A draw from a beta distribution, whose parameters were checked.
fn beta([a, b]: [f64; 2], random: &mut ChaCha8Rng) -> f64 {
    Beta::new(a, b).map_or(a / (a + b), |beta| beta.sample(random))
}

/// Accounts of a shop that has its customers to itself.
pub(crate) fn accounts(parameters: &Parameters, random: &mut ChaCha8Rng) -> Vec<Account> {
    let start = parameters.start();
    let account = |_| {
        let days = if random.random::<f64>() < parameters.people.came_before {
            -random.random::<f64>() * BEFORE_DAYS as f64
        } else {
            random.random::<f64>() * f64::from(parameters.days)
        };
        Account {
            opened_at: Time(start.0 + (days * DAY_MS as f64) as i64),
            verification: pick([0.25, 0.55, 0.2].into_iter(), random) as u8,
        }
    };
    (0..parameters.customers).map(account).collect()
}

/// All customers, with what is due of them first.
pub(crate) fn settle(
    accounts: &[Account],
    parameters: &Parameters,
    clock: &Clock,
    due: &mut Due,
    random: &mut ChaCha8Rng,
) -> Vec<Customer> {
    let first = parameters.start().day();
    let mut customers = Vec::with_capacity(accounts.len());
    for (who, &account) in (0_u32..).zip(accounts) {
        let joins = (account.opened_at.day() - first).max(-BEFORE_DAYS);
        let mut customer = draw(account, joins, parameters, random);
        let ms = account.opened_at.0.rem_euclid(DAY_MS) as u32;
        if joins >= 0 {
            due.orders.note(joins, who, ms);
        } else if let Some(shown) = live_before(&mut customer, clock, random) {
            let (day, ms) = turn(clock, shown, random);
            due.orders.note(day, who, ms);
        }
        let begins = clock.at(joins.max(0), f64::from(ms) / DAY_MS as f64);
        let wait: f64 = Exp1.sample(random);
        let session = begins + wait / f64::from(customer.rate * customer.visits.max(1e-6));
        let (day, ms) = turn(clock, session, random);
        due.sessions.note(day, who, ms);
        due.emails
            .note(joins.max(0) + random.random_range(1..30), who, ms);
        due.accounts.note(joins.max(0), who, ms);
        customers.push(customer);
    }
    customers
}

fn draw(
    account: Account,
    joins: i64,
    parameters: &Parameters,
    random: &mut ChaCha8Rng,
) -> Customer {
    let people = &parameters.people;
    let channel = pick(parameters.channels.values().map(|c| c.weight), random);
    let kind = parameters.channels.values().nth(channel);
    let (orders, leaves, value) = kind.map_or((1.0, 1.0, 1.0), |c| (c.orders, c.leaves, c.value));
    let mean = people.orders_per_year / 365.0;
    let uneven = Gamma::new(people.orders_shape, 1.0 / people.orders_shape)
        .map_or(1.0, |gamma| gamma.sample(random));
    let cohort = (-people.cohort_decline * joins as f64 / 365.0).exp();
    let mut normal = || -> f64 { StandardNormal.sample(random) };
    let (level, curious) = (normal(), normal());
    Customer {
        account,
        // At least one order in a thousand years, so that every rate can be waited for.
        rate: (mean * uneven * orders * cohort).max(1e-6) as f32,
        leaves: (beta(people.leaves, random) * leaves).clamp(1e-4, 0.95) as f32,
        value: ((people.value_spread * level).exp() * value) as f32,
        returns: beta(people.returns, random) as f32,
        visits: (parameters.contacts.sessions_per_order
            * (parameters.contacts.sessions_spread * curious).exp()) as f32,
        opens: beta(parameters.contacts.opens, random) as f32,
        joins: joins as i32,
        channel: channel as u8,
        favourite: random.random_range(0..parameters.categories.len()) as u8,
        plan: 0,
        euros: random.random::<f64>() < people.euros,
        here: true,
    }
}

/// Orders before the start, which nobody is told of; gives what the clock shows at the first
/// one after it, or nothing where the customer leaves before.
fn live_before(customer: &mut Customer, clock: &Clock, random: &mut ChaCha8Rng) -> Option<f64> {
    let start = clock.at(0, 0.0);
    let mut shown = clock.at(i64::from(customer.joins), 0.5);
    while shown < start {
        if random.random::<f32>() < customer.leaves {
            customer.here = false;
            return None;
        }
        let wait: f64 = Exp1.sample(random);
        shown += wait / f64::from(customer.rate);
    }
    Some(shown)
}

/// The day on which the clock shows this, and a moment of it; a day beyond all where it never does.
pub(crate) fn turn(clock: &Clock, shown: f64, random: &mut ChaCha8Rng) -> (i64, u32) {
    let day = clock.when(shown).map_or(i64::MAX, |(day, _)| day);
    (day, moment(random))
}
