//! Merchants, and the rates of currencies.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Currency, Seed};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::city::{CITIES, Point, near};
use super::parameters::Parameters;

/// A merchant: in one city, or online.
#[derive(Clone, Debug)]
pub(crate) struct Merchant {
    pub(crate) id: Arc<str>,
    pub(crate) category: usize,
    /// The site; `None` online.
    pub(crate) site: Option<Point>,
    /// Dear or cheap (log scale).
    pub(crate) price: f64,
}

/// All merchants, by category and place.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub(crate) merchants: Vec<Merchant>,
    shops: Vec<Vec<std::ops::Range<usize>>>,
    sellers: Vec<std::ops::Range<usize>>,
    leaks: BTreeMap<i64, Vec<bool>>,
    seed: Seed,
}

impl Market {
    pub(crate) fn open(parameters: &Parameters, seed: Seed, random: &mut ChaCha8Rng) -> Market {
        let mut market = Market {
            merchants: Vec::new(),
            shops: Vec::new(),
            sellers: Vec::new(),
            leaks: BTreeMap::new(),
            seed: seed.derive("leaks"),
        };
        for (category, of) in parameters.categories.values().enumerate() {
            let shops = CITIES.iter().map(|city| {
                let site = |random: &mut ChaCha8Rng| Some(near(city.at, 8.0, random));
                market.found(category, of.shops, site, random)
            });
            let shops = shops.collect();
            market.shops.push(shops);
            let sellers = market.found(category, of.sellers, |_| None, random);
            market.sellers.push(sellers);
        }
        market
    }

    fn found(
        &mut self,
        category: usize,
        count: u32,
        site: impl Fn(&mut ChaCha8Rng) -> Option<Point>,
        random: &mut ChaCha8Rng,
    ) -> std::ops::Range<usize> {
        let from = self.merchants.len();
        for _ in 0..count {
            let price: f64 = StandardNormal.sample(random);
            self.merchants.push(Merchant {
                id: format!("m{:05}", self.merchants.len()).into(),
                category,
                site: site(random),
                price: 0.2 * price,
            });
        }
        from..self.merchants.len()
    }

    /// The merchants of a category: of a city, or online (`None`).
    pub(crate) fn of(&self, category: usize, city: Option<usize>) -> std::ops::Range<usize> {
        match city {
            Some(city) => self.shops[category][city].clone(),
            None => self.sellers[category].clone(),
        }
    }

    /// Whether a merchant at a till leaks cards on a day: decided anew every 30 days.
    pub(crate) fn leaks(&mut self, merchant: usize, day: i64, share: f64) -> bool {
        let month = day / 30;
        self.leaks.retain(|&m, _| m + 1 >= month);
        let (merchants, seed) = (&self.merchants, self.seed);
        let leaks = self.leaks.entry(month).or_insert_with(|| {
            let leaks = |m: &Merchant| seed.unit(&format!("{month}/{}", m.id)) < share;
            merchants
                .iter()
                .map(|m| m.site.is_some() && leaks(m))
                .collect()
        });
        leaks[merchant]
    }
}

/// Pounds for one unit of each currency, drifting daily.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    /// The code, the currency, and pounds for one unit.
    pub(crate) list: Vec<(Arc<str>, Currency, f64)>,
}

impl Rates {
    pub(crate) fn open() -> Rates {
        let known = [
            ("AED", 0.214),
            ("AUD", 0.512),
            ("CHF", 0.885),
            ("EUR", 0.842),
            ("JPY", 0.0052),
            ("PLN", 0.197),
            ("THB", 0.0228),
            ("TRY", 0.0224),
            ("USD", 0.786),
        ];
        let parse = |code: &str| code.parse().expect("the code stands in ISO 4217");
        let list = known.map(|(code, rate)| (Arc::from(code), parse(code), rate));
        Rates {
            list: list.into_iter().collect(),
        }
    }

    pub(crate) fn drift(&mut self, deviation: f64, random: &mut ChaCha8Rng) {
        for (_, _, rate) in &mut self.list {
            let step: f64 = StandardNormal.sample(random);
            *rate *= (deviation * step).exp();
        }
    }

    /// The currency of a city and pounds for one unit of it.
    pub(crate) fn of(&self, city: usize) -> (Currency, f64) {
        let code = CITIES[city].currency;
        let found = self.list.iter().find(|(known, ..)| &**known == code);
        found.map_or((Currency::GBP, 1.0), |&(_, currency, rate)| {
            (currency, rate)
        })
    }
}

/// A merchant drawn for a customer: a usual one, or any.
///
/// Returns the merchant, whether it is one of the three usual ones, and by what chance one drawn
/// at random is.
pub(crate) fn choose(
    range: std::ops::Range<usize>,
    favourite: usize,
    usual: f64,
    random: &mut ChaCha8Rng,
) -> (usize, bool, f64) {
    let count = range.len();
    let favourites = count.min(3);
    let offset = if random.random::<f64>() < usual {
        random.random_range(0..favourites)
    } else {
        random.random_range(0..count)
    };
    let merchant = range.start + (favourite + offset) % count;
    (
        merchant,
        offset < favourites,
        favourites as f64 / count as f64,
    )
}
