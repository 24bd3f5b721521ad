//! Conditions on events (`where`), evaluated once an event for all features.
//!
//! A condition reads the event's own fields, and columns as they are in a row of that event. The
//! units of those columns come first; what they give decides for which units the event counts.

use acumen_base::Event;
use acumen_expr::Val;
use serde::{Deserialize, Serialize};

use crate::builder::At;
use crate::derive::Expression;

/// How many different conditions the features of a pipeline may have: a bit each.
pub(crate) const CONDITIONS_MAX: usize = 64;

/// The place of a condition in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Where(pub(crate) usize);

/// A compiled condition on events of one type.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) kind: usize,
    pub(crate) expression: Expression,
    /// Whether the event's own fields are not all that it reads.
    pub(crate) reads_columns: bool,
}

/// Which conditions of the plan hold for an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holds(u64);

impl Condition {
    pub(crate) fn new(kind: usize, expression: Expression) -> Condition {
        let reads_columns = expression.columns().next().is_some();
        Condition {
            kind,
            expression,
            reads_columns,
        }
    }

    /// Whether the other is the same condition: of the same words, which mean the same columns.
    pub(crate) fn same(&self, other: &Condition) -> bool {
        self.kind == other.kind
            && self.expression.compiled.text() == other.expression.compiled.text()
            && self.expression.columns().eq(other.expression.columns())
    }
}

impl Holds {
    /// The conditions that need no columns.
    pub(crate) fn of(conditions: &[Condition], event: &Event, kind: usize) -> Holds {
        Holds::default().with(conditions, false, (event, kind), |_| f64::NAN)
    }

    /// Those that do, besides, once the columns are read.
    pub(crate) fn and_of_columns(
        self,
        conditions: &[Condition],
        (event, kind): (&Event, usize),
        value: impl Fn(At) -> f64,
    ) -> Holds {
        self.with(conditions, true, (event, kind), value)
    }

    /// Of a missing answer it is not known that the condition holds.
    fn with(
        self,
        conditions: &[Condition],
        of_columns: bool,
        (event, kind): (&Event, usize),
        value: impl Fn(At) -> f64,
    ) -> Holds {
        let mut holds = self.0;
        for (at, condition) in conditions.iter().enumerate() {
            if condition.kind == kind && condition.reads_columns == of_columns {
                let answer = condition.expression.eval(event, kind, &value);
                holds |= u64::from(answer == Some(Val::Bool(true))) << at;
            }
        }
        Holds(holds)
    }

    /// The same where conditions have other numbers: `(there, here)`.
    pub(crate) fn renumbered(self, numbers: &[(Where, Where)]) -> Holds {
        let here = numbers
            .iter()
            .map(|(there, here)| (self.0 >> there.0 & 1) << here.0);
        Holds(here.fold(0, |all, one| all | one))
    }

    /// Whether the event counts where only those count for which a condition holds.
    pub(crate) fn admits(self, when: Option<Where>) -> bool {
        when.is_none_or(|Where(at)| self.0 >> at & 1 == 1)
    }
}
