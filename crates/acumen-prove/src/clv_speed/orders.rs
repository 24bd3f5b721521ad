//! Orders of made-up customers: each buys at a rate of its own while it is one.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use acumen_base::{Seed, Time};
use acumen_model::lifetime::History;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMillisecondArray};
use parquet::arrow::ArrowWriter;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp, Gamma, LogNormal, Poisson};

use crate::report::Failure;

/// 2024-01-01.
const BEGIN: Time = Time(1_704_067_200_000);
const DAYS: f64 = 731.0;
const DAY_MS: f64 = 86_400_000.0;

/// The shape of the rates: most customers buy seldom.
const RATE_SHAPE: f64 = 0.7;
/// How many days one is a customer, on average.
const LIFETIME_DAYS: f64 = 500.0;
/// The median order in pounds, how far customers differ in it and their orders (log scale).
const MEDIAN: f64 = 30.0;
const LEVEL_SPREAD: f64 = 0.5;
const ORDER_SPREAD: f64 = 0.5;

/// Orders that are written at once.
const BATCH: usize = 1_000_000;

#[derive(Clone, Copy)]
struct Order {
    at: Time,
    customer: u32,
    pence: u32,
}

/// Orders by time.
pub(super) struct Orders {
    customers: usize,
    list: Vec<Order>,
}

/// A customer before any order.
struct Customer {
    first_day: f64,
    last_day: f64,
    rate: f64,
}

impl Orders {
    /// Orders of so many customers, so many of each on average; everybody buys at least once.
    pub(super) fn make(customers: usize, each: u64, seed: Seed) -> Result<Orders, Failure> {
        let mut random = ChaCha8Rng::seed_from_u64(seed.derive("orders").0);
        let rates = Gamma::new(RATE_SHAPE, 1.0)?;
        let lifetimes = Exp::new(1.0 / LIFETIME_DAYS)?;
        let people: Vec<Customer> = (0..customers)
            .map(|_| {
                let first_day = random.random_range(0.0..DAYS);
                let until: f64 = first_day + lifetimes.sample(&mut random);
                Customer {
                    first_day,
                    last_day: until.min(DAYS),
                    rate: rates.sample(&mut random),
                }
            })
            .collect();
        let days: f64 = people
            .iter()
            .map(|who| who.rate * (who.last_day - who.first_day))
            .sum();
        let a_day = customers as f64 * (each - 1) as f64 / days;
        let levels = LogNormal::new(MEDIAN.ln(), LEVEL_SPREAD)?;
        let spread = LogNormal::new(0.0, ORDER_SPREAD)?;
        let mut list = Vec::with_capacity(customers * each as usize);
        for (customer, who) in people.iter().enumerate() {
            let span = who.last_day - who.first_day;
            let more = match who.rate * a_day * span {
                mean if mean > 0.0 => Poisson::new(mean)?.sample(&mut random) as usize,
                _ => 0,
            };
            let level: f64 = levels.sample(&mut random);
            for number in 0..=more {
                let later = if number == 0 {
                    0.0
                } else {
                    span * random.random::<f64>()
                };
                let pounds: f64 = level * spread.sample(&mut random);
                list.push(Order {
                    at: Time(BEGIN.0 + ((who.first_day + later) * DAY_MS) as i64),
                    customer: customer as u32,
                    pence: (100.0 * pounds).max(1.0) as u32,
                });
            }
        }
        list.sort_unstable_by_key(|order| (order.at, order.customer, order.pence));
        Ok(Orders { customers, list })
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// What a model of purchases is fitted to: repeated purchases, in days, each of weight 1.
    pub(super) fn histories(&self) -> Vec<(History, f64)> {
        let end = BEGIN.0 as f64 + DAYS * DAY_MS;
        let mut found: Vec<Option<(Time, History)>> = vec![None; self.customers];
        for order in &self.list {
            let days = |from: f64, to: f64| (to - from) / DAY_MS;
            match &mut found[order.customer as usize] {
                Some((first, history)) => {
                    history.repeats += 1.0;
                    history.last = days(first.0 as f64, order.at.0 as f64);
                }
                empty => {
                    let age = days(order.at.0 as f64, end);
                    *empty = Some((
                        order.at,
                        History {
                            age,
                            ..History::NEW
                        },
                    ));
                }
            }
        }
        found
            .into_iter()
            .flatten()
            .map(|(_, of)| (of, 1.0))
            .collect()
    }

    /// Writes them as Parquet: `order_id`, `ordered_at` (UTC), `customer_id`, `amount` (pounds).
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let mut writer = None;
        for (number, part) in self.list.chunks(BATCH).enumerate() {
            let first = (number * BATCH) as i64;
            let id = Int64Array::from_iter_values(first..first + part.len() as i64);
            let at = part.iter().map(|order| order.at.0);
            let at = TimestampMillisecondArray::from_iter_values(at).with_timezone("UTC");
            let customer = part.iter().map(|order| i64::from(order.customer));
            let amount = part.iter().map(|order| f64::from(order.pence) / 100.0);
            let columns: [(&str, ArrayRef); 4] = [
                ("order_id", Arc::new(id)),
                ("ordered_at", Arc::new(at)),
                (
                    "customer_id",
                    Arc::new(Int64Array::from_iter_values(customer)),
                ),
                ("amount", Arc::new(Float64Array::from_iter_values(amount))),
            ];
            let batch = RecordBatch::try_from_iter(columns)?;
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(ArrowWriter::try_new(
                    File::create(path)?,
                    batch.schema(),
                    None,
                )?),
            };
            writer.write(&batch)?;
        }
        if let Some(writer) = writer {
            writer.close()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_buys_and_the_mean_is_as_asked() {
        let orders = Orders::make(2_000, 20, Seed(1)).unwrap();
        let histories = orders.histories();
        assert_eq!(histories.len(), 2_000);
        let mean = orders.len() as f64 / 2_000.0;
        assert!((19.0..21.0).contains(&mean), "{mean}");
        assert!(histories.iter().all(|(of, _)| of.last <= of.age));
        assert!(orders.list.is_sorted_by_key(|order| order.at));
    }
}
