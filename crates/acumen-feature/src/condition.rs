//! Conditions on an event's own fields (`where`), evaluated once an event for all features.

use acumen_base::{Event, EventType};
use acumen_expr::{Compiled, Frame, Scope, Type, Val};
use serde::{Deserialize, Serialize};

/// How many different conditions the features of a pipeline may have: a bit each.
pub(crate) const CONDITIONS_MAX: usize = 64;

/// The place of a condition in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Where(pub(crate) usize);

/// A compiled condition on events of one type.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) kind: usize,
    pub(crate) compiled: Compiled,
    /// The field behind each slot of the scope.
    pub(crate) fields: Vec<usize>,
}

/// Which conditions of the plan hold for an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holds(u64);

struct OwnFields<'a> {
    fields: &'a [usize],
    event: &'a Event,
}

impl Frame for OwnFields<'_> {
    fn get(&self, slot: usize) -> Option<Val> {
        let value = self.event.values.get(*self.fields.get(slot)?)?;
        Val::of_value(value)
    }

    fn contains(&self, _list: usize, _text: &str) -> bool {
        false
    }
}

impl Condition {
    /// The fields of an event type by their names in expressions, `order.amount`, and the field
    /// behind each slot.
    pub(crate) fn scope(kind: &EventType) -> (Scope, Vec<usize>) {
        let (mut scope, mut fields) = (Scope::new(), Vec::new());
        for (position, field) in kind.fields.iter().enumerate() {
            if let Some(of) = Type::of_field(field.kind) {
                scope.declare(&format!("{}.{}", kind.name, field.name), of);
                fields.push(position);
            }
        }
        (scope, fields)
    }

    /// Whether it is known to hold: a missing answer does not count.
    fn holds(&self, event: &Event) -> bool {
        let fields = &self.fields;
        self.compiled.is_true(&OwnFields { fields, event })
    }
}

impl Holds {
    /// Evaluates every condition on events of this type.
    pub(crate) fn of(conditions: &[Condition], event: &Event, kind: usize) -> Holds {
        let holds = |condition: &Condition| condition.kind == kind && condition.holds(event);
        let bits = conditions.iter().enumerate();
        let bits = bits.map(|(at, condition)| u64::from(holds(condition)) << at);
        Holds(bits.fold(0, |all, bit| all | bit))
    }

    /// Whether the event counts where only those count for which a condition holds.
    pub(crate) fn admits(self, when: Option<Where>) -> bool {
        when.is_none_or(|Where(at)| self.0 >> at & 1 == 1)
    }
}
