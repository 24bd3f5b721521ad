//! What every customer will truly be worth, and how near one can come who knows all but chance.

use std::fmt;

use acumen_base::Time;

use super::{DAY_MS, World};

/// A customer at an origin: never a feature, always a yardstick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// The number of the customer.
    pub customer: usize,
    /// The date at which the future begins.
    pub origin: Time,
    /// What the orders of the horizon are worth on average, net of what will go back of them, in
    /// pounds at the exchange rate of the origin: 0 for customers who have left.
    pub expected: f64,
    /// What they turned out to be worth, at the rates of their days.
    pub actual: f64,
}

/// How near an oracle comes that knows every customer's rate, chance to leave and whether they
/// have left: the ceiling of every model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Oracle {
    /// The date.
    pub origin: Time,
    /// Customers who had come by then.
    pub customers: usize,
    /// The mean of what they turned out to be worth, in pounds.
    pub mean: f64,
    /// The mean absolute error of a customer, by the mean.
    pub nmae: f64,
    /// The mean absolute error of the tenths of the customers by rising expectation, by the mean.
    pub decile: f64,
    /// The error of the total, by the total.
    pub total: f64,
}

/// What is collected for an origin.
#[derive(Debug)]
pub(crate) struct Origin {
    day: i64,
    /// For each customer; not a number before they came.
    expected: Vec<f32>,
    actual: Vec<f64>,
}

impl Origin {
    pub(crate) fn at(day: i64) -> Origin {
        Origin {
            day,
            expected: Vec::new(),
            actual: Vec::new(),
        }
    }
}

impl World {
    /// On the day of an origin: what everybody will be worth on average.
    pub(super) fn foresee(&mut self) {
        let Some(index) = self.origins.iter().position(|o| o.day == self.day) else {
            return;
        };
        let horizon = i64::from(self.parameters.truth.horizon_days);
        let ahead = self.clock.at(self.day + horizon, 0.0) - self.clock.at(self.day, 0.0);
        let customers = 0..self.customers.len() as u32;
        let expected = customers.map(|who| {
            let customer = &self.customers[who as usize];
            if i64::from(customer.joins) >= self.day {
                return f32::NAN;
            }
            if !customer.here {
                return 0.0;
            }
            let leaves = f64::from(customer.leaves);
            let orders = -(-leaves * f64::from(customer.rate) * ahead).exp_m1() / leaves;
            (orders * self.mean_order(who)) as f32
        });
        self.origins[index].expected = expected.collect();
        self.origins[index].actual = vec![0.0; self.customers.len()];
    }

    /// Counts an order of today towards the origins in whose future it lies.
    pub(super) fn settle_truth(&mut self, who: u32, net: f64) {
        let horizon = i64::from(self.parameters.truth.horizon_days);
        for origin in &mut self.origins {
            if (origin.day..origin.day + horizon).contains(&self.day) {
                origin.actual[who as usize] += net;
            }
        }
    }

    /// The truth of every customer at every origin; complete once the world is over.
    pub fn truth(&self) -> impl Iterator<Item = Truth> + '_ {
        let start = self.parameters.start().0;
        self.origins.iter().flat_map(move |origin| {
            let at = Time(start + origin.day * DAY_MS);
            let pairs = origin.expected.iter().zip(&origin.actual).enumerate();
            pairs.filter(|(_, (expected, _))| !expected.is_nan()).map(
                move |(customer, (&expected, &actual))| Truth {
                    customer,
                    origin: at,
                    expected: f64::from(expected),
                    actual,
                },
            )
        })
    }

    /// How near an oracle comes at every origin; complete once the world is over.
    pub fn oracle(&self) -> Vec<Oracle> {
        let mut of: Vec<Vec<Truth>> = Vec::new();
        for truth in self.truth() {
            match of.last_mut() {
                Some(same) if same[0].origin == truth.origin => same.push(truth),
                _ => of.push(vec![truth]),
            }
        }
        of.into_iter().map(measure).collect()
    }
}

fn measure(mut truths: Vec<Truth>) -> Oracle {
    truths.sort_by(|a, b| a.expected.total_cmp(&b.expected));
    let count = truths.len() as f64;
    let sum = |of: &[Truth], what: fn(&Truth) -> f64| of.iter().map(what).sum::<f64>();
    let actual = sum(&truths, |t| t.actual);
    let tenths = truths.chunks(truths.len().div_ceil(10));
    let off = tenths.map(|tenth| {
        let off = sum(tenth, |t| t.actual) - sum(tenth, |t| t.expected);
        off.abs()
    });
    Oracle {
        origin: truths[0].origin,
        customers: truths.len(),
        mean: actual / count,
        nmae: sum(&truths, |t| (t.actual - t.expected).abs()) / actual,
        decile: off.sum::<f64>() / actual,
        total: sum(&truths, |t| t.expected) / actual - 1.0,
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.origin.to_string();
        write!(
            f,
            "{}: {} customers, worth {:.2} GBP on average; one who knows every rate is off by \
             {:.3} of that for a customer, {:.3} for a tenth of them, {:+.1} % in total",
            date.get(..10).unwrap_or(&date),
            self.customers,
            self.mean,
            self.nmae,
            self.decile,
            100.0 * self.total
        )
    }
}
