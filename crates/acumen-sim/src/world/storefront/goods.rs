//! What is sold: kinds of product, brands, and the products themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::parameters::{Category, Goods as Parameters};
use crate::world::chance::pick;

/// How many numbers a style is.
pub(crate) const STYLES: usize = 6;
/// A style, of a product or a taste: numbers of mean 0 and variance 1.
pub(crate) type Style = [f32; STYLES];

/// What titles call a style that is above 0, and one below.
const WORDS: [[[&str; 2]; 2]; STYLES] = [
    [["plain", "minimal"], ["ornate", "patterned"]],
    [["classic", "vintage"], ["modern", "urban"]],
    [["soft", "cosy"], ["sturdy", "rugged"]],
    [["bright", "colourful"], ["dark", "muted"]],
    [["natural", "handmade"], ["technical", "smart"]],
    [["playful", "casual"], ["formal", "elegant"]],
];
/// How far kinds of one category differ in how much they are wanted (log scale).
const KIND_SPREAD: f64 = 0.5;
/// In how many categories a brand sells at most.
const SELLS_MOST: usize = 3;
/// The least that is earned and paid, as a share of the price.
const MARGIN_RANGE: [f64; 2] = [0.02, 0.9];

/// A kind of product.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: Arc<str>,
    pub(crate) category: usize,
    /// How much of it is wanted, among all kinds.
    pub(crate) share: f64,
    /// The kinds that go with it.
    pub(crate) beside: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Brand {
    name: Arc<str>,
    style: Style,
    /// Its prices against those of others, log scale.
    price: f64,
    sells: Vec<usize>,
}

/// A product; its number is its place in the list of all.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) id: Arc<str>,
    pub(crate) kind: usize,
    pub(crate) brand: usize,
    pub(crate) title: Arc<str>,
    pub(crate) style: Style,
    /// What everybody sees in it, log odds.
    pub(crate) appeal: f64,
    /// Prices in pence: what it costs the shop, at full price, and now.
    pub(crate) cost: i64,
    pub(crate) full: i64,
    pub(crate) price: i64,
    pub(crate) stock: u32,
    /// How many are stocked at a time.
    pub(crate) lot: u32,
    pub(crate) hidden: bool,
    /// When it was new.
    pub(crate) since_ms: i64,
}

/// All that is and was sold.
#[derive(Clone, Debug)]
pub(crate) struct Goods {
    pub(crate) categories: Vec<(Arc<str>, Category)>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) products: Vec<Product>,
    brands: Vec<Brand>,
    by_id: BTreeMap<Arc<str>, usize>,
}

impl Product {
    /// Whether it may be shown.
    pub(crate) fn on_sale(&self) -> bool {
        self.stock > 0 && !self.hidden
    }
}

impl Goods {
    /// Kinds and brands, without any products yet.
    pub(crate) fn new(
        categories: &BTreeMap<String, Category>,
        parameters: &Parameters,
        random: &mut ChaCha8Rng,
    ) -> Goods {
        let named = categories.iter();
        let categories: Vec<(Arc<str>, Category)> = named
            .map(|(name, category)| (name.as_str().into(), category.clone()))
            .collect();
        let kinds = kinds(&categories, random);
        let brand = |number| Brand {
            name: format!("brand {number}").into(),
            style: style(random),
            price: parameters.brand_price_spread * normal(random),
            sells: (0..random.random_range(1..=SELLS_MOST))
                .map(|_| pick(categories.iter().map(|(_, c)| c.weight), random))
                .collect(),
        };
        Goods {
            brands: (1..=parameters.brands).map(brand).collect(),
            kinds,
            categories,
            products: Vec::new(),
            by_id: BTreeMap::new(),
        }
    }

    /// Adds a product, new at an instant, and gives its number. `scale` is by what lots are larger
    /// than for a thousand customers.
    pub(crate) fn add(
        &mut self,
        since_ms: i64,
        (parameters, scale): (&Parameters, f64),
        random: &mut ChaCha8Rng,
    ) -> usize {
        let kind = pick(self.kinds.iter().map(|kind| kind.share), random);
        let category = self.kinds[kind].category;
        // A category that no brand sells in is served by all.
        let sells = |brand: &Brand| f64::from(u8::from(brand.sells.contains(&category))) + 1e-9;
        let brand = pick(self.brands.iter().map(sells), random);
        let own = style(random);
        let of_brand = parameters.brand_style as f32;
        let style: Style = std::array::from_fn(|at| {
            of_brand.sqrt() * self.brands[brand].style[at] + (1.0 - of_brand).sqrt() * own[at]
        });
        let category = &self.categories[category].1;
        let apart = self.brands[brand].price + parameters.price_spread * normal(random);
        let full = (100.0 * category.price * apart.exp()).round().max(1.0);
        let earned = category.margin + parameters.margin_spread * normal(random);
        let cost = full * (1.0 - earned.clamp(MARGIN_RANGE[0], MARGIN_RANGE[1]));
        let lot = parameters.stock * scale * (parameters.stock_spread * normal(random)).exp();
        let lot = lot.round().max(1.0) as u32;
        let number = self.products.len();
        let id: Arc<str> = format!("p{number:06}").into();
        self.by_id.insert(Arc::clone(&id), number);
        self.products.push(Product {
            id,
            kind,
            brand,
            title: title(
                &style,
                &self.kinds[kind].name,
                parameters.says_style,
                random,
            ),
            style,
            appeal: parameters.appeal_spread * normal(random),
            cost: cost.round() as i64,
            full: full as i64,
            price: full as i64,
            stock: lot,
            lot,
            hidden: false,
            since_ms,
        });
        number
    }

    /// The number of a product.
    pub(crate) fn number(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn brand(&self, product: usize) -> &Arc<str> {
        &self.brands[self.products[product].brand].name
    }

    pub(crate) fn brands(&self) -> usize {
        self.brands.len()
    }

    pub(crate) fn category(&self, product: usize) -> usize {
        self.kinds[self.products[product].kind].category
    }

    /// How far the price of a product is above (log scale) the median of its category.
    pub(crate) fn dear(&self, product: usize) -> f64 {
        let category = &self.categories[self.category(product)].1;
        (self.products[product].price as f64 / (100.0 * category.price)).ln()
    }

    /// The products that may be shown now.
    pub(crate) fn on_sale(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.products.iter().enumerate();
        all.filter(|(_, product)| product.on_sale())
            .map(|(number, _)| number)
    }
}

fn kinds(categories: &[(Arc<str>, Category)], random: &mut ChaCha8Rng) -> Vec<Kind> {
    let mut names: Vec<&String> = Vec::new();
    let all = categories.iter();
    all.for_each(|(_, category)| names.extend(category.kinds.keys()));
    let mut kinds = Vec::with_capacity(names.len());
    for (number, (_, category)) in categories.iter().enumerate() {
        let first = kinds.len();
        for (name, beside) in &category.kinds {
            let places = beside.iter();
            kinds.push(Kind {
                name: name.as_str().into(),
                category: number,
                share: (KIND_SPREAD * normal(random)).exp(),
                beside: places
                    .filter_map(|other| names.iter().position(|name| *name == other))
                    .collect(),
            });
        }
        let sum: f64 = kinds[first..].iter().map(|kind: &Kind| kind.share).sum();
        let scale = category.weight / sum;
        kinds[first..]
            .iter_mut()
            .for_each(|kind| kind.share *= scale);
    }
    kinds
}

/// What a product is called: two words of its style, and its kind.
fn title(style: &Style, kind: &str, says: f64, random: &mut ChaCha8Rng) -> Arc<str> {
    let mut strongest: Vec<usize> = (0..STYLES).collect();
    strongest.sort_by(|a, b| style[*b].abs().total_cmp(&style[*a].abs()));
    let mut word = |rank: usize| {
        let (at, below) = match random.random::<f64>() < says {
            true => (strongest[rank], style[strongest[rank]] < 0.0),
            false => (random.random_range(0..STYLES), random.random()),
        };
        WORDS[at][usize::from(below)][random.random_range(0..2)]
    };
    format!("{} {} {kind}", word(0), word(1)).into()
}

pub(crate) fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

pub(crate) fn style(random: &mut ChaCha8Rng) -> Style {
    std::array::from_fn(|_| normal(random) as f32)
}
