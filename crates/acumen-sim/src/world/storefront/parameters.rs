//! The parameters of the world, as `world.yaml` states them.

use std::collections::BTreeMap;

use acumen_base::{Diagnostic, Time};
use serde::{Deserialize, Serialize};

use crate::world::check::{self, Found};

/// Everything that may be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// `storefront`.
    pub world: String,
    /// The first day, such as `2025-09-01` (UTC).
    pub start: String,
    /// How many days.
    pub days: u32,
    /// How many customers there ever are.
    pub customers: u32,
    /// How many products a list shows.
    pub places: usize,
    /// How visitors differ.
    pub visitors: Visitors,
    /// Where visitors are, by weight.
    pub regions: BTreeMap<String, f64>,
    /// What products are like.
    pub goods: Goods,
    /// How a visit goes on.
    pub sessions: Sessions,
    /// What makes a visitor click.
    pub interest: Interest,
    /// What makes a visitor buy.
    pub buying: Buying,
    /// How far down a list is looked at.
    pub examination: Examination,
    /// When a product is hidden.
    pub hides: Hides,
    /// How lists are made where nobody else makes them.
    pub window_dressing: WindowDressing,
    /// What is sold.
    pub categories: BTreeMap<String, Category>,
}

/// How visitors differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visitors {
    /// Sessions a week of the mean customer.
    pub sessions_a_week: f64,
    /// The shape of the gamma distribution of that: small is uneven.
    pub sessions_shape: f64,
    /// The share that came before the world begins; the others come evenly in its days.
    pub came_before: f64,
    /// The share of sessions in which the visitor does not sign in.
    pub signed_out: f64,
    /// The share of sessions on a phone.
    pub phones: f64,
    /// After how many days tastes in style have changed by half and more (e-folding).
    pub style_drift_days: f64,
    /// How far visitors differ in the categories they want (standard deviation, log scale).
    pub category_spread: f64,
    /// How far regions differ in that.
    pub region_spread: f64,
    /// How many brands a visitor likes.
    pub favourite_brands: usize,
    /// How far visitors differ in the price they are used to (standard deviation, log scale).
    pub level_spread: f64,
    /// How much a price above that keeps from buying (log odds by log price): the median, and the
    /// standard deviation on a log scale.
    pub thrift: [f64; 2],
    /// The share of carts that are paid.
    pub checks_out: f64,
    /// The share of purchases that are rated, of those who are signed in.
    pub rates: f64,
}

/// What products are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goods {
    /// Products at the start.
    pub products: u32,
    /// New products a day; as many are discontinued.
    pub new_a_day: f64,
    /// Brands; each sells in some categories.
    pub brands: u32,
    /// The share of the variance of a product's style that is its brand's.
    pub brand_style: f64,
    /// How far brands differ in price (standard deviation, log scale).
    pub brand_price_spread: f64,
    /// How far products of a brand differ in price.
    pub price_spread: f64,
    /// How far products differ in their margin, as a share of the price.
    pub margin_spread: f64,
    /// How far products differ in what everybody sees in them (standard deviation, log odds).
    pub appeal_spread: f64,
    /// The chance that a word of a title says what the style is; by chance otherwise.
    pub says_style: f64,
    /// The median number that is stocked at a time, for every thousand customers.
    pub stock: f64,
    /// How far that differs (standard deviation, log scale).
    pub stock_spread: f64,
    /// The least and the most days after which what ran out comes back.
    pub back_after_days: [f64; 2],
    /// The share of what ran out that never does.
    pub discontinued: f64,
    /// The share of products whose price is reduced on a day.
    pub promotions_a_day: f64,
    /// For how many days, at least and at most.
    pub promotion_days: [f64; 2],
    /// By what share, at least and at most.
    pub discount: [f64; 2],
}

/// How a visit goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// The chance to go on with what was looked at and not bought in the session before.
    pub resumes: f64,
    /// For how many days that is remembered.
    pub resumes_within_days: f64,
    /// The chance to want what goes with the last purchase.
    pub completes: f64,
    /// For how many days.
    pub completes_within_days: f64,
    /// How far what is wanted in a session is from the visitor's taste (standard deviation).
    pub moment_spread: f64,
    /// The chance to begin with a search.
    pub searches: f64,
    /// How many products a search finds, of which one is opened.
    pub found: usize,
    /// How far what is wanted moves towards what was clicked (share).
    pub follows: f64,
    /// The chance that a click on another kind of product changes what is wanted.
    pub turns: f64,
    /// The chance that a purchase makes what goes with it wanted.
    pub turns_after_purchase: f64,
    /// The chance to look at another list after one without a click.
    pub stays: f64,
    /// After one with a click.
    pub stays_after_click: f64,
    /// After one with a purchase.
    pub stays_after_purchase: f64,
    /// The most lists of a session.
    pub lists_most: u32,
}

/// What makes a visitor click on a product that was examined, in log odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interest {
    /// Of anything.
    pub level: f64,
    /// Of the kind that is wanted now.
    pub kind: f64,
    /// Of what goes with it.
    pub beside: f64,
    /// Of another kind of the same category.
    pub category: f64,
    /// For the visitor's taste in categories.
    pub taste: f64,
    /// For the visitor's taste in style.
    pub style: f64,
    /// For the style that is wanted in this session.
    pub moment: f64,
    /// For what is in fashion.
    pub fashion: f64,
    /// Of a brand that the visitor likes.
    pub brand: f64,
    /// Less, for the squared distance (log scale) from the price that the visitor is used to.
    pub price: f64,
    /// Of what is new, on its first day.
    pub newness: f64,
    /// After how many days that has faded (e-folding).
    pub newness_days: f64,
    /// Less, of a product just bought.
    pub owned: f64,
    /// Less, of a kind just bought; both fade with the category's `again_days`.
    pub sated: f64,
    /// Less, for every time that it was shown in the session already.
    pub seen: f64,
}

/// What makes a visitor put into the cart what was opened, in log odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buying {
    /// Of anything.
    pub level: f64,
    /// For what the product is to the visitor: style, brand, appeal.
    pub pull: f64,
}

/// The power of its place, from 1, by which a product is looked at less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// On a large screen.
    pub desktop: f64,
    /// On a phone.
    pub phone: f64,
}

/// When a product that was looked at is hidden by the visitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hides {
    /// Interest below which that happens.
    pub below: f64,
    /// How often.
    pub share: f64,
}

/// What is popular in the category last looked at, and some by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowDressing {
    /// The share of places that are filled by chance.
    pub explores: f64,
    /// After how many days a click counts half.
    pub half_life_days: f64,
}

/// One part of what is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// How much of it is wanted.
    pub weight: f64,
    /// The median price, in pounds.
    pub price: f64,
    /// What is earned, as a share of the price.
    pub margin: f64,
    /// How much more it is wanted in winter than in spring (log scale); below 0 in summer.
    pub winter: f64,
    /// How much more in the four weeks to 20 December (log scale).
    pub presents: f64,
    /// After how many days the same is wanted again (e-folding).
    pub again_days: f64,
    /// Kinds of product, each with the kinds that go with it, of any category.
    pub kinds: BTreeMap<String, Vec<String>>,
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
        format!("{}T00:00:00Z", self.start)
            .parse()
            .unwrap_or_default()
    }

    /// What keeps these values from making a world: all of it.
    pub fn problems(&self, file: &str) -> Vec<Diagnostic> {
        let mut found = Found::new(file);
        if format!("{}T00:00:00Z", self.start).parse::<Time>().is_err() {
            found.add("start", &self.start, "write a date such as `2025-01-01`");
        }
        found.weights("regions", self.regions.values());
        self.check_counts(&mut found);
        self.check_shares(&mut found);
        self.check_sizes(&mut found);
        self.check_ranges(&mut found);
        self.check_categories(&mut found);
        found.problems
    }

    fn check_counts(&self, found: &mut Found<'_>) {
        for (name, count) in [
            ("days", self.days as usize),
            ("customers", self.customers as usize),
            ("places", self.places),
            ("goods.products", self.goods.products as usize),
            ("goods.brands", self.goods.brands as usize),
            ("sessions.found", self.sessions.found),
            ("sessions.lists_most", self.sessions.lists_most as usize),
        ] {
            found.positive(name, count as f64);
        }
    }

    fn check_shares(&self, found: &mut Found<'_>) {
        let (visitors, goods, sessions) = (&self.visitors, &self.goods, &self.sessions);
        for (name, share) in [
            ("visitors.came_before", visitors.came_before),
            ("visitors.signed_out", visitors.signed_out),
            ("visitors.phones", visitors.phones),
            ("visitors.checks_out", visitors.checks_out),
            ("visitors.rates", visitors.rates),
            ("goods.brand_style", goods.brand_style),
            ("goods.says_style", goods.says_style),
            ("goods.discontinued", goods.discontinued),
            ("goods.promotions_a_day", goods.promotions_a_day),
            ("sessions.resumes", sessions.resumes),
            ("sessions.completes", sessions.completes),
            ("sessions.searches", sessions.searches),
            ("sessions.follows", sessions.follows),
            ("sessions.turns", sessions.turns),
            (
                "sessions.turns_after_purchase",
                sessions.turns_after_purchase,
            ),
            ("sessions.stays", sessions.stays),
            ("sessions.stays_after_click", sessions.stays_after_click),
            (
                "sessions.stays_after_purchase",
                sessions.stays_after_purchase,
            ),
            ("hides.share", self.hides.share),
            ("window_dressing.explores", self.window_dressing.explores),
        ] {
            found.share(name, share);
        }
    }

    fn check_sizes(&self, found: &mut Found<'_>) {
        let (visitors, goods, interest) = (&self.visitors, &self.goods, &self.interest);
        for (name, value) in [
            ("visitors.sessions_a_week", visitors.sessions_a_week),
            ("visitors.sessions_shape", visitors.sessions_shape),
            ("visitors.style_drift_days", visitors.style_drift_days),
            ("visitors.thrift", visitors.thrift[0]),
            ("goods.stock", goods.stock),
            ("interest.newness_days", interest.newness_days),
            (
                "window_dressing.half_life_days",
                self.window_dressing.half_life_days,
            ),
        ] {
            found.positive(name, value);
        }
        for (name, value) in [
            ("visitors.category_spread", visitors.category_spread),
            ("visitors.region_spread", visitors.region_spread),
            ("visitors.level_spread", visitors.level_spread),
            ("visitors.thrift", visitors.thrift[1]),
            ("goods.new_a_day", goods.new_a_day),
            ("goods.brand_price_spread", goods.brand_price_spread),
            ("goods.price_spread", goods.price_spread),
            ("goods.margin_spread", goods.margin_spread),
            ("goods.appeal_spread", goods.appeal_spread),
            ("goods.stock_spread", goods.stock_spread),
            (
                "sessions.resumes_within_days",
                self.sessions.resumes_within_days,
            ),
            (
                "sessions.completes_within_days",
                self.sessions.completes_within_days,
            ),
            ("sessions.moment_spread", self.sessions.moment_spread),
            ("interest.owned", interest.owned),
            ("interest.sated", interest.sated),
            ("interest.seen", interest.seen),
            ("examination.desktop", self.examination.desktop),
            ("examination.phone", self.examination.phone),
        ] {
            found.not_negative(name, value);
        }
    }

    fn check_ranges(&self, found: &mut Found<'_>) {
        for (name, [from, to], most) in [
            (
                "goods.back_after_days",
                self.goods.back_after_days,
                f64::INFINITY,
            ),
            (
                "goods.promotion_days",
                self.goods.promotion_days,
                f64::INFINITY,
            ),
            ("goods.discount", self.goods.discount, 1.0),
        ] {
            if !(0.0 <= from && from <= to && to < most) {
                let written = format!("[{from}, {to}]");
                found.add(name, &written, "write the least and the most, in order");
            }
        }
    }

    fn check_categories(&self, found: &mut Found<'_>) {
        found.weights("categories", self.categories.values().map(|c| &c.weight));
        let mut kinds: Vec<&String> = Vec::new();
        for (name, category) in &self.categories {
            found.positive(&format!("categories.{name}.price"), category.price);
            found.share(&format!("categories.{name}.margin"), category.margin);
            found.positive(
                &format!("categories.{name}.again_days"),
                category.again_days,
            );
            if category.kinds.is_empty() {
                let key = format!("categories.{name}.kinds");
                found.add(&key, "{}", "name a kind of product at least");
            }
            kinds.extend(category.kinds.keys());
        }
        for (name, category) in &self.categories {
            for (kind, others) in &category.kinds {
                if kinds.iter().filter(|known| **known == kind).count() > 1 {
                    let key = format!("categories.{name}.kinds");
                    found.add(&key, kind, "a kind belongs to one category");
                }
                for other in others.iter().filter(|other| !kinds.contains(other)) {
                    let key = format!("categories.{name}.kinds.{kind}");
                    found.add(&key, other, "name a kind of any category");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::WORLD;
    use super::*;

    #[test]
    fn all_bad_values_are_reported_at_once() {
        let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
        parameters.start = "in autumn".into();
        parameters.goods.discount = [0.5, 0.1];
        parameters.visitors.phones = 1.5;
        parameters.interest.newness_days = 0.0;
        let category = parameters.categories.values_mut().next().unwrap();
        category.kinds.insert("teapot".into(), vec!["cosy".into()]);
        let problems = parameters.problems("world.yaml");
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(problems.iter().any(|found| found.message.contains("cosy")));
    }
}
