//! What a model of purchases says of rows, as columns behind theirs.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns};
use rayon::prelude::*;

use crate::data::{Dataset, Matrix};
use crate::lifetime::LifetimeModel;

/// How many columns there are.
pub(crate) const INFORMED: usize = 3;

/// Their names and what they are.
const COLUMNS: [(&str, &str); INFORMED] = [
    (
        "purchases.alive",
        "the probability that there will be more purchases",
    ),
    (
        "purchases.expected",
        "purchases expected within the horizon",
    ),
    (
        "purchases.value",
        "what they are expected to be worth, where values are modelled",
    ),
];

/// The columns of rows and those behind them.
pub(crate) fn informed_columns(columns: &Columns) -> Columns {
    let behind = COLUMNS.iter().map(|(name, help)| Column {
        name: (*name).to_owned(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: (*help).to_owned(),
    });
    let list = columns.list.iter().cloned().chain(behind).collect();
    Columns::new(list, &format!("informed {:016x}", columns.fingerprint))
}

/// A row and what the model says of it.
pub(crate) fn informed_row(model: &LifetimeModel, mut row: Vec<f32>) -> Vec<f32> {
    let said = model.says(|column| f64::from(row[column])).columns();
    row.extend(said);
    row
}

/// Many rows and what the model says of them.
pub(crate) fn informed_matrix(model: &LifetimeModel, rows: &Matrix) -> Matrix {
    let said: Vec<[f32; INFORMED]> = (0..rows.n_rows)
        .into_par_iter()
        .map(|row| {
            let says = model.says(|column| f64::from(rows.data[column][row]));
            says.columns()
        })
        .collect();
    let behind = (0..INFORMED).map(|at| said.iter().map(|said| said[at]).collect());
    Matrix {
        columns: Arc::new(informed_columns(&rows.columns)),
        n_rows: rows.n_rows,
        data: rows.data.iter().cloned().chain(behind).collect(),
    }
}

/// The same of rows with outcomes.
pub(crate) fn informed_dataset(model: &LifetimeModel, rows: &Dataset) -> Dataset {
    Dataset {
        matrix: informed_matrix(model, &rows.matrix),
        ..rows.clone()
    }
}
