//! Rows: a feature vector with names and times.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::key::hash64;
use crate::time::Time;

/// What the number in a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// A measurement: order and distance mean something.
    Number,
    /// A [`crate::key::category_code`]: only equality means something.
    Category,
    /// 0 or 1.
    Flag,
}

/// One column of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The dotted name, such as `velocity_checks.card.count_1h`.
    pub name: String,
    /// What its number means.
    pub kind: ColumnKind,
    /// The unit of a number (`GBP`, `km/h`, `s`), empty for a bare count or share.
    pub unit: String,
    /// What it is, for people: `payments of this card in the last hour`.
    pub help: String,
}

/// The columns of a row, in order, and a fingerprint of how they are computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The columns in order.
    pub list: Vec<Column>,
    /// A hash of the definitions; a model refuses rows of another fingerprint.
    pub fingerprint: u64,
}

/// A feature vector; a missing value is NaN.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the values are.
    pub columns: Arc<Columns>,
    /// One number a column.
    pub values: Box<[f64]>,
    /// The event time it was read at.
    pub at: Time,
    /// The log position it was read at: exactly the records before it, and its own, were known.
    pub position: u64,
}

impl Columns {
    /// Columns with the fingerprint of their names and of `definition`, the text that says how
    /// they are computed.
    pub fn new(list: Vec<Column>, definition: &str) -> Columns {
        let mut text = definition.to_owned();
        for column in &list {
            text.push('\u{0}');
            text.push_str(&column.name);
        }
        Columns {
            fingerprint: hash64(text.as_bytes()),
            list,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Where a column stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|c| c.name == name)
    }
}

impl Row {
    /// The value of a column by name; `None` where it is missing or there is no such column.
    pub fn get(&self, name: &str) -> Option<f64> {
        let value = self.values[self.columns.position(name)?];
        (!value.is_nan()).then_some(value)
    }

    /// Whether two rows hold the same bits.
    pub fn same_bits(&self, other: &Row) -> bool {
        same_bits(&self.values, &other.values)
    }
}

/// Whether two vectors hold the same bits; every NaN counts as the one missing value.
pub fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(x, y)| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()))
}
