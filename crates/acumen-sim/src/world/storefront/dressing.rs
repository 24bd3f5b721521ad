//! Lists for want of anybody who makes them: what is popular in the category last looked at, and
//! some places by chance, so that a log carries what nobody would have shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;

use super::parameters::WindowDressing;
use super::{DAY_MS, World};

/// How much each product was looked at and bought lately.
#[derive(Clone, Debug)]
pub(crate) struct Popularity {
    half_life_ms: f64,
    /// A weight, and when it was that.
    of: BTreeMap<usize, (f64, i64)>,
}

impl Popularity {
    pub(crate) fn new(parameters: &WindowDressing) -> Popularity {
        Popularity {
            half_life_ms: parameters.half_life_days * DAY_MS as f64,
            of: BTreeMap::new(),
        }
    }

    /// Notes that something was done with a product.
    pub(crate) fn note(&mut self, product: usize, weight: f64, at_ms: i64) {
        let now = self.at(product, at_ms) + weight;
        self.of.insert(product, (now, at_ms));
    }

    fn at(&self, product: usize, now_ms: i64) -> f64 {
        let known = self.of.get(&product);
        known.map_or(0.0, |(weight, at_ms)| {
            weight * (-((now_ms - at_ms) as f64) / self.half_life_ms).exp2()
        })
    }
}

impl World {
    /// The list that the visitor who waits would be shown for want of another; empty where nobody
    /// waits. The same visit gives the same list.
    pub fn dressed(&self) -> Vec<Arc<str>> {
        self.ids(&self.dressed_numbers())
    }

    pub(super) fn dressed_numbers(&self) -> Vec<usize> {
        let Some((session, now_ms)) = &self.waiting else {
            return Vec::new();
        };
        let hidden = &self.visitors[session.who].hidden;
        let may = |product: &usize| !(session.signed_in && hidden.contains(product));
        let mut open: Vec<usize> = self.goods.on_sale().filter(may).collect();
        let category = session
            .looked_at
            .map(|product| self.goods.category(product));
        let there = |product: usize| category.is_none_or(|c| self.goods.category(product) == c);
        let mut popular: Vec<(bool, f64, usize)> = open
            .iter()
            .map(|&product| {
                (
                    there(product),
                    self.popularity.at(product, *now_ms),
                    product,
                )
            })
            .collect();
        popular.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        let mut popular = popular.into_iter().map(|(_, _, product)| product);
        let mut random = self.random(&format!("list {}", self.lists));
        let mut list: Vec<usize> = Vec::with_capacity(self.parameters.places);
        while list.len() < self.parameters.places && list.len() < open.len() {
            if random.random::<f64>() < self.parameters.window_dressing.explores {
                let at = random.random_range(0..open.len());
                // What is already in the list is drawn again.
                if !list.contains(&open[at]) {
                    list.push(open.swap_remove(at));
                }
            } else if let Some(next) = popular.find(|product| !list.contains(product)) {
                list.push(next);
            }
        }
        list
    }

    /// The ids of products.
    pub(super) fn ids(&self, numbers: &[usize]) -> Vec<Arc<str>> {
        let products = numbers.iter().map(|&number| &self.goods.products[number]);
        products.map(|product| Arc::clone(&product.id)).collect()
    }
}
