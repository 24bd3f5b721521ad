//! What is seen of customers beside their orders.

use acumen_base::Value;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Poisson, StandardNormal};

use super::event_types::Kind;
use super::{DAY_MS, World};
use crate::world::chance::pick;

const MINUTE_MS: f64 = 60_000.0;

impl World {
    /// A ticket after an order, more likely and less happy where the customer leaves.
    pub(super) fn ask_for_help(
        &mut self,
        who: u32,
        ordered_ms: i64,
        left: bool,
        random: &mut ChaCha8Rng,
    ) {
        let orders = &self.parameters.orders;
        let chance = if left {
            orders.tickets_when_leaving
        } else {
            orders.tickets
        };
        if random.random::<f64>() >= chance {
            return;
        }
        let days = 1.0 + 9.0 * random.random::<f64>();
        let satisfaction = match random.random_range(0..10) {
            0..4 => Value::Missing,
            _ if left => Value::Number(f64::from(random.random_range(1..4))),
            _ => Value::Number(f64::from(random.random_range(2..6))),
        };
        let topic = pick([0.4, 0.25, 0.25, 0.1].into_iter(), random);
        let mut values = [
            World::customer_id(who),
            Value::Text(self.names.topics[topic].clone()),
            satisfaction,
        ];
        let id = format!("t{:07}", self.number(Kind::SupportTicket));
        let at = ordered_ms + (days * DAY_MS as f64) as i64;
        self.plan(Kind::SupportTicket, id, at, &mut values);
    }

    /// A subscription that an order begins, or that ends some weeks after a customer has left.
    pub(super) fn change_plan(
        &mut self,
        who: u32,
        ordered_ms: i64,
        left: bool,
        random: &mut ChaCha8Rng,
    ) {
        let (chance, draw) = (self.parameters.orders.subscribes, random.random::<f64>());
        let customer = &mut self.customers[who as usize];
        let (plan, delay_ms) = match (customer.plan, left) {
            (0, false) if draw < chance / 4.0 => (2, 5.0 * MINUTE_MS),
            (0, false) if draw < chance => (1, 5.0 * MINUTE_MS),
            (1.., true) if draw < 0.8 => {
                let days: f64 = Exp1.sample(random);
                (0, 40.0 * days * DAY_MS as f64)
            }
            _ => return,
        };
        customer.plan = plan;
        let mut values = [
            World::customer_id(who),
            Value::Text(self.names.plans[usize::from(plan)].clone()),
        ];
        let id = format!("p{:07}", self.number(Kind::Subscription));
        self.plan(
            Kind::Subscription,
            id,
            ordered_ms + delay_ms as i64,
            &mut values,
        );
    }

    /// All sessions of the day.
    pub(super) fn visit(&mut self) {
        let mut random = self.random(" sessions");
        let mut turns = self.due.sessions.take(self.day);
        while !turns.is_empty() {
            for (who, ms) in turns {
                self.session(who, ms, &mut random);
            }
            turns = self.due.sessions.take(self.day);
        }
    }

    fn session(&mut self, who: u32, ms: u32, random: &mut ChaCha8Rng) {
        let contacts = &self.parameters.contacts;
        let customer = &self.customers[who as usize];
        let (here, favourite) = (customer.here, usize::from(customer.favourite));
        let after = if here { 1.0 } else { contacts.sessions_after };
        let rate = f64::from(customer.rate) * f64::from(customer.visits) * after;
        let signed_out = random.random::<f64>() < contacts.signed_out;
        let pages = Poisson::new(if here { 7.0 } else { 3.0 }).map_or(0.0, |p| p.sample(random));
        let normal: f64 = StandardNormal.sample(random);
        let seconds = ((1.0 + pages) * 35.0 * (0.6 * normal).exp()).round();
        let category = if random.random::<f64>() < 0.5 {
            favourite
        } else {
            random.random_range(0..self.names.categories.len())
        };
        let mut values = [
            if signed_out {
                Value::Missing
            } else {
                World::customer_id(who)
            },
            Value::Number(1.0 + pages),
            Value::Number(seconds),
            Value::Text(self.names.channels[random.random_range(0..2)].clone()),
            Value::Text(self.names.categories[category].clone()),
        ];
        let at = self.start_ms() + self.day * DAY_MS + i64::from(ms);
        let id = format!("s{:08}", self.number(Kind::Session));
        self.plan(Kind::Session, id, at, &mut values);
        if rate > 0.0 {
            let (day, ms) = self.next_turn(ms, rate, random);
            self.due.sessions.note(day, who, ms);
        }
    }

    /// All e-mails of the day.
    pub(super) fn write_emails(&mut self) {
        let mut random = self.random(" emails");
        for (who, ms) in self.due.emails.take(self.day) {
            self.email(who, ms, &mut random);
            let a_year = self.parameters.contacts.emails_per_year.max(1e-3);
            let wait: f64 = Exp1.sample(&mut random);
            let days = 1 + (wait * (365.0 / a_year - 1.0).max(0.0)).round() as i64;
            self.due.emails.note(self.day + days, who, ms);
        }
    }

    fn email(&mut self, who: u32, ms: u32, random: &mut ChaCha8Rng) {
        let contacts = &self.parameters.contacts;
        let customer = &self.customers[who as usize];
        let after = if customer.here {
            1.0
        } else {
            contacts.opens_after
        };
        let opened = random.random::<f64>() < f64::from(customer.opens) * after;
        let clicked = opened && random.random::<f64>() < contacts.clicks;
        let sent = self.start_ms() + self.day * DAY_MS + i64::from(ms);
        let wait: f64 = Exp1.sample(random);
        let opened_ms = sent + (wait * 400.0 * MINUTE_MS) as i64 + 5_000;
        let clicked_ms = opened_ms + random.random_range(2_000..300_000);
        let number = self.number(Kind::Email);
        let happened = [(true, sent), (opened, opened_ms), (clicked, clicked_ms)];
        for (kind, (_, at)) in happened.iter().enumerate().filter(|(_, h)| h.0) {
            let name = self.names.kinds[kind].clone();
            let id = format!("m{number:08}-{name}");
            let mut values = [World::customer_id(who), Value::Text(name)];
            self.plan(Kind::Email, id, *at, &mut values);
        }
    }
}
