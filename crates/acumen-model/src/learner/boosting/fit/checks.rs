//! What rows must be to be learnt from.

use super::{BoostingParams, expected_outcome};
use crate::data::Dataset;
use crate::forest::Objective;
use crate::learner::FitError;

pub(super) fn check(
    params: &BoostingParams,
    train: &Dataset,
    valid: Option<&Dataset>,
) -> Result<(), FitError> {
    part(params, "training", train)?;
    if let Some(valid) = valid {
        part(params, "validation", valid)?;
        let (expected, found) = (train.matrix.data.len(), valid.matrix.data.len());
        if expected != found {
            return Err(FitError::Columns { expected, found });
        }
    } else if params.early_stopping_rounds.is_some() {
        return Err(FitError::NoValidation);
    }
    let first = train.outcome[0];
    if params.objective == Objective::BinaryLogistic && train.outcome.iter().all(|y| *y == first) {
        return Err(FitError::OneClass {
            rows: train.outcome.len(),
            value: first,
        });
    }
    Ok(())
}

fn part(params: &BoostingParams, part: &'static str, data: &Dataset) -> Result<(), FitError> {
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
    let is_valid = |outcome: f32| match params.objective {
        Objective::BinaryLogistic => outcome == 0.0 || outcome == 1.0,
        Objective::SquaredError => outcome.is_finite(),
    };
    if let Some(row) = data.outcome.iter().position(|y| !is_valid(*y)) {
        return Err(FitError::Outcome {
            part,
            row,
            value: data.outcome[row],
            expected: expected_outcome(params.objective),
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
