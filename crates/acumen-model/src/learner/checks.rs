//! What rows must be for any learner: as many values as rows, and weights that count.

use super::FitError;
use crate::data::Dataset;

/// Checks that there are rows, that everything is as long as they are many, and the weights.
pub(super) fn shape(part: &'static str, data: &Dataset) -> Result<(), FitError> {
    let rows = data.matrix.n_rows;
    if rows == 0 {
        return Err(FitError::NoRows { part });
    }
    let same = |what: String, found: usize| {
        (found == rows).then_some(()).ok_or(FitError::Lengths {
            part,
            what,
            rows,
            found,
        })
    };
    same("the outcome".into(), data.outcome.len())?;
    if let Some(weight) = &data.weight {
        same("the weight".into(), weight.len())?;
    }
    for (column, values) in data.matrix.data.iter().enumerate() {
        same(format!("column {column}"), values.len())?;
    }
    let weight = data.weight.as_deref().unwrap_or_default();
    match weight.iter().position(|w| !(w.is_finite() && *w > 0.0)) {
        Some(row) => Err(FitError::Weight {
            part,
            row,
            value: weight[row],
        }),
        None => Ok(()),
    }
}

/// Checks that validation rows, where there are any, have the columns of the training rows.
pub(super) fn same_columns(train: &Dataset, valid: Option<&Dataset>) -> Result<(), FitError> {
    let Some(valid) = valid else {
        return Ok(());
    };
    shape("validation", valid)?;
    let (expected, found) = (train.matrix.data.len(), valid.matrix.data.len());
    if expected != found {
        return Err(FitError::Columns { expected, found });
    }
    Ok(())
}
