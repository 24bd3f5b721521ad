//! What a visitor makes of a product at a moment: the chances that the world is about.
//!
//! A click on a product that was looked at has the log odds
//!
//! ```text
//! level + what is wanted now (kind, beside, category) + taste in categories + pull
//!       + newness − owned, sated (fading) − seen
//! pull = style · taste + moment · what is wanted + fashion + brand + appeal − price · distance²
//! ```
//!
//! and putting into the cart what was opened those of `level + pull · buying.pull − thrift · excess`,
//! where the excess is how far the price lies above what the visitor is used to.

use super::goods::{Goods, STYLES, Style};
use super::parameters::{Category, Parameters};
use super::session::Session;
use super::visitors::Visitor;
use super::{DAY_MS, World};

/// Days in which fashion goes once around.
const FASHION_DAYS: f64 = 150.0;
/// The middle of winter, in days of the year from 1 January.
const WINTER_DAY: f64 = 15.0;
/// The four weeks to 20 December.
const PRESENTS: std::ops::Range<f64> = 326.0..354.0;
/// Where log odds of prices are cut off: nobody looks further.
const APART_MOST: f64 = 1.5;

/// What is true of a product for a visitor at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The number of the product.
    pub product: usize,
    /// The chance of a click where it is looked at.
    pub click: f64,
    /// The chance that it is put into the cart once it is opened.
    pub cart: f64,
    /// The chance that it is bought once it is opened.
    pub purchase: f64,
    /// What it costs, in pence.
    pub price: i64,
    /// The log odds of the click, and what of them is the product's own.
    pub(crate) interest: f64,
    pub(crate) pull: f64,
}

impl Chance {
    /// The chance that it is bought where it is looked at.
    pub fn sale(&self) -> f64 {
        self.click * self.purchase
    }

    /// What is taken on average where it is looked at, in pence.
    pub fn revenue(&self) -> f64 {
        self.sale() * self.price as f64
    }
}

impl World {
    /// What a product is to a visitor now.
    pub(super) fn chance(&self, session: &Session, product: usize, now_ms: i64) -> Chance {
        let visitor = &self.visitors[session.who];
        let pull = self.pull(session, product, now_ms);
        let interest = self.parameters.interest.level
            + self.wanted(session, visitor, product)
            + pull
            + self.freshness(product, now_ms)
            - self.weariness(session, visitor, product, now_ms);
        let goods = &self.goods.products[product];
        let buying = &self.parameters.buying;
        let excess = (self.goods.dear(product) - visitor.level).clamp(0.0, APART_MOST);
        let cart = odds(buying.level + buying.pull * pull - visitor.thrift * excess);
        let hidden = visitor.hidden.contains(&product);
        let can_be_had = f64::from(u8::from(goods.on_sale()));
        Chance {
            product,
            click: if hidden { 0.0 } else { odds(interest) },
            cart: cart * can_be_had,
            purchase: cart * can_be_had * self.parameters.visitors.checks_out,
            price: goods.price,
            interest,
            pull,
        }
    }

    /// What is wanted now, and how far the product is that.
    fn wanted(&self, session: &Session, visitor: &Visitor, product: usize) -> f64 {
        let interest = &self.parameters.interest;
        let (kind, wanted) = (self.goods.products[product].kind, session.wants.kind);
        let category = self.goods.kinds[kind].category;
        let taste = interest.taste * f64::from(visitor.categories[category]);
        let near = if kind == wanted {
            interest.kind
        } else if self.goods.kinds[wanted].beside.contains(&kind) {
            interest.beside
        } else if self.goods.kinds[wanted].category == category {
            interest.category
        } else {
            0.0
        };
        near + taste
    }

    /// What the product is to the visitor whatever is wanted.
    fn pull(&self, session: &Session, product: usize, now_ms: i64) -> f64 {
        let interest = &self.parameters.interest;
        let visitor = &self.visitors[session.who];
        let goods = &self.goods.products[product];
        let apart = self.goods.dear(product) - visitor.level;
        let apart = apart.clamp(-APART_MOST, APART_MOST);
        let liked = f64::from(u8::from(visitor.brands.contains(&goods.brand)));
        let fashion = fashion((now_ms - self.start_ms()) as f64 / DAY_MS as f64);
        interest.style * alike(&visitor.taste, &goods.style)
            + interest.moment * alike(&session.wants.style, &goods.style)
            + interest.fashion * alike(&fashion, &goods.style)
            + interest.brand * liked
            + goods.appeal
            - interest.price * apart * apart
    }

    fn freshness(&self, product: usize, now_ms: i64) -> f64 {
        let interest = &self.parameters.interest;
        let days = (now_ms - self.goods.products[product].since_ms) as f64 / DAY_MS as f64;
        interest.newness * (-days / interest.newness_days).exp()
    }

    /// What has been bought, or shown too often.
    fn weariness(&self, session: &Session, visitor: &Visitor, product: usize, now_ms: i64) -> f64 {
        let interest = &self.parameters.interest;
        let kind = self.goods.products[product].kind;
        let again = self.goods.categories[self.goods.kinds[kind].category]
            .1
            .again_days;
        let (mut owned, mut sated) = (0.0_f64, 0.0_f64);
        for bought in &visitor.bought {
            let days = (now_ms - bought.at_ms) as f64 / DAY_MS as f64;
            let kept = (-days / again).exp();
            if bought.product == product {
                owned = owned.max(kept);
            }
            if self.goods.products[bought.product].kind == kind {
                sated = sated.max(kept);
            }
        }
        let seen = session.seen.get(&product).copied().unwrap_or(0);
        interest.owned * owned + interest.sated * sated + interest.seen * f64::from(seen)
    }
}

/// How much a category is wanted on a day counted from 1970, by the season (log scale).
pub(crate) fn season(category: &Category, day: i64) -> f64 {
    let of_year = (day as f64).rem_euclid(365.25);
    let angle = std::f64::consts::TAU * (of_year - WINTER_DAY) / 365.25;
    let presents = f64::from(u8::from(PRESENTS.contains(&of_year)));
    category.winter * angle.cos() + category.presents * presents
}

/// The weight of each kind among what a visitor may want on a day.
pub(crate) fn wants(goods: &Goods, visitor: &Visitor, day: i64) -> Vec<f64> {
    let kinds = goods.kinds.iter();
    let weight = kinds.map(|kind| {
        let taste = f64::from(visitor.categories[kind.category]);
        kind.share * (taste + season(&goods.categories[kind.category].1, day)).exp()
    });
    weight.collect()
}

/// The style that is in fashion: all go round, each begins elsewhere.
fn fashion(days: f64) -> Style {
    let angle = std::f64::consts::TAU * days / FASHION_DAYS;
    std::array::from_fn(|at| (angle + at as f64).cos() as f32 * std::f32::consts::SQRT_2)
}

/// The product of two styles, of variance 1.
fn alike(a: &Style, b: &Style) -> f64 {
    let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    f64::from(product) / (STYLES as f64).sqrt()
}

/// How likely a place is looked at, counted from 0.
pub(crate) fn examined(parameters: &Parameters, phone: bool, place: usize) -> f64 {
    let power = match phone {
        true => parameters.examination.phone,
        false => parameters.examination.desktop,
    };
    (place as f64 + 1.0).powf(-power)
}

pub(crate) fn odds(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}
