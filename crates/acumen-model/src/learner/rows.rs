//! What rows must be to be learnt from.

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
    part(objective, "training", train)?;
    let Some(valid) = valid else {
        return Ok(());
    };
    part(objective, "validation", valid)?;
    let (expected, found) = (train.matrix.data.len(), valid.matrix.data.len());
    match expected == found {
        true => Ok(()),
        false => Err(FitError::Columns { expected, found }),
    }
}

fn part(objective: Objective, part: &'static str, data: &Dataset) -> Result<(), FitError> {
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
    let is_valid = |outcome: f32| match objective {
        Objective::BinaryLogistic => outcome == 0.0 || outcome == 1.0,
        Objective::SquaredError => outcome.is_finite(),
    };
    if let Some(row) = data.outcome.iter().position(|y| !is_valid(*y)) {
        return Err(FitError::Outcome {
            part,
            row,
            value: data.outcome[row],
            expected: expected_outcome(objective),
        });
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

/// What outcomes have to be, in messages.
fn expected_outcome(objective: Objective) -> &'static str {
    match objective {
        Objective::BinaryLogistic => "0 or 1",
        Objective::SquaredError => "a finite number",
    }
}
