//! What followed an origin: the sums of each key over any time.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::{Event, Time, Value};
use acumen_value::Rates;

use super::{Each, Uncounted};

/// Sums that grow while the log is read.
pub(super) struct Targets<'a> {
    each: Each<'a>,
    rates: Rates,
    /// The amounts of each key, in the order in which they became known.
    amounts: HashMap<Arc<str>, Vec<(Time, f64)>>,
    uncounted: Uncounted,
}

/// The sums of each key up to each of its events.
pub(super) struct Sums {
    running: HashMap<Arc<str>, Vec<(Time, f64)>>,
    pub(super) uncounted: Uncounted,
}

impl<'a> Targets<'a> {
    pub(super) fn of(each: Each<'a>) -> Targets<'a> {
        Targets {
            each,
            rates: Rates::new(),
            amounts: HashMap::new(),
            uncounted: Uncounted::default(),
        }
    }

    pub(super) fn observe(&mut self, event: &Event) {
        if let Some((currency, rate)) = self.each.plan.rate(event) {
            self.rates.insert(currency, rate);
        }
        let target = self.each.target;
        let signed = [(1.0, Some(&target.sum)), (-1.0, target.less.as_ref())];
        for (sign, of) in signed {
            if let Some((_, field)) = of.filter(|(name, _)| *name == event.kind.name) {
                self.add(event, field, sign);
            }
        }
    }

    fn add(&mut self, event: &Event, field: &str, sign: f64) {
        let Some(id) = event
            .value(&self.each.subject.kind.fields[0].name)
            .as_text()
        else {
            self.uncounted.without_id += 1;
            return;
        };
        let Some(amount) = self.amount(event.value(field)) else {
            self.uncounted.without_amount += 1;
            return;
        };
        let entry = (event.event_time, sign * amount);
        match self.amounts.get_mut(id) {
            Some(amounts) => amounts.push(entry),
            None => {
                self.amounts.insert(id.into(), vec![entry]);
            }
        }
    }

    /// Money in major units of the use case's currency, at the newest rate.
    fn amount(&self, value: &Value) -> Option<f64> {
        let base = self.each.plan.declared.currency;
        match value {
            Value::Money(money) => {
                let money = match money.currency == base {
                    true => *money,
                    false => money.convert(*self.rates.get(&money.currency)?, base),
                };
                Some(money.minor as f64 / base.units() as f64)
            }
            Value::Number(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            _ => None,
        }
    }

    pub(super) fn finish(self) -> Sums {
        let mut running = self.amounts;
        for amounts in running.values_mut() {
            amounts.sort_by_key(|(at, _)| *at);
            let mut sum = 0.0;
            for (_, amount) in amounts {
                sum += *amount;
                *amount = sum;
            }
        }
        Sums {
            running,
            uncounted: self.uncounted,
        }
    }
}

impl Sums {
    /// The sum of a key over `(from, to]`.
    pub(super) fn between(&self, id: &str, from: Time, to: Time) -> f64 {
        let Some(running) = self.running.get(id) else {
            return 0.0;
        };
        let until = |at: Time| {
            let count = running.partition_point(|(time, _)| *time <= at);
            count.checked_sub(1).map_or(0.0, |last| running[last].1)
        };
        until(to) - until(from)
    }
}
