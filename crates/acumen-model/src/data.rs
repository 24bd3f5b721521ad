//! Rows as a learner wants them: column by column.

use std::sync::Arc;

use acumen_base::{Columns, Time};

use crate::encoding::Encoding;

/// Many rows of the same columns, stored column by column; a missing value is NaN.
///
/// A category column holds ordinals (0, 1, 2, …) of the dictionary that training built.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// What the columns are.
    pub columns: Arc<Columns>,
    /// How many rows.
    pub n_rows: usize,
    /// One vector of `n_rows` values a column.
    pub data: Vec<Vec<f32>>,
}

/// Rows with their outcomes.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The rows.
    pub matrix: Matrix,
    /// 1 for a positive outcome, 0 for a negative one; the value itself for a regression.
    pub outcome: Vec<f32>,
    /// How much each row counts; `None` is 1 each.
    pub weight: Option<Vec<f32>>,
    /// When each row was read: splits are by time.
    pub time: Vec<Time>,
}

/// Rows that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {found} where {expected} are expected")]
pub struct Misshapen {
    what: String,
    found: usize,
    expected: usize,
}

impl Dataset {
    /// Rows from columns of values as rows hold them, with the dictionaries of their category
    /// columns (in the order in which codes first appear).
    pub fn from_columns(
        columns: Arc<Columns>,
        values: &[Vec<f64>],
        outcome: Vec<f32>,
        time: Vec<Time>,
    ) -> Result<(Dataset, Encoding), Misshapen> {
        same("columns of values", values.len(), columns.len())?;
        let encoding = Encoding::of(&columns, values);
        Dataset::encoded(columns, values, outcome, time, encoding)
    }

    /// The same with the dictionaries of an earlier model, extended by the codes that are new: for
    /// training that goes on from it.
    pub fn from_columns_after(
        earlier: &Encoding,
        columns: Arc<Columns>,
        values: &[Vec<f64>],
        outcome: Vec<f32>,
        time: Vec<Time>,
    ) -> Result<(Dataset, Encoding), Misshapen> {
        same("columns of values", values.len(), columns.len())?;
        same("dictionaries", earlier.len(), columns.len())?;
        Dataset::encoded(columns, values, outcome, time, earlier.extended(values))
    }

    fn encoded(
        columns: Arc<Columns>,
        values: &[Vec<f64>],
        outcome: Vec<f32>,
        time: Vec<Time>,
        encoding: Encoding,
    ) -> Result<(Dataset, Encoding), Misshapen> {
        same("times", time.len(), outcome.len())?;
        for (column, values) in columns.list.iter().zip(values) {
            let what = format!("values of column `{}`", column.name);
            same(&what, values.len(), outcome.len())?;
        }
        let data = values.iter().enumerate();
        let dataset = Dataset {
            matrix: Matrix {
                n_rows: outcome.len(),
                data: data
                    .map(|(column, values)| encoding.encode_column(column, values))
                    .collect(),
                columns,
            },
            outcome,
            weight: None,
            time,
        };
        Ok((dataset, encoding))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.outcome.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.outcome.is_empty()
    }

    /// The same rows with other outcomes.
    pub fn with_outcome(&self, outcome: impl FnMut(f32) -> f32) -> Dataset {
        Dataset {
            outcome: self.outcome.iter().copied().map(outcome).collect(),
            ..self.clone()
        }
    }

    /// How many outcomes are positive.
    pub fn positives(&self) -> usize {
        self.outcome
            .iter()
            .filter(|outcome| **outcome > 0.5)
            .count()
    }

    /// Some of the rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[usize]) -> Dataset {
        let pick = |values: &Vec<f32>| rows.iter().map(|row| values[*row]).collect::<Vec<f32>>();
        Dataset {
            matrix: Matrix {
                columns: self.matrix.columns.clone(),
                n_rows: rows.len(),
                data: self.matrix.data.iter().map(pick).collect(),
            },
            outcome: pick(&self.outcome),
            weight: self.weight.as_ref().map(pick),
            time: rows.iter().map(|row| self.time[*row]).collect(),
        }
    }
}

fn same(what: &str, found: usize, expected: usize) -> Result<(), Misshapen> {
    if found == expected {
        return Ok(());
    }
    Err(Misshapen {
        what: what.into(),
        found,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::columns;

    #[test]
    fn columns_become_a_dataset() {
        let values = vec![vec![1.5, f64::NAN], vec![2.0, 3.0], vec![9e15, 7e15]];
        let times = vec![Time(1), Time(2)];
        let made =
            Dataset::from_columns(Arc::new(columns()), &values, vec![0.0, 1.0], times.clone());
        let (dataset, _) = made.unwrap();
        assert_eq!(dataset.matrix.data[2], [0.0, 1.0]);
        assert!(dataset.matrix.data[0][1].is_nan());
        let second = dataset.select(&[1]);
        assert_eq!(
            (second.len(), second.positives(), second.time[0]),
            (1, 1, Time(2))
        );
        let short =
            Dataset::from_columns(Arc::new(columns()), &values, vec![0.0], times[..1].into());
        assert!(
            short
                .unwrap_err()
                .to_string()
                .contains("`amount`: 2 where 1")
        );
    }
}
