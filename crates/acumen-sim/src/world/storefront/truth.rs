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
        self.keep_best(&mut chances, aim);
        chances.iter().map(|chance| chance.product).collect()
    }

    /// The most that any list could have for the visit that waits, on average: of clicks, of
    /// purchases and of what is paid, by three lists.
    pub fn most(&self) -> Expected {
        let (chances, mut most) = (self.chances(), Expected::default());
        for aim in [Aim::Clicks, Aim::Purchases, Aim::Revenue] {
            let mut best = chances.clone();
            self.keep_best(&mut best, aim);
            let sum = self.sum(best.iter().enumerate());
            match aim {
                Aim::Clicks => most.clicks = sum.clicks,
                Aim::Purchases => most.purchases = sum.purchases,
                Aim::Revenue => most.pence = sum.pence,
            }
        }
        most
    }

    /// Keeps what fills a list, the best first.
    fn keep_best(&self, chances: &mut Vec<Chance>, aim: Aim) {
        let by = |a: &Chance, b: &Chance| {
            let of = aim.of(b).total_cmp(&aim.of(a));
            of.then(a.product.cmp(&b.product))
        };
        let places = self.parameters.places;
        if chances.len() > places {
            chances.select_nth_unstable_by(places - 1, by);
            chances.truncate(places);
        }
        chances.sort_by(by);
    }

    /// What comes of a list of ids for the visit that waits, on average; ids that are unknown add
    /// nothing, nor do those beyond the places.
    pub fn expected(&self, list: &[&str]) -> Expected {
        let Some((session, now_ms)) = &self.waiting else {
            return Expected::default();
        };
        let chance = |id: &&str| {
            let product = self.goods.number(id)?;
            Some(self.chance(session, product, *now_ms))
        };
        let shown = list.iter().take(self.parameters.places);
        let chances: Vec<Option<Chance>> = shown.map(chance).collect();
        let known = chances.iter().enumerate();
        self.sum(known.filter_map(|(place, chance)| Some((place, chance.as_ref()?))))
    }

    fn sum<'a>(&self, places: impl Iterator<Item = (usize, &'a Chance)>) -> Expected {
        let mut sum = Expected::default();
        let Some((session, _)) = &self.waiting else {
            return sum;
        };
        for (place, chance) in places {
            let looks = examined(&self.parameters, session.phone, place);
            sum.clicks += looks * chance.click;
            sum.purchases += looks * chance.sale();
            sum.pence += looks * chance.revenue();
        }
        sum
    }
}
