//! The parameters of the world, as `world.yaml` states them.

use std::collections::BTreeMap;

use acumen_base::{Diagnostic, Time};
use serde::{Deserialize, Serialize};

use crate::world::check::{self, Found};

/// Everything that may be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// `shop`.
    pub world: String,
    /// The first day, such as `2023-01-01` (UTC).
    pub start: String,
    /// How many days.
    pub days: u32,
    /// How many customers there ever are.
    pub customers: u32,
    /// Of what the truth is written.
    pub truth: TruthOf,
    /// How customers differ.
    pub people: People,
    /// What the time of year does to orders.
    pub season: Season,
    /// What happens around an order.
    pub orders: Orders,
    /// What else is seen of a customer.
    pub contacts: Contacts,
    /// The standard deviation of the daily change of an exchange rate (log scale).
    pub rate_drift: f64,
    /// Ways by which customers come, and what customers of each are like.
    pub channels: BTreeMap<String, Channel>,
    /// What is sold.
    pub categories: BTreeMap<String, Category>,
}

/// Of what the truth is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthOf {
    /// Dates at which every customer's future is told; those whose horizon the world does not
    /// reach are left out.
    pub origins: Vec<String>,
    /// How long that future is.
    pub horizon_days: u32,
}

/// How customers differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Orders a year of the mean customer who has not left.
    pub orders_per_year: f64,
    /// The shape of the gamma distribution of that: small is uneven.
    pub orders_shape: f64,
    /// How much less (log scale) customers of each later year order.
    pub cohort_decline: f64,
    /// The chance to leave after an order: the two parameters of a beta distribution.
    pub leaves: [f64; 2],
    /// How far customers differ in what they spend on an order (standard deviation, log scale).
    pub value_spread: f64,
    /// The chance that an order is sent back or cancelled: parameters of a beta distribution.
    pub returns: [f64; 2],
    /// The share that pays in euros.
    pub euros: f64,
    /// The share that came in the three years before the world begins.
    pub came_before: f64,
}

/// What the time of year does to orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// How far winter lies above the mean, and summer below it (share).
    pub winter: f64,
    /// By what share orders rise in the four weeks to 20 December.
    pub presents: f64,
}

/// What happens around an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// How far the orders of one customer differ (standard deviation, log scale).
    pub value_spread: f64,
    /// The share in the customer's favourite category, beyond chance.
    pub favourite: f64,
    /// Items an order beyond the first.
    pub more_items: f64,
    /// The least and the most that a discount takes off (share).
    pub discount: [f64; 2],
    /// Of what goes back, the share that is cancelled within a day, all of it.
    pub cancelled: f64,
    /// Orders of guests a year, by customers.
    pub guests_per_customer_year: f64,
    /// The chance that an order is followed by a ticket, where the customer stays.
    pub tickets: f64,
    /// The same where the customer leaves because of it.
    pub tickets_when_leaving: f64,
    /// The chance that an order begins a subscription.
    pub subscribes: f64,
}

/// What else is seen of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    /// Sessions for each order of the mean customer.
    pub sessions_per_order: f64,
    /// How far customers differ in that (standard deviation, log scale).
    pub sessions_spread: f64,
    /// The share of sessions that go on after a customer has left.
    pub sessions_after: f64,
    /// The share of sessions without the customer's id.
    pub signed_out: f64,
    /// E-mails a customer and year.
    pub emails_per_year: f64,
    /// The share of e-mails opened: parameters of a beta distribution.
    pub opens: [f64; 2],
    /// By what that is multiplied once a customer has left.
    pub opens_after: f64,
    /// The share of opened e-mails that are clicked.
    pub clicks: f64,
}

/// A way by which customers come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its weight.
    pub weight: f64,
    /// By what the rate of orders is multiplied.
    pub orders: f64,
    /// By what the chance to leave is multiplied.
    pub leaves: f64,
    /// By what the value of an order is multiplied.
    pub value: f64,
    /// The share of orders with a discount.
    pub discounts: f64,
}

/// One thing that is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its weight among orders.
    pub weight: f64,
    /// The median value of an order, in pounds.
    pub median: f64,
}

impl Parameters {
    /// Reads `text`, the content of `file`.
    ///
    /// # Errors
    /// An unknown key or a wrong type names its line and the nearest valid name (the first one
    /// only: reading stops there); values that make no world are all reported at once.
    pub fn parse(text: &str, file: &str) -> Result<Parameters, Vec<Diagnostic>> {
        check::parse(text, file, Parameters::problems)
    }

    /// The first instant; 1970 where `start` is not a date (which [`Parameters::parse`] refuses).
    pub fn start(&self) -> Time {
        midnight(&self.start).unwrap_or_default()
    }

    /// The days, counted from the start, at which the truth is told, in order.
    pub fn origins(&self) -> Vec<i64> {
        let first = self.start().day();
        let last = i64::from(self.days) - i64::from(self.truth.horizon_days);
        let days = self.truth.origins.iter().filter_map(|date| midnight(date));
        let mut days: Vec<i64> = days
            .map(|at| at.day() - first)
            .filter(|day| (0..=last).contains(day))
            .collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    /// What keeps these values from making a world: all of it.
    pub fn problems(&self, file: &str) -> Vec<Diagnostic> {
        let mut found = Found::new(file);
        let dates = std::iter::once(("start", &self.start));
        for (key, date) in dates.chain(self.truth.origins.iter().map(|o| ("truth.origins", o))) {
            if midnight(date).is_none() {
                found.add(key, date, "write a date such as `2025-01-01`");
            }
        }
        found.positive("days", f64::from(self.days));
        found.positive("customers", f64::from(self.customers));
        found.positive("truth.horizon_days", f64::from(self.truth.horizon_days));
        found.share("rate_drift", self.rate_drift);
        self.check_people(&mut found);
        self.check_events(&mut found);
        self.check_lists(&mut found);
        found.problems
    }

    fn check_people(&self, found: &mut Found<'_>) {
        let people = &self.people;
        found.positive("people.orders_per_year", people.orders_per_year);
        found.positive("people.orders_shape", people.orders_shape);
        found.not_negative("people.value_spread", people.value_spread);
        found.share("people.euros", people.euros);
        found.share("people.came_before", people.came_before);
        found.share("people.cohort_decline", people.cohort_decline);
        for (name, [a, b]) in [
            ("people.leaves", people.leaves),
            ("people.returns", people.returns),
            ("contacts.opens", self.contacts.opens),
        ] {
            found.positive(name, a.min(b));
        }
    }

    fn check_events(&self, found: &mut Found<'_>) {
        let (orders, contacts) = (&self.orders, &self.contacts);
        let [from, to] = orders.discount;
        for (name, share) in [
            ("season.winter", self.season.winter),
            ("orders.favourite", orders.favourite),
            ("orders.discount", from),
            ("orders.discount", to),
            ("orders.cancelled", orders.cancelled),
            ("orders.tickets", orders.tickets),
            ("orders.tickets_when_leaving", orders.tickets_when_leaving),
            ("orders.subscribes", orders.subscribes),
            ("contacts.sessions_after", contacts.sessions_after),
            ("contacts.signed_out", contacts.signed_out),
            ("contacts.opens_after", contacts.opens_after),
            ("contacts.clicks", contacts.clicks),
        ] {
            found.share(name, share);
        }
        for (name, value) in [
            ("season.presents", self.season.presents),
            ("orders.value_spread", orders.value_spread),
            ("orders.more_items", orders.more_items),
            (
                "orders.guests_per_customer_year",
                orders.guests_per_customer_year,
            ),
            ("contacts.sessions_spread", contacts.sessions_spread),
            ("contacts.sessions_per_order", contacts.sessions_per_order),
            ("contacts.emails_per_year", contacts.emails_per_year),
            ("orders.discount", to - from),
        ] {
            found.not_negative(name, value);
        }
    }

    fn check_lists(&self, found: &mut Found<'_>) {
        found.weights("channels", self.channels.values().map(|c| &c.weight));
        found.weights("categories", self.categories.values().map(|c| &c.weight));
        for (name, channel) in &self.channels {
            let at = |key: &str| format!("channels.{name}.{key}");
            found.positive(&at("orders"), channel.orders);
            found.positive(&at("leaves"), channel.leaves);
            found.positive(&at("value"), channel.value);
            found.share(&at("discounts"), channel.discounts);
        }
        for (name, category) in &self.categories {
            found.positive(&format!("categories.{name}.median"), category.median);
        }
    }
}

fn midnight(date: &str) -> Option<Time> {
    format!("{date}T00:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::WORLD;
    use super::*;

    #[test]
    fn the_frozen_file_is_sound() {
        let parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
        assert_eq!(parameters.origins().len(), parameters.truth.origins.len());
    }

    #[test]
    fn all_bad_values_are_reported_at_once() {
        let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
        parameters.truth.origins.push("in spring".into());
        parameters.people.leaves = [0.0, 1.0];
        parameters.orders.discount = [0.3, 0.1];
        for channel in parameters.channels.values_mut() {
            channel.weight = 0.0;
        }
        assert_eq!(parameters.problems("world.yaml").len(), 4);
    }

    #[test]
    fn a_future_beyond_the_world_is_left_out() {
        let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
        let day = parameters.origins()[1];
        parameters.days = day as u32 + parameters.truth.horizon_days - 1;
        assert_eq!(parameters.origins().len(), 1);
    }
}
