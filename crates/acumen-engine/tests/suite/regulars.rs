//! A small use case that decides on each customer, with more than a year of orders.

use std::ops::Deref;
use std::path::Path;

use acumen_base::{Seed, Time};

use super::home::Home;
use super::shop::days;

const USE_CASE: &str = include_str!("../data/regulars/usecase.yaml");

/// 2026-01-01T00:00:00Z.
pub(crate) const START: Time = Time(1_767_225_600_000);
/// Days of orders.
pub(crate) const LASTS: i64 = 420;

pub(crate) struct Regulars(Home);

impl Deref for Regulars {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.0
    }
}

/// What happened to a customer: when, and what it added to the sum in cents.
pub(crate) type Told = (String, Time, i64);

impl Regulars {
    /// The use case with some of its text replaced.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Regulars {
        let now = START + days(LASTS);
        Regulars(Home::new(("regulars", USE_CASE), changes, now))
    }

    /// The same data folder under another definition.
    pub(crate) fn redefine(&mut self, changes: &[(&str, &str)]) {
        self.0.redefine(changes);
    }

    /// With a history of `customers` customers.
    pub(crate) fn grown(customers: u32) -> (Regulars, Vec<Told>) {
        let regulars = Regulars::with(&[]);
        let told = regulars.import(customers);
        (regulars, told)
    }

    /// Each signs up, buys at a rate of its own until it leaves, and returns one order in eight;
    /// one in ten never buys. Every twentieth order is a guest's.
    pub(crate) fn import(&self, customers: u32) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        let mut lines: Vec<(Time, String)> = Vec::new();
        for customer in 0..customers {
            let id = format!("c{customer}");
            let draw = |what: &str, n: u32| Seed(11).derive(what).unit(&format!("{id} {n}"));
            let joins = draw("joins", 0) * 250.0;
            let at = |day: f64| Time(START.0 + (day * 86_400_000.0) as i64);
            lines.push((at(joins), format!(
                r#"{{"type":"sign_up","sign_up_id":"s{customer}","signed_up_at":{},"customer_id":"{id}"}}"#,
                at(joins).0
            )));
            if customer % 10 == 9 {
                continue;
            }
            let pause = 5.0 + 60.0 * draw("pause", 0).powi(2);
            let leaves = joins + 40.0 + 900.0 * draw("leaves", 0);
            let usual = 10.0 + 90.0 * draw("usual", 0);
            let mut day = joins;
            for n in 0.. {
                if day >= leaves.min(LASTS as f64 - 1.0) {
                    break;
                }
                let cents = (usual * (60.0 + 80.0 * draw("amount", n))) as i64;
                let euros = format!("{}.{:02}", cents / 100, cents % 100);
                let (order, time) = (format!("{id}-{n}"), at(day));
                let who = match n % 20 {
                    13 => String::new(),
                    _ => format!(r#","customer_id":"{id}""#),
                };
                lines.push((time, format!(
                    r#"{{"type":"order","order_id":"{order}","ordered_at":{}{who},"amount":{{"amount":"{euros}","currency":"EUR"}}}}"#,
                    time.0
                )));
                if !who.is_empty() {
                    told.push((id.clone(), time, cents));
                }
                if !who.is_empty() && n % 8 == 5 && day + 4.0 < LASTS as f64 {
                    let back = at(day + 4.0);
                    lines.push((back, format!(
                        r#"{{"type":"refund","refund_id":"r{order}","refunded_at":{},"customer_id":"{id}","amount":{{"amount":"{euros}","currency":"EUR"}}}}"#,
                        back.0
                    )));
                    told.push((id.clone(), back, -cents));
                }
                day += pause * (0.2 + 1.6 * draw("next", n));
            }
        }
        lines.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        self.take_in(lines);
        told
    }

    pub(crate) fn home(&self) -> &Path {
        self.path()
    }
}
