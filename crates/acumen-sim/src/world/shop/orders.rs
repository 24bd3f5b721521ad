//! Orders, and what follows from them.

use acumen_base::{Currency, Money, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

use super::customers::turn;
use super::event_types::Kind;
use super::{DAY_MS, World};
use crate::world::chance::pick;

/// What an order of somebody is like.
struct Buyer {
    /// Nobody for guests.
    who: Option<u32>,
    value: f64,
    returns: f64,
    discounts: f64,
    favourite: usize,
    euros: bool,
}

/// What was ordered: enough to follow it.
struct Placed {
    at_ms: i64,
    /// What it is worth in pounds, net of what will go back.
    net: f64,
}

/// The least share of an order that goes back without being cancelled; the most is all of it.
const RETURNED_FROM: f64 = 0.2;

/// The euro when the world begins, in pounds: what prices in euros are made from.
const EURO: f64 = 0.842;

impl World {
    /// All orders of the day.
    pub(super) fn take_orders(&mut self) {
        let mut random = self.random(" orders");
        let mut turns = self.due.orders.take(self.day);
        while !turns.is_empty() {
            for (who, ms) in turns {
                self.order(who, ms, &mut random);
            }
            // The next order of a customer may be due on the same day.
            turns = self.due.orders.take(self.day);
        }
        let a_day = self.parameters.orders.guests_per_customer_year / 365.0;
        let mean = a_day * f64::from(self.parameters.customers);
        let guests = Poisson::new(mean).map_or(0, |p| p.sample(&mut random) as u64);
        let [a, b] = self.parameters.people.returns;
        for _ in 0..guests {
            let normal: f64 = StandardNormal.sample(&mut random);
            let guest = Buyer {
                who: None,
                value: (self.parameters.people.value_spread * normal).exp(),
                returns: a / (a + b),
                discounts: 0.0,
                favourite: random.random_range(0..self.names.categories.len()),
                euros: random.random::<f64>() < self.parameters.people.euros,
            };
            let (_, ms) = turn(&self.clock, self.clock.at(self.day, 0.0), &mut random);
            self.place(&guest, ms, &mut random);
        }
    }

    fn order(&mut self, who: u32, ms: u32, random: &mut ChaCha8Rng) {
        let customer = &self.customers[who as usize];
        let mut channels = self.parameters.channels.values();
        let channel = channels.nth(usize::from(customer.channel));
        let buyer = Buyer {
            who: Some(who),
            value: f64::from(customer.value),
            returns: f64::from(customer.returns),
            discounts: channel.map_or(0.0, |c| c.discounts),
            favourite: usize::from(customer.favourite),
            euros: customer.euros,
        };
        let (rate, leaves) = (f64::from(customer.rate), customer.leaves);
        let placed = self.place(&buyer, ms, random);
        self.settle_truth(who, placed.net);
        let left = random.random::<f32>() < leaves;
        self.customers[who as usize].here = !left;
        self.ask_for_help(who, placed.at_ms, left, random);
        self.change_plan(who, placed.at_ms, left, random);
        if !left {
            let (day, ms) = self.next_turn(ms, rate, random);
            self.due.orders.note(day, who, ms);
        }
    }

    fn place(&mut self, buyer: &Buyer, ms: u32, random: &mut ChaCha8Rng) -> Placed {
        let at_ms = self.start_ms() + self.day * DAY_MS + i64::from(ms);
        let orders = &self.parameters.orders;
        let category = if random.random::<f64>() < orders.favourite {
            buyer.favourite
        } else {
            let weights = self.parameters.categories.values().map(|c| c.weight);
            pick(weights, random)
        };
        let median = self.parameters.categories.values().nth(category);
        let normal: f64 = StandardNormal.sample(random);
        let full =
            median.map_or(1.0, |c| c.median) * (orders.value_spread * normal).exp() * buyer.value;
        let [from, to] = orders.discount;
        let off = if random.random::<f64>() < buyer.discounts {
            full * (from + (to - from) * random.random::<f64>())
        } else {
            0.0
        };
        let items = Poisson::new(orders.more_items).map_or(0.0, |p| p.sample(random));
        let amount = self.money(full - off, buyer.euros);
        let (number, customer) = (
            self.number(Kind::Order),
            buyer.who.map_or(Value::Missing, World::customer_id),
        );
        let id = format!("o{number:08}");
        let method = &self.names.methods[pick([0.6, 0.25, 0.15].into_iter(), random)];
        let channel = &self.names.channels[pick([0.6, 0.4].into_iter(), random)];
        let mut values = [
            customer,
            Value::Money(amount),
            Value::Number(1.0 + items),
            Value::Text(self.names.categories[category].clone()),
            Value::Text(method.clone()),
            Value::Text(channel.clone()),
            match self.money(off, buyer.euros) {
                _ if off == 0.0 => Value::Missing,
                discount => Value::Money(discount),
            },
        ];
        self.plan(Kind::Order, id.clone(), at_ms, &mut values);
        let back = self.send_back(buyer, &id, at_ms, amount, random);
        let net = (amount.minor - back) as f64 / amount.currency.units() as f64;
        Placed {
            at_ms,
            net: net * if buyer.euros { self.euro() } else { 1.0 },
        }
    }

    /// What goes back of an order, in minor units.
    fn send_back(
        &mut self,
        buyer: &Buyer,
        order: &str,
        at_ms: i64,
        amount: Money,
        random: &mut ChaCha8Rng,
    ) -> i64 {
        if random.random::<f64>() >= buyer.returns {
            return 0;
        }
        let cancelled = random.random::<f64>() < self.parameters.orders.cancelled;
        let (share, days) = if cancelled {
            (1.0, random.random::<f64>())
        } else {
            let share = RETURNED_FROM + (1.0 - RETURNED_FROM) * random.random::<f64>();
            (share, 3.0 + 22.0 * random.random::<f64>())
        };
        let minor = (amount.minor as f64 * share).round() as i64;
        let currency = amount.currency;
        let id = format!("b{:08}", self.number(Kind::Refund));
        let mut values = [
            Value::Text(order.into()),
            buyer.who.map_or(Value::Missing, World::customer_id),
            Value::Money(Money { minor, currency }),
        ];
        let at = at_ms + (days * DAY_MS as f64) as i64;
        self.plan(Kind::Refund, id, at, &mut values);
        minor
    }

    fn money(&self, pounds: f64, euros: bool) -> Money {
        let (currency, amount) = if euros {
            (self.euros, pounds / EURO)
        } else {
            (Currency::GBP, pounds)
        };
        let minor = (amount * currency.units() as f64).round().max(1.0) as i64;
        Money { minor, currency }
    }

    /// Pounds for a euro today.
    fn euro(&self) -> f64 {
        let found = self.rates.list.iter().find(|rate| rate.1 == self.euros);
        found.map_or(EURO, |rate| rate.2)
    }

    /// What an order of a customer is worth on average, in pounds of today, net of what goes back.
    pub(super) fn mean_order(&self, who: u32) -> f64 {
        let customer = &self.customers[who as usize];
        let orders = &self.parameters.orders;
        let categories = &self.parameters.categories;
        let weights: f64 = categories.values().map(|c| c.weight).sum();
        let any: f64 = categories.values().map(|c| c.weight * c.median).sum();
        let favourite = categories.values().nth(usize::from(customer.favourite));
        let median = orders.favourite * favourite.map_or(0.0, |c| c.median)
            + (1.0 - orders.favourite) * any / weights;
        let mut channels = self.parameters.channels.values();
        let channel = channels.nth(usize::from(customer.channel));
        let discounts = channel.map_or(0.0, |c| c.discounts);
        let discount = discounts * (orders.discount[0] + orders.discount[1]) / 2.0;
        let returned = (1.0 + RETURNED_FROM) / 2.0;
        let back =
            f64::from(customer.returns) * (orders.cancelled + (1.0 - orders.cancelled) * returned);
        let rate = if customer.euros {
            self.euro() / EURO
        } else {
            1.0
        };
        median
            * (orders.value_spread.powi(2) / 2.0).exp()
            * f64::from(customer.value)
            * (1.0 - discount)
            * (1.0 - back)
            * rate
    }
}
