//! Columns computed from other columns, after all units were read.

use acumen_base::key::category_code;
use acumen_base::{Currency, Event, Value};
use acumen_expr::{Compiled, Frame, Val};

use crate::builder::At;

/// Where a slot of an expression is read from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    /// A field of the event, if it is of this type.
    Field(usize, usize),
    /// A column.
    Column { at: At, flag: bool },
}

/// A compiled derived feature.
#[derive(Clone, Debug)]
pub(crate) struct Derived {
    pub(crate) compiled: Compiled,
    /// One for each slot of the scope.
    pub(crate) reads: Vec<Read>,
    pub(crate) currency: Currency,
}

struct RowFrame<'a, F> {
    reads: &'a [Read],
    event: &'a Event,
    kind: usize,
    value: F,
}

impl<F: Fn(At) -> f64> Frame for RowFrame<'_, F> {
    fn get(&self, slot: usize) -> Option<Val> {
        match *self.reads.get(slot)? {
            Read::Field(kind, _) if kind != self.kind => None,
            Read::Field(_, field) => {
                Val::of_value(self.event.values.get(field).unwrap_or(&Value::Missing))
            }
            Read::Column { at, flag } => {
                let value = (self.value)(at);
                match value.is_nan() {
                    true => None,
                    false if flag => Some(Val::Bool(value == 1.0)),
                    false => Some(Val::Double(value)),
                }
            }
        }
    }

    fn contains(&self, _list: usize, _text: &str) -> bool {
        false
    }
}

impl Derived {
    /// The value for one row, given its other columns.
    pub(crate) fn value(&self, event: &Event, kind: usize, value: impl Fn(At) -> f64) -> f64 {
        let frame = RowFrame {
            reads: &self.reads,
            event,
            kind,
            value,
        };
        match self.compiled.eval(&frame) {
            None | Some(Val::Time(_)) => f64::NAN,
            Some(Val::Bool(value)) => f64::from(u8::from(value)),
            Some(Val::Int(value)) => value as f64,
            Some(Val::Double(value)) => value,
            Some(Val::Text(text)) => category_code(&text),
            Some(Val::Money(money)) if money.currency == self.currency => money.major(),
            Some(Val::Money(_)) => f64::NAN,
            Some(Val::Duration(span)) => span.0 as f64 / 1_000.0,
        }
    }

    /// The columns that it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = At> {
        let reads = self
            .compiled
            .slots()
            .iter()
            .filter_map(|slot| self.reads.get(*slot));
        reads.filter_map(|read| match read {
            Read::Column { at, .. } => Some(*at),
            Read::Field(..) => None,
        })
    }
}
