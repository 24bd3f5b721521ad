//! The parameters of the world, as `world.yaml` states them.

use std::collections::BTreeMap;

use acumen_base::{Diagnostic, Time, nearest};
use serde::{Deserialize, Serialize};

use super::city::CITIES;
use crate::world::check::{self, Found};

/// Everything that may be set; `usecases/fraud/world.yaml` holds the frozen values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// `payments`.
    pub world: String,
    /// The first day, such as `2025-01-01` (UTC).
    pub start: String,
    /// How many days.
    pub days: u32,
    /// How many customers there ever are.
    pub customers: u32,
    /// Who the customers are.
    pub people: People,
    /// How well places are known.
    pub place: PlaceNoise,
    /// When fraud becomes known.
    pub chargeback: Chargeback,
    /// The chance that an ordinary payment online is friendly fraud.
    pub friendly_fraud: f64,
    /// The chance that a merchant at a till leaks the cards it sees, in any one month.
    pub leaking_merchants: f64,
    /// The standard deviation of the daily change of an exchange rate (log scale).
    pub rate_drift: f64,
    /// What ordinary payments look like.
    pub ordinary: Profile,
    /// Kinds of episode, each with a fraudulent side and a genuine look-alike.
    pub families: Families,
    /// What money is spent on.
    pub categories: BTreeMap<String, Category>,
}

/// Who the customers are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// Payments a day of the median customer.
    pub payments_per_day: f64,
    /// How far customers differ in that (standard deviation, log scale).
    pub payments_spread: f64,
    /// How far customers differ in what they spend (standard deviation, log scale).
    pub level_spread: f64,
    /// The share that opens its account during the world rather than before it.
    pub joins: f64,
    /// The share that lives in households sharing a device.
    pub households: f64,
    /// The share that are synthetic identities on the devices of farms.
    pub synthetic: f64,
    /// Days after which a synthetic identity may turn.
    pub ramp_days: u32,
    /// The weights of household sizes.
    pub household_sizes: BTreeMap<u32, f64>,
    /// The weights of farm sizes: identities a device.
    pub farm_sizes: BTreeMap<u32, f64>,
    /// The share of online payments of which the caller measured the typing.
    pub typing_sent: f64,
}

/// How well places are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceNoise {
    /// The share of online payments whose place is coarse (carrier, tunnel).
    pub coarse: f64,
    /// The accuracy of a coarse place, from and to, in kilometres.
    pub coarse_km: [f64; 2],
    /// The share of payments without a place.
    pub missing: f64,
}

/// When fraud becomes known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chargeback {
    /// The median delay in days (log-normal).
    pub median_days: f64,
    /// The standard deviation of the delay (log scale).
    pub spread: f64,
    /// The delay is drawn again outside these days.
    pub days: [f64; 2],
    /// How much later friendly fraud is claimed, in days.
    pub friendly_extra_days: f64,
    /// The share that nobody ever reports.
    pub unreported: f64,
}

/// One thing that money is spent on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The median amount in pounds.
    pub median: f64,
    /// The share of ordinary payments online.
    pub online: f64,
    /// Shops in each city.
    pub shops: u32,
    /// Sellers online, for everybody.
    pub sellers: u32,
}

/// Kinds of episode. In each, the oracle weighs one side against the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Families {
    /// Payments on a device new to the customer: account take-over, or a new phone.
    pub new_device: Family,
    /// Payments far from home: a cloned card, or a trip.
    pub away: Family,
    /// Many small payments in minutes: card testing, or retries and top-ups.
    pub burst: Family,
    /// A spree on a device shared by many: a farm that turns, or a household.
    pub shared_device: Family,
    /// A spree on the customer's own device: remote access, or presents.
    pub spree: Family,
}

/// The two sides of a kind of episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The fraud.
    pub fraud: Profile,
    /// Its genuine look-alike.
    pub genuine: Profile,
}

/// How the payments of an episode are drawn, and therefore their exact densities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name in the truth.
    pub scenario: String,
    /// Episodes that start, a year and (eligible) customer.
    #[serde(default)]
    pub per_customer_year: f64,
    /// The share of the span that passes before the first.
    #[serde(default)]
    pub from: f64,
    /// By what the rate is multiplied at the end of the span, reached linearly.
    #[serde(default = "one")]
    pub rate_by_end: f64,
    /// By what the rate is multiplied in the weeks before Christmas.
    #[serde(default = "one")]
    pub season: f64,
    /// Payments an episode on average (geometric).
    #[serde(default = "one")]
    pub payments: f64,
    /// The median gap between payments, in minutes (log-normal).
    #[serde(default = "one")]
    pub gap_minutes: f64,
    /// The standard deviation of the gap (log scale).
    #[serde(default = "one")]
    pub gap_spread: f64,
    /// How far amounts lie above the customer's usual in the category (log scale).
    #[serde(default)]
    pub amount: f64,
    /// The standard deviation of amounts (log scale).
    pub amount_spread: f64,
    /// What `amount` gains over the whole span.
    #[serde(default)]
    pub amount_drift: f64,
    /// The chance that a payment after the first is a large one that ends the episode.
    #[serde(default)]
    pub finale: f64,
    /// `amount` of that large payment.
    #[serde(default)]
    pub finale_amount: f64,
    /// How far the typing lies from the customer's own, in the customer's standard deviations.
    #[serde(default)]
    pub typing: f64,
    /// The standard deviation of that.
    #[serde(default = "one")]
    pub typing_spread: f64,
    /// The chance that an episode starts between midnight and six.
    #[serde(default)]
    pub night: f64,
    /// The share of payments online; ordinary payments take their category's.
    #[serde(default = "one")]
    pub online: f64,
    /// The chance that online payments come from a device new to the customer.
    #[serde(default)]
    pub fresh_device: f64,
    /// The chance that such a device was used with other customers before (a pool of crooks, or
    /// a library's).
    #[serde(default)]
    pub reuse_device: f64,
    /// The chance that the episode happens in another city than the customer is in.
    #[serde(default)]
    pub away: f64,
    /// The share of payments at one of the customer's three usual merchants of the category.
    pub usual: f64,
    /// The share of payments, after the first, at the merchant of the payment before.
    #[serde(default)]
    pub stay: f64,
    /// The weights of categories.
    pub categories: BTreeMap<String, f64>,
}

fn one() -> f64 {
    1.0
}

impl Families {
    /// Every kind with its name, in the order that the world uses.
    pub(crate) fn named(&self) -> [(&'static str, &Family); 5] {
        [
            ("new_device", &self.new_device),
            ("away", &self.away),
            ("burst", &self.burst),
            ("shared_device", &self.shared_device),
            ("spree", &self.spree),
        ]
    }
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
        self.start_of().unwrap_or_default()
    }

    fn start_of(&self) -> Option<Time> {
        format!("{}T00:00:00Z", self.start).parse().ok()
    }

    /// What keeps these values from making a world: all of it.
    pub fn problems(&self, file: &str) -> Vec<Diagnostic> {
        let mut found = Found::new(file);
        if self.start_of().is_none() {
            found.add("start", &self.start, "write a date such as `2025-01-01`");
        }
        found.positive("days", f64::from(self.days));
        found.positive("customers", f64::from(self.customers));
        self.check_people(&mut found);
        found.share("friendly_fraud", self.friendly_fraud);
        found.share("leaking_merchants", self.leaking_merchants);
        found.share("rate_drift", self.rate_drift);
        for (name, category) in &self.categories {
            let at = |key: &str| format!("categories.{name}.{key}");
            found.positive(&at("median"), category.median);
            found.share(&at("online"), category.online);
            found.positive(&at("shops"), f64::from(category.shops));
            found.positive(&at("sellers"), f64::from(category.sellers));
        }
        self.check_profile("ordinary", &self.ordinary, &mut found);
        for (name, family) in self.families.named() {
            self.check_profile(&format!("families.{name}.fraud"), &family.fraud, &mut found);
            let genuine = format!("families.{name}.genuine");
            self.check_profile(&genuine, &family.genuine, &mut found);
        }
        found.problems
    }

    fn check_people(&self, found: &mut Found<'_>) {
        found.positive("people.payments_per_day", self.people.payments_per_day);
        found.not_negative("people.payments_spread", self.people.payments_spread);
        found.not_negative("people.level_spread", self.people.level_spread);
        for (name, share) in [
            ("people.joins", self.people.joins),
            ("people.households", self.people.households),
            ("people.synthetic", self.people.synthetic),
            ("people.typing_sent", self.people.typing_sent),
            ("place.coarse", self.place.coarse),
            ("place.missing", self.place.missing),
            ("chargeback.unreported", self.chargeback.unreported),
        ] {
            found.share(name, share);
        }
        for (name, sizes) in [
            ("people.household_sizes", &self.people.household_sizes),
            ("people.farm_sizes", &self.people.farm_sizes),
        ] {
            found.weights(name, sizes.values());
            if sizes.contains_key(&0) {
                found.add(name, "0", "a group has at least one member");
            }
        }
        let [from, to] = self.place.coarse_km;
        found.positive("place.coarse_km", from.min(to - from + 1e-9));
        let [from, to] = self.chargeback.days;
        found.positive("chargeback.days", from.min(to - from));
        found.positive("chargeback.median_days", self.chargeback.median_days);
        found.positive("chargeback.spread", self.chargeback.spread);
        let median = self.chargeback.median_days;
        if !(from..=to).contains(&median) {
            let help = "let it lie within `chargeback.days`";
            found.add("chargeback.median_days", &median.to_string(), help);
        }
        let extra = self.chargeback.friendly_extra_days;
        found.not_negative("chargeback.friendly_extra_days", extra);
    }

    fn check_profile(&self, path: &str, profile: &Profile, found: &mut Found<'_>) {
        let at = |key: &str| format!("{path}.{key}");
        for (key, share) in [
            ("from", profile.from),
            ("finale", profile.finale),
            ("night", profile.night),
            ("online", profile.online),
            ("fresh_device", profile.fresh_device),
            ("reuse_device", profile.reuse_device),
            ("away", profile.away),
            ("usual", profile.usual),
            ("stay", profile.stay),
        ] {
            found.share(&at(key), share);
        }
        for (key, value) in [
            ("gap_minutes", profile.gap_minutes),
            ("gap_spread", profile.gap_spread),
            ("amount_spread", profile.amount_spread),
            ("typing_spread", profile.typing_spread),
        ] {
            found.positive(&at(key), value);
        }
        for (key, value) in [
            ("per_customer_year", profile.per_customer_year),
            ("rate_by_end", profile.rate_by_end),
            ("season", profile.season),
            ("payments", profile.payments - 1.0),
        ] {
            found.not_negative(&at(key), value);
        }
        found.weights(&at("categories"), profile.categories.values());
        for name in profile.categories.keys() {
            if !self.categories.contains_key(name) {
                let valid = self.categories.keys().map(String::as_str);
                let help = nearest(name, valid).map_or_else(
                    || "declare it under `categories`".into(),
                    |near| format!("did you mean `{near}`?"),
                );
                found.add(&at("categories"), name, &help);
            }
        }
    }
}

/// The cities of the world, for the documentation of `world.yaml`.
pub fn cities() -> impl Iterator<Item = &'static str> {
    CITIES.iter().map(|city| city.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORLD: &str = include_str!("../../../../../usecases/fraud/world.yaml");

    #[test]
    fn the_frozen_file_is_sound() {
        let parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
        assert_eq!(parameters.start().to_string(), "2025-01-01T00:00:00Z");
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest() {
        let text = WORLD.replace("leaking_merchants:", "leaking_merchant:");
        let problem = Parameters::parse(&text, "world.yaml")
            .unwrap_err()
            .remove(0);
        let line = text
            .lines()
            .position(|l| l.starts_with("leaking_merchant:"));
        assert_eq!(Some(problem.place.line as usize), line.map(|l| l + 1));
        assert!(problem.help.contains("`leaking_merchants`"), "{problem}");
    }

    #[test]
    fn all_bad_values_are_reported_at_once() {
        let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
        parameters.start = "yesterday".into();
        parameters.customers = 0;
        parameters.place.missing = f64::NAN;
        parameters.ordinary.categories.insert("grocery".into(), 1.0);
        let problems = parameters.problems("world.yaml");
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems.iter().any(|p| p.help.contains("`groceries`")));
    }
}
