//! The histories of many customers, equal ones together.

use super::{History, LifetimeError};

/// Who buys more often is no customer but a sum of them.
const REPEATS_MAX: f64 = 100_000.0;

/// Histories with how many customers have each: in order, so that the order of the customers is
/// part of no result.
#[derive(Clone, Debug)]
pub struct Histories {
    /// Distinct histories with their weights.
    pub(super) each: Vec<(History, f64)>,
    /// Distinct numbers of repeats with their weights.
    pub(super) counts: Vec<(f64, f64)>,
    /// The sum of all weights.
    pub(super) weight: f64,
}

impl Histories {
    /// Checks histories with their weights and puts equal ones together.
    ///
    /// # Errors
    /// The first history that cannot be, or that nobody bought twice.
    pub fn new(customers: &[(History, f64)]) -> Result<Histories, LifetimeError> {
        for (row, (history, _)) in customers.iter().enumerate() {
            history
                .check()
                .map_err(|problem| LifetimeError::Row { row, problem })?;
        }
        if customers.iter().all(|(history, _)| history.repeats == 0.0) {
            return Err(LifetimeError::NoRepeats {
                customers: customers.len(),
            });
        }
        Ok(Histories::grouped(customers.to_vec()))
    }

    /// Puts equal histories together.
    pub(super) fn grouped(mut each: Vec<(History, f64)>) -> Histories {
        // By weight as well: floats add up to other bits in another order.
        let key = |(history, weight): &(History, f64)| {
            let History { repeats, last, age } = history;
            [*repeats, *last, *age, *weight].map(f64::to_bits)
        };
        each.sort_unstable_by_key(key);
        each.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        let mut counts: Vec<(f64, f64)> = each.iter().map(|(h, w)| (h.repeats, *w)).collect();
        counts.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        Histories {
            weight: counts.iter().map(|(_, weight)| weight).sum(),
            counts,
            each,
        }
    }

    /// How many distinct histories there are.
    pub fn distinct(&self) -> usize {
        self.each.len()
    }

    /// The longest age.
    pub(super) fn longest(&self) -> f64 {
        self.each
            .iter()
            .map(|(history, _)| history.age)
            .fold(0.0, f64::max)
    }

    /// The same with times in a unit that is `unit` times as long.
    pub(super) fn in_unit(&self, unit: f64) -> Histories {
        let scaled = |(history, weight): &(History, f64)| {
            let history = History {
                last: history.last / unit,
                age: history.age / unit,
                ..*history
            };
            (history, *weight)
        };
        Histories {
            each: self.each.iter().map(scaled).collect(),
            counts: self.counts.clone(),
            weight: self.weight,
        }
    }
}

impl History {
    /// Whether a customer can have it.
    fn check(&self) -> Result<(), String> {
        let History { repeats, last, age } = *self;
        for (what, value) in [
            ("number of repeat purchases", repeats),
            ("last purchase", last),
            ("age", age),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(format!(
                    "has the {what} {value}, which is not a finite number from 0; leave out customers who never bought"
                ));
            }
        }
        if repeats.fract() != 0.0 || repeats > REPEATS_MAX {
            return Err(format!(
                "has {repeats} repeat purchases, which is not a whole number up to {REPEATS_MAX}; \
                 count the purchases of one customer, not amounts"
            ));
        }
        if last > age {
            return Err(format!(
                "bought last at {last} after the first purchase, but is known for {age} only; both \
                 count from the first purchase, in the same unit"
            ));
        }
        if repeats == 0.0 && last > 0.0 {
            return Err(format!(
                "has no repeat purchase, but a last one at {last} after the first; the count leaves \
                 out the first purchase and no other"
            ));
        }
        Ok(())
    }

    /// The nearest history that a customer can have: missing is 0, and nobody bought after now.
    pub(super) fn nearest(self) -> History {
        let from_zero = |value: f64| {
            if value > 0.0 {
                value.min(f64::from(f32::MAX))
            } else {
                0.0
            }
        };
        let repeats = from_zero(self.repeats).round().min(REPEATS_MAX);
        let age = from_zero(self.age);
        let last = if repeats > 0.0 {
            from_zero(self.last).min(age)
        } else {
            0.0
        };
        History { repeats, last, age }
    }
}
