//! Expressions over columns and the event's own fields.

use std::ops::Range;

use acumen_base::key::category_code;
use acumen_base::{ColumnKind, Currency, Event, Value};
use acumen_expr::{Compiled, Frame, Scope, Type, Val};

use crate::builder::{At, Builder};

/// Where a slot of an expression is read from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    /// A field of the event, if it is of this type.
    Field(usize, usize),
    /// A column.
    Column { at: At, flag: bool },
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) compiled: Compiled,
    /// One for each slot of the scope.
    pub(crate) reads: Vec<Read>,
}

/// A compiled derived feature.
#[derive(Clone, Debug)]
pub(crate) struct Derived {
    pub(crate) expression: Expression,
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

/// The fields of these event types and the columns so far of these units; of a field and a column
/// of one name, the field.
pub(crate) fn scope(
    builder: &Builder<'_>,
    kinds: &[usize],
    units: Range<usize>,
) -> (Scope, Vec<Read>) {
    let mut scope = Scope::new();
    let mut reads = Vec::new();
    for &kind in kinds {
        let event = &builder.united.events[kind];
        for (position, field) in event.fields.iter().enumerate() {
            if let Some(of) = Type::of_field(field.kind) {
                scope.declare(&format!("{}.{}", event.name, field.name), of);
                reads.push(Read::Field(kind, position));
            }
        }
    }
    let drafts = builder.features().iter().flat_map(|feature| &feature.1);
    for draft in drafts.filter(|draft| units.contains(&draft.at.0)) {
        let name = &draft.column.name;
        if scope.path(name).is_some() {
            continue;
        }
        let flag = draft.column.kind == ColumnKind::Flag;
        scope.declare(name, if flag { Type::Bool } else { Type::Double });
        reads.push(Read::Column { at: draft.at, flag });
    }
    (scope, reads)
}

impl Expression {
    /// The value for one event, given its columns; `None` where it is missing.
    pub(crate) fn eval(
        &self,
        event: &Event,
        kind: usize,
        value: impl Fn(At) -> f64,
    ) -> Option<Val> {
        self.compiled.eval(&RowFrame {
            reads: &self.reads,
            event,
            kind,
            value,
        })
    }

    /// The columns that it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = At> {
        let slots = self.compiled.slots().iter();
        let reads = slots.filter_map(|slot| self.reads.get(*slot));
        reads.filter_map(|read| match read {
            Read::Column { at, .. } => Some(*at),
            Read::Field(..) => None,
        })
    }
}

impl Derived {
    /// The value for one row, given its other columns.
    pub(crate) fn value(&self, event: &Event, kind: usize, value: impl Fn(At) -> f64) -> f64 {
        match self.expression.eval(event, kind, value) {
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
}
