//! How some rows vary on a column.

use acumen_base::ColumnKind;

use crate::data::Matrix;

/// What the values of a column are among some rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum View {
    /// Numbers from the least to the greatest; infinities count as the greatest numbers.
    Numbers { least: f32, most: f32 },
    /// The ordinals of the categories, sorted.
    Categories(Vec<u32>),
}

/// A view, and how many rows miss the column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) view: View,
    pub(super) missing: usize,
}

impl View {
    /// Whether known values differ.
    pub(super) fn varies(&self) -> bool {
        match self {
            View::Numbers { least, most } => least < most,
            View::Categories(present) => present.len() > 1,
        }
    }
}

impl Seen {
    /// Looks at a column; `None` where all rows miss it.
    pub(super) fn of(matrix: &Matrix, column: u32, rows: &[u32]) -> Option<Seen> {
        let values = &matrix.data[column as usize];
        let known = || {
            let values = rows.iter().map(|row| values[*row as usize]);
            values.filter(|value| !value.is_nan())
        };
        let missing = rows.len() - known().count();
        if missing == rows.len() {
            return None;
        }
        let kind = matrix.columns.list.get(column as usize).map(|c| c.kind);
        let view = if kind == Some(ColumnKind::Category) {
            let mut present: Vec<u32> = known().map(|value| value as u32).collect();
            present.sort_unstable();
            present.dedup();
            View::Categories(present)
        } else {
            let finite = |value: f32| value.clamp(f32::MIN, f32::MAX);
            View::Numbers {
                least: finite(known().fold(f32::INFINITY, f32::min)),
                most: finite(known().fold(f32::NEG_INFINITY, f32::max)),
            }
        };
        Some(Seen { view, missing })
    }

    /// Whether the rows can be parted by it.
    pub(super) fn parts(&self) -> bool {
        self.missing > 0 || self.view.varies()
    }
}
