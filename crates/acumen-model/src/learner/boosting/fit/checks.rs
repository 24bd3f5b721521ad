//! What rows must be to be boosted on.

use super::BoostingParams;
use crate::data::Dataset;
use crate::forest::Objective;
use crate::learner::{FitError, check_rows};

pub(super) fn check(
    params: &BoostingParams,
    train: &Dataset,
    valid: Option<&Dataset>,
) -> Result<(), FitError> {
    check_rows(params.objective, train, valid)?;
    if valid.is_none() && params.early_stopping_rounds.is_some() {
        return Err(FitError::NoValidation);
    }
    let first = train.outcome[0];
    if params.objective == Objective::BinaryLogistic && train.outcome.iter().all(|y| *y == first) {
        return Err(FitError::OneClass {
            rows: train.outcome.len(),
            value: first,
        });
    }
    let has_rate = matches!(params.objective, Objective::Tweedie { .. });
    if has_rate && train.outcome.iter().all(|y| *y == 0.0) {
        return Err(FitError::NothingPositive {
            rows: train.outcome.len(),
        });
    }
    Ok(())
}
