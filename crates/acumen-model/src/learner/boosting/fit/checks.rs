//! What rows must be to be boosted on.

use super::{BoostingParams, expected_outcome};
use crate::data::Dataset;
use crate::forest::Objective;
use crate::learner::{FitError, checks};

pub(super) fn check(
    params: &BoostingParams,
    train: &Dataset,
    valid: Option<&Dataset>,
) -> Result<(), FitError> {
    checks::shape("training", train)?;
    outcomes(params, "training", train)?;
    checks::same_columns(train, valid)?;
    if let Some(valid) = valid {
        outcomes(params, "validation", valid)?;
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

fn outcomes(params: &BoostingParams, part: &'static str, data: &Dataset) -> Result<(), FitError> {
    let is_valid = |outcome: f32| match params.objective {
        Objective::BinaryLogistic => outcome == 0.0 || outcome == 1.0,
        Objective::SquaredError => outcome.is_finite(),
    };
    match data.outcome.iter().position(|y| !is_valid(*y)) {
        Some(row) => Err(FitError::Outcome {
            part,
            row,
            value: data.outcome[row],
            expected: expected_outcome(params.objective),
        }),
        None => Ok(()),
    }
}
