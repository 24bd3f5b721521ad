//! Exchange rates, learnt from events.

use std::collections::BTreeMap;

use acumen_base::{Currency, Event, Value};
use serde::{Deserialize, Serialize};

/// Where the rate event keeps what it announces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RatePlan {
    pub(crate) kind: usize,
    pub(crate) currency: usize,
    pub(crate) rate: usize,
}

/// The newest rate of every currency, by event time.
///
/// Of two parts of one log, each must be shown every rate: a rate is not a thing that one part
/// can add to another's amounts afterwards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RateTable {
    /// Event time, log position and rate by code.
    rates: BTreeMap<String, (i64, u64, f64)>,
}

impl RateTable {
    /// Learns a rate; an unknown currency or a rate that is not positive says nothing.
    pub(crate) fn observe(&mut self, plan: RatePlan, event: &Event, position: u64) {
        let code = event.values.get(plan.currency).and_then(Value::as_text);
        let rate = match event.values.get(plan.rate) {
            Some(Value::Number(rate)) => *rate,
            Some(Value::Int(rate)) => *rate as f64,
            _ => return,
        };
        let Some(code) = code.filter(|code| code.parse::<Currency>().is_ok()) else {
            return;
        };
        if rate.is_finite() && rate > 0.0 {
            self.learn(code, (event.event_time.0, position, rate));
        }
    }

    fn learn(&mut self, code: &str, new: (i64, u64, f64)) {
        match self.rates.get_mut(code) {
            Some(known) if (known.0, known.1) >= (new.0, new.1) => {}
            Some(known) => *known = new,
            None => {
                self.rates.insert(code.to_owned(), new);
            }
        }
    }

    /// Major units of the base currency per major unit of this one, if any is known.
    pub(crate) fn rate(&self, currency: Currency) -> Option<f64> {
        self.rates.get(currency.code()).map(|known| known.2)
    }

    pub(crate) fn merge(&mut self, other: &RateTable) {
        for (code, rate) in &other.rates {
            self.learn(code, *rate);
        }
    }
}
