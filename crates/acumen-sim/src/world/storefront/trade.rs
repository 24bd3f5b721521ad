//! What the shop does: new products, prices, stock; and who comes on a day.

use acumen_base::Value;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

use super::event_types::Kind;
use super::{DAY_MS, Planned, World};
use crate::world::chance::moment;

/// Up to how many days before the start what is sold then was new.
const OLD_DAYS: f64 = 300.0;
/// Lots are stated for so many customers.
const LOTS_OF: f64 = 1_000.0;

impl World {
    /// What is sold at the start, and the first day.
    pub(super) fn open(&mut self) {
        let start = self.start_ms();
        let mut random = self.random("storefront opening");
        for _ in 0..self.parameters.goods.products {
            let days = OLD_DAYS * random.random::<f64>();
            self.launch(start - (days * DAY_MS as f64) as i64, start);
        }
        self.plan(start, Planned::Day);
    }

    /// A day begins: who will come, what is new, what goes, what is reduced.
    pub(super) fn begin_day(&mut self, at_ms: i64) {
        let day = self.day(at_ms);
        if day + 1 < i64::from(self.parameters.days) {
            self.plan(at_ms + DAY_MS, Planned::Day);
        }
        self.expect_visitors(at_ms, &mut self.random(&format!("visitors {day}")));
        let mut random = self.random(&format!("trade {day}"));
        self.discontinue(at_ms, &mut random);
        self.reduce(at_ms, &mut random);
        for _ in 0..count(self.parameters.goods.new_a_day, &mut random) {
            let at_ms = at_ms + i64::from(moment(&mut random));
            self.plan(at_ms, Planned::Launch);
        }
    }

    fn expect_visitors(&mut self, at_ms: i64, random: &mut ChaCha8Rng) {
        for who in 0..self.visitors.len() {
            let (rate, opened_ms) = (self.visitors[who].rate, self.visitors[who].opened_at.0);
            for _ in 0..count(rate, random) {
                let at_ms = at_ms + i64::from(moment(random));
                if at_ms >= opened_ms {
                    self.plan(at_ms, Planned::Arrival(who));
                }
            }
        }
    }

    /// A product that was new at one instant is told of at another.
    pub(super) fn launch(&mut self, since_ms: i64, told_ms: i64) {
        let scale = f64::from(self.parameters.customers) / LOTS_OF;
        let mut random = self.random(&format!("product {}", self.goods.products.len()));
        let parameters = (&self.parameters.goods, scale);
        let product = self.goods.add(since_ms, parameters, &mut random);
        self.tell_product(product, told_ms);
    }

    /// As many products as are new on average are taken out.
    fn discontinue(&mut self, at_ms: i64, random: &mut ChaCha8Rng) {
        let goods = &self.parameters.goods;
        let share = goods.new_a_day / f64::from(goods.products);
        for product in 0..self.goods.products.len() {
            let gone = random.random::<f64>() < share;
            if gone && !self.goods.products[product].hidden {
                self.goods.products[product].hidden = true;
                self.tell_product(product, at_ms);
            }
        }
    }

    fn reduce(&mut self, at_ms: i64, random: &mut ChaCha8Rng) {
        let goods = self.parameters.goods.clone();
        for product in 0..self.goods.products.len() {
            let [begins, off, days]: [f64; 3] = std::array::from_fn(|_| random.random());
            let now = &self.goods.products[product];
            if begins < goods.promotions_a_day && now.price == now.full && !now.hidden {
                let between = |[from, to]: [f64; 2], at: f64| from + (to - from) * at;
                self.set_price(product, between(goods.discount, off), at_ms);
                let days = between(goods.promotion_days, days).round() as i64;
                self.plan(at_ms + days * DAY_MS, Planned::FullPrice(product));
            }
        }
    }

    /// A price, with a share off.
    pub(super) fn set_price(&mut self, product: usize, off: f64, at_ms: i64) {
        let now = &mut self.goods.products[product];
        now.price = ((now.full as f64 * (1.0 - off)).round() as i64).max(1);
        if !now.hidden {
            self.tell_product(product, at_ms);
        }
    }

    /// One is sold; what runs out comes back after some days, or never.
    pub(super) fn sell(&mut self, product: usize, at_ms: i64, random: &mut ChaCha8Rng) {
        let [gone, when]: [f64; 2] = std::array::from_fn(|_| random.random());
        let now = &mut self.goods.products[product];
        now.stock -= 1;
        if now.stock == 0 {
            let goods = &self.parameters.goods;
            let [least, most] = goods.back_after_days;
            if gone < goods.discontinued {
                now.hidden = true;
            } else {
                let days = least + (most - least) * when;
                let back_ms = at_ms + (days * DAY_MS as f64) as i64;
                self.plan(back_ms, Planned::Restock(product));
            }
        }
        self.tell_product(product, at_ms);
    }

    /// What ran out is back, unless it was taken out meanwhile.
    pub(super) fn restock(&mut self, product: usize, at_ms: i64) {
        let now = &mut self.goods.products[product];
        if !now.hidden {
            now.stock = now.lot;
            self.tell_product(product, at_ms);
        }
    }

    /// Tells all that is known of a product.
    fn tell_product(&mut self, product: usize, at_ms: i64) {
        let now = &self.goods.products[product];
        let category = &self.goods.categories[self.goods.category(product)].0;
        let mut values = [
            Value::Text(now.id.clone()),
            Value::Text(category.clone()),
            Value::Text(self.goods.brand(product).clone()),
            Value::Text(now.title.clone()),
            World::pounds(now.price),
            World::pounds(now.price - now.cost),
            Value::Int(i64::from(now.stock)),
            Value::Bool(now.hidden),
        ];
        self.tell(Kind::Product, at_ms, &mut values);
    }
}

/// How often something happens that happens so often on average.
fn count(mean: f64, random: &mut ChaCha8Rng) -> u64 {
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(random) as u64)
}
