//! Numeric operands: a field of an event as a whole number, the same in every operator.

use acumen_base::{Currency, Event, Value};

use crate::rates::RateTable;

/// An operand that an event does not have.
pub(crate) const MISSING: i64 = i64::MIN;

/// The largest magnitude of an operand in its whole units; beyond it the operand is missing.
/// Sums stay exact for 9,223 such values in one window, and for any realistic ones.
pub const OPERAND_UNITS_MAX: i64 = 1_000_000_000_000_000;

/// Numbers are kept to this fraction, so that sums do not depend on the order of addition.
pub const NUMBER_UNITS: f64 = 1e6;

/// How a field becomes a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Convert {
    /// The event itself: one.
    Event,
    /// One where the field was sent.
    Presence,
    /// Minor units of the base currency, at the newest rate known.
    Money,
    Int,
    /// Millionths.
    Number,
    /// One or zero.
    Bool,
}

/// An operand of the plan: which field of which event type, and how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OperandPlan {
    pub(crate) kind: usize,
    pub(crate) field: Option<usize>,
    pub(crate) convert: Convert,
}

impl OperandPlan {
    /// The operand of an event of this operand's type.
    pub(crate) fn of(&self, event: &Event, base: Currency, rates: &RateTable) -> i64 {
        let Some(field) = self.field else {
            return 1;
        };
        let value = event.values.get(field).unwrap_or(&Value::Missing);
        match (self.convert, value) {
            (Convert::Event, _) => 1,
            (_, Value::Missing) => MISSING,
            (Convert::Presence, _) => 1,
            (Convert::Bool, Value::Bool(value)) => i64::from(*value),
            (Convert::Int, Value::Int(value)) => within(*value),
            (Convert::Number, Value::Number(value)) => whole(value * NUMBER_UNITS),
            (Convert::Money, Value::Money(money)) if money.currency == base => within(money.minor),
            (Convert::Money, Value::Money(money)) => rates
                .rate(money.currency)
                .map_or(MISSING, |rate| within(money.convert(rate, base).minor)),
            _ => MISSING,
        }
    }
}

fn within(value: i64) -> i64 {
    if (-OPERAND_UNITS_MAX..=OPERAND_UNITS_MAX).contains(&value) {
        value
    } else {
        MISSING
    }
}

fn whole(value: f64) -> i64 {
    if value.abs() <= OPERAND_UNITS_MAX as f64 {
        value.round_ties_even() as i64
    } else {
        MISSING
    }
}
