//! What a shop knows from its events alone: products as they are now, and what each visitor did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acumen_base::{Event, Span, Time, Value};
use acumen_model::recommend::{Attributes, InteractionColumns, Interactions};

use crate::report::Failure;

/// How much what was done tells of interest; a hide of the lack of it.
const WEIGHTS: [(&str, f32); 5] = [
    ("view", 1.0),
    ("click", 1.0),
    ("cart", 2.0),
    ("purchase", 3.0),
    ("hide", -3.0),
];
/// What was bought is not shown again for so long.
const BOUGHT: Span = Span::days(30);
/// Prices of one step are alike (log scale).
const PRICE_STEP: f64 = 0.35;

/// A product as it was told of last.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) id: Arc<str>,
    category: Arc<str>,
    brand: Arc<str>,
    title: Arc<str>,
    /// In pounds.
    pub(super) price: f64,
    on_sale: bool,
}

/// What a visitor did: items and how much each event tells, the oldest first. Steps that follow
/// each other with one item are one, that tells as much as the strongest of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Visitor {
    pub(super) items: Vec<u32>,
    pub(super) weights: Vec<f32>,
    times: Vec<Time>,
    /// The session of the last step.
    session: Option<Arc<str>>,
    hidden: BTreeSet<u32>,
    bought: Vec<(u32, Time)>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    pub(super) products: Vec<Product>,
    by_id: BTreeMap<Arc<str>, u32>,
    visitors: BTreeMap<Arc<str>, Visitor>,
}

impl Shelf {
    pub(super) fn observe(&mut self, event: &Event) {
        let text = |field: &str| match event.value(field) {
            Value::Text(text) => Some(Arc::clone(text)),
            _ => None,
        };
        let Some(id) = text("product_id") else {
            return;
        };
        if event.kind.name == "product" {
            self.note(id, event);
            return;
        }
        let Some(&item) = self.by_id.get(&id) else {
            return;
        };
        let kind = text("kind").unwrap_or_default();
        let known = WEIGHTS.iter().find(|(name, _)| *name == &*kind);
        let session = text("session_id");
        let (Some(&(_, weight)), Some(user)) = (known, text("customer_id").or(session.clone()))
        else {
            return;
        };
        let visitor = self.visitors.entry(user).or_default();
        visitor.step(item, weight, event.event_time);
        visitor.session = session;
        if &*kind == "purchase" {
            visitor.bought.push((item, event.event_time));
        }
    }

    fn note(&mut self, id: Arc<str>, event: &Event) {
        let text = |field: &str| match event.value(field) {
            Value::Text(text) => Arc::clone(text),
            _ => "".into(),
        };
        let price = event.value("price").as_money();
        let stocked = matches!(event.value("stock"), Value::Int(count) if *count > 0);
        let product = Product {
            id: Arc::clone(&id),
            category: text("category"),
            brand: text("brand"),
            title: text("title"),
            price: price.map_or(0.0, |price| price.major()),
            on_sale: stocked && *event.value("hidden") != Value::Bool(true),
        };
        match self.by_id.get(&id) {
            Some(&item) => self.products[item as usize] = product,
            None => {
                self.by_id.insert(id, self.products.len() as u32);
                self.products.push(product);
            }
        }
    }

    /// What a visitor did.
    pub(super) fn visitor(&self, user: &str) -> Option<&Visitor> {
        self.visitors.get(user)
    }

    /// Which of the first products a visitor may be shown.
    pub(super) fn may_be_shown(&self, count: usize, who: Option<&Visitor>, at: Time) -> Vec<bool> {
        let products = self.products[..count].iter();
        let mut may: Vec<bool> = products.map(|product| product.on_sale).collect();
        let mut leave_out = |item: u32| {
            if let Some(may) = may.get_mut(item as usize) {
                *may = false;
            }
        };
        if let Some(who) = who {
            who.hidden.iter().for_each(|item| leave_out(*item));
            let lately = who.bought.iter().filter(|(_, when)| at - *when < BOUGHT);
            lately.for_each(|(item, _)| leave_out(*item));
        }
        may
    }

    /// All that was done, as columns.
    pub(super) fn interactions(&self) -> Result<Interactions, Failure> {
        let (mut users, mut items, mut times, mut weights) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (user, visitor) in (0_u32..).zip(self.visitors.values()) {
            users.resize(users.len() + visitor.items.len(), user);
            items.extend_from_slice(&visitor.items);
            times.extend_from_slice(&visitor.times);
            weights.extend_from_slice(&visitor.weights);
        }
        let columns = InteractionColumns {
            user: &users,
            item: &items,
            time: &times,
            weight: &weights,
        };
        Ok(Interactions::new(
            self.visitors.len(),
            self.products.len(),
            &columns,
        )?)
    }

    /// What products are like.
    pub(super) fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::new(self.products.len());
        for (item, product) in (0_u32..).zip(&self.products) {
            attributes.value(item, "category", &product.category);
            attributes.value(item, "brand", &product.brand);
            attributes.text(item, "title", &product.title);
            let tier = (product.price.max(0.01).ln() / PRICE_STEP).round();
            attributes.value(item, "price", &tier.to_string());
        }
        attributes
    }
}

impl Visitor {
    fn step(&mut self, item: u32, weight: f32, at: Time) {
        if weight < 0.0 {
            self.hidden.insert(item);
        }
        match (self.items.last(), self.weights.last_mut()) {
            (Some(last), Some(before)) if *last == item && *before > 0.0 && weight > 0.0 => {
                *before = before.max(weight);
            }
            _ => {
                self.items.push(item);
                self.weights.push(weight);
                self.times.push(at);
            }
        }
    }

    /// Whether something was done in this session already.
    pub(super) fn is_in(&self, session: &str) -> bool {
        self.session.as_deref() == Some(session)
    }
}
