//! What is true of a visit: every chance, what a list is worth on average, and the best list.

use std::sync::Arc;

use super::World;
use super::choice::{Chance, examined};

/// What a list is best at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Clicks.
    Clicks,
    /// Purchases.
    Purchases,
    /// What is paid.
    Revenue,
}

/// What comes of a list on average, beyond chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Clicks.
    pub clicks: f64,
    /// Purchases.
    pub purchases: f64,
    /// What is paid, in pence.
    pub pence: f64,
}

impl Aim {
    /// What one product has of it where it is looked at.
    fn of(self, chance: &Chance) -> f64 {
        match self {
            Aim::Clicks => chance.click,
            Aim::Purchases => chance.sale(),
            Aim::Revenue => chance.revenue(),
        }
    }
}

impl World {
    /// All chances of the visit that waits, of what is on sale; empty where none waits.
    pub fn chances(&self) -> Vec<Chance> {
        let Some((session, now_ms)) = &self.waiting else {
            return Vec::new();
        };
        let products = self.goods.on_sale();
        products
            .map(|product| self.chance(session, product, *now_ms))
            .collect()
    }

    /// The list that is best on average for the visit that waits: products in the order of what
    /// each has of the aim, as examination falls with the place whatever stands there.
    pub fn best(&self, aim: Aim) -> Vec<Arc<str>> {
        self.ids(&self.best_numbers(aim))
    }

    pub(super) fn best_numbers(&self, aim: Aim) -> Vec<usize> {
        let mut chances = self.chances();
        chances.sort_by(|a, b| {
            let of = aim.of(b).total_cmp(&aim.of(a));
            of.then(a.product.cmp(&b.product))
        });
        chances.truncate(self.parameters.places);
        chances.iter().map(|chance| chance.product).collect()
    }

    /// What comes of a list of ids for the visit that waits, on average; ids that are unknown add
    /// nothing, nor do those beyond the places.
    pub fn expected(&self, list: &[&str]) -> Expected {
        let shown = list.iter().take(self.parameters.places);
        let places = shown.map(|id| self.goods.number(id));
        self.expected_of(places.enumerate().filter_map(|(at, p)| Some((at, p?))))
    }

    pub(super) fn expected_of(&self, list: impl Iterator<Item = (usize, usize)>) -> Expected {
        let mut sum = Expected::default();
        let Some((session, now_ms)) = &self.waiting else {
            return sum;
        };
        for (place, product) in list {
            let looks = examined(&self.parameters, session.phone, place);
            let chance = self.chance(session, product, *now_ms);
            sum.clicks += looks * chance.click;
            sum.purchases += looks * chance.sale();
            sum.pence += looks * chance.revenue();
        }
        sum
    }
}
