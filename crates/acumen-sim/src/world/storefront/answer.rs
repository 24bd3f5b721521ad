//! What a visitor does with a list.

use acumen_base::Value;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::choice::{Chance, examined};
use super::event_types::Kind;
use super::session::Session;
use super::visitors::Bought;
use super::{DAY_MS, World};
use crate::world::account;

/// Seconds that a step takes, at least and at most.
const STEP_SECONDS: std::ops::Range<i64> = 3..40;
/// Days after which what was bought is rated, at least and at most.
const RATED_AFTER_DAYS: [f64; 2] = [3.0, 20.0];
/// Stars of a product that is nothing to its buyer, what it being more adds, and how far people
/// differ.
const STARS: [f64; 3] = [3.2, 0.5, 0.7];

/// What came of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Products shown.
    pub shown: u32,
    /// Clicks.
    pub clicks: u32,
    /// Purchases.
    pub purchases: u32,
    /// What was paid, in pence.
    pub pence: i64,
}

/// Why a list is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nobody waits.
    #[error("no visit waits for a list: answer once after each")]
    NobodyWaits,
    /// A product that there is not.
    #[error("there is no product `{0}`: list ids of product events")]
    Unknown(String),
    /// A product twice.
    #[error("`{0}` stands in the list twice")]
    Twice(String),
}

/// What was done with a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Impression,
    View,
    Click,
    Cart,
    /// For so many pence.
    Purchase(i64),
    /// With so many stars.
    Rating(f64),
    Hide,
}

/// Where a product was seen: the list, and its place in it from 1.
pub(crate) type Seen<'a> = Option<(&'a str, usize)>;

impl World {
    /// Shows the visitor who waits a list of ids, of which the first `places` are seen. `name` is
    /// the list's own, such as the id of a decision.
    ///
    /// # Errors
    /// Where nobody waits, and for ids that are unknown or stand in it twice; the visitor then
    /// waits on.
    pub fn answer(&mut self, list: &[&str], name: &str) -> Result<Outcome, AnswerError> {
        if self.waiting.is_none() {
            return Err(AnswerError::NobodyWaits);
        }
        let mut numbers = Vec::with_capacity(list.len());
        for &id in list {
            let number = self.goods.number(id);
            let number = number.ok_or_else(|| AnswerError::Unknown(id.to_owned()))?;
            if numbers.contains(&number) {
                return Err(AnswerError::Twice(id.to_owned()));
            }
            numbers.push(number);
        }
        Ok(self.show(&numbers, name))
    }

    /// Shows the visitor who waits a list; nothing happens where nobody does.
    pub(super) fn show(&mut self, list: &[usize], name: &str) -> Outcome {
        let Some((mut session, mut at_ms)) = self.waiting.take() else {
            return Outcome::default();
        };
        let mut random = self.random(&format!("session {} {}", session.number, session.lists));
        let list = &list[..list.len().min(self.parameters.places)];
        // Everything is judged as it is when the list appears.
        let chances: Vec<Chance> = list
            .iter()
            .map(|&product| self.chance(&session, product, at_ms))
            .collect();
        for (place, &product) in list.iter().enumerate() {
            let seen = Some((name, place + 1));
            self.feedback(&session, Action::Impression, product, seen, at_ms);
            *session.seen.entry(product).or_insert(0) += 1;
        }
        let mut outcome = Outcome {
            shown: list.len() as u32,
            ..Outcome::default()
        };
        for (place, chance) in chances.iter().enumerate() {
            let [looks, clicks, hides]: [f64; 3] = std::array::from_fn(|_| random.random());
            let seen = Some((name, place + 1));
            if looks >= examined(&self.parameters, session.phone, place) {
                continue;
            }
            if clicks < chance.click {
                at_ms += 1_000 * random.random_range(STEP_SECONDS);
                self.feedback(&session, Action::Click, chance.product, seen, at_ms);
                let (later_ms, paid) = self.look(&mut session, chance, seen, at_ms, &mut random);
                at_ms = later_ms;
                outcome.clicks += 1;
                outcome.purchases += u32::from(paid.is_some());
                outcome.pence += paid.unwrap_or(0);
            } else if chance.interest < self.parameters.hides.below
                && hides < self.parameters.hides.share
                && self.visitors[session.who].hidden.insert(chance.product)
            {
                self.feedback(&session, Action::Hide, chance.product, seen, at_ms + 1_000);
            }
        }
        let happened = (outcome.clicks > 0, outcome.purchases > 0);
        self.go_on(session, happened, at_ms, &mut random);
        outcome
    }

    /// A product's own page: what is wanted moves towards it, and it may be bought. Gives when
    /// that is done, and what was paid.
    pub(super) fn look(
        &mut self,
        session: &mut Session,
        chance: &Chance,
        seen: Seen<'_>,
        at_ms: i64,
        random: &mut ChaCha8Rng,
    ) -> (i64, Option<i64>) {
        let product = chance.product;
        let follows = self.parameters.sessions.follows as f32;
        let style = self.goods.products[product].style;
        for (wanted, style) in session.wants.style.iter_mut().zip(style) {
            *wanted += follows * (style - *wanted);
        }
        session.looked_at = Some(product);
        session.unfinished = true;
        self.popularity.note(product, 1.0, at_ms);
        let [carts, pays]: [f64; 2] = std::array::from_fn(|_| random.random());
        let at_ms = at_ms + 1_000 * random.random_range(STEP_SECONDS);
        if carts >= chance.cart || !self.goods.products[product].on_sale() {
            return (at_ms, None);
        }
        self.feedback(session, Action::Cart, product, seen, at_ms);
        if pays >= self.parameters.visitors.checks_out {
            return (at_ms, None);
        }
        let at_ms = at_ms + 1_000 * random.random_range(STEP_SECONDS);
        self.buy(session, chance, seen, at_ms, random);
        session.unfinished = false;
        (at_ms, Some(chance.price))
    }

    fn buy(
        &mut self,
        session: &Session,
        chance: &Chance,
        seen: Seen<'_>,
        at_ms: i64,
        random: &mut ChaCha8Rng,
    ) {
        let product = chance.product;
        self.feedback(
            session,
            Action::Purchase(chance.price),
            product,
            seen,
            at_ms,
        );
        self.popularity.note(product, 5.0, at_ms);
        self.visitors[session.who]
            .bought
            .push(Bought { product, at_ms });
        self.sell(product, at_ms, random);
        let [rates, when]: [f64; 2] = std::array::from_fn(|_| random.random());
        let apart: f64 = super::goods::normal(random);
        if session.signed_in && rates < self.parameters.visitors.rates {
            let [least, most] = RATED_AFTER_DAYS;
            let days = least + (most - least) * when;
            let stars = STARS[0] + STARS[1] * chance.pull + STARS[2] * apart;
            let rating = Action::Rating(stars.round().clamp(1.0, 5.0));
            let later_ms = at_ms + (days * DAY_MS as f64) as i64;
            self.feedback(session, rating, product, None, later_ms);
        }
    }

    /// Tells what was done with a product.
    pub(super) fn feedback(
        &mut self,
        session: &Session,
        action: Action,
        product: usize,
        seen: Seen<'_>,
        at_ms: i64,
    ) {
        let (kind, stars, amount) = match action {
            Action::Impression => ("impression", None, None),
            Action::View => ("view", None, None),
            Action::Click => ("click", None, None),
            Action::Cart => ("cart", None, None),
            Action::Purchase(pence) => ("purchase", None, Some(pence)),
            Action::Rating(stars) => ("rating", Some(stars), None),
            Action::Hide => ("hide", None, None),
        };
        let customer = || Value::Text(account::id(session.who).into());
        let or_missing = |value: Option<Value>| value.unwrap_or_default();
        let mut values = [
            or_missing(session.signed_in.then(customer)),
            Value::Text(session.id.clone()),
            Value::Text(self.goods.products[product].id.clone()),
            Value::text(kind),
            or_missing(stars.map(Value::Number)),
            or_missing(amount.map(World::pounds)),
            or_missing(seen.map(|(list, _)| Value::text(list))),
            or_missing(seen.map(|(_, place)| Value::Int(place as i64))),
        ];
        self.tell(Kind::Feedback, at_ms, &mut values);
    }
}
