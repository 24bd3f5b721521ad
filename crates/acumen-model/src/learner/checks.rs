//! What rows must be to be learnt from: as many values as rows, weights that count, and outcomes
//! that the objective has a use for.

use super::FitError;
use crate::data::Dataset;
use crate::forest::Objective;

/// Checks the rows that something is to be fitted to, and those that tell when to stop.
///
/// # Errors
/// The first problem: no rows, parts of different lengths or columns, outcomes or weights that
/// the objective has no use for.
pub fn check_rows(
    objective: Objective,
    train: &Dataset,
    valid: Option<&Dataset>,
) -> Result<(), FitError> {
    shape("training", train)?;
    outcomes(objective, "training", train)?;
    same_columns(train, valid)?;
    match valid {
        Some(valid) => outcomes(objective, "validation", valid),
        None => Ok(()),
    }
}

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

fn outcomes(objective: Objective, part: &'static str, data: &Dataset) -> Result<(), FitError> {
    let (is_valid, expected): (fn(f32) -> bool, _) = match objective {
        Objective::BinaryLogistic => (|y| y == 0.0 || y == 1.0, "0 or 1"),
        Objective::SquaredError => (f32::is_finite, "a finite number"),
        Objective::Gamma => (|y| y.is_finite() && y > 0.0, "a finite number above 0"),
        Objective::Tweedie { .. } | Objective::LogValue => {
            (|y| y.is_finite() && y >= 0.0, "a finite number from 0")
        }
    };
    match data.outcome.iter().position(|y| !is_valid(*y)) {
        Some(row) => Err(FitError::Outcome {
            part,
            row,
            value: data.outcome[row],
            expected,
        }),
        None => Ok(()),
    }
}
