//! Models of values on parts that the caller has chosen: by the origin of the rows, or by key.

use acumen_base::Seed;

use super::{INTERVAL_LEVEL, TrainingError, calibrate};
use crate::artifact::ColumnImportance;
use crate::calibration::{Calibration, CalibrationMethod};
use crate::data::{Dataset, Matrix};
use crate::fitted::FittedModel;
use crate::informed::{INFORMED, informed_dataset, informed_matrix};
use crate::intervals::Intervals;
use crate::learner::{Fitted, Learner, Params, Progress};
use crate::lifetime::LifetimeModel;
use crate::metrics::RegressionMetrics;

/// What is to be fitted.
#[derive(Clone, Copy)]
pub struct ValuePlan<'a> {
    /// The learner.
    pub learner: &'static dyn Learner,
    /// Its parameters.
    pub params: &'a Params,
    /// A model of purchases that is fitted to the same rows and answers beside it.
    pub informant: Option<(&'static dyn Learner, &'a Params)>,
    /// Whether its answers are columns that the learner sees.
    pub informs: bool,
    /// What no value is below.
    pub floor: Option<f64>,
    /// The seed of everything random.
    pub seed: Seed,
}

/// A fitted model of values, and what goes with it.
#[derive(Clone, Debug)]
pub struct ValueModel {
    /// The model.
    pub model: FittedModel,
    /// How its margin becomes a value.
    pub calibration: Calibration,
    /// All parameters, defaults included.
    pub parameters: serde_json::Value,
    /// What each column contributed, the most important first.
    pub importances: Vec<ColumnImportance>,
    /// The model of purchases that answers beside it.
    pub purchases: Option<LifetimeModel>,
    floor: Option<f64>,
}

/// How good a model of values is on rows that it was not fitted to.
#[derive(Clone, Debug)]
pub struct JudgedValue {
    /// Its figures.
    pub metrics: RegressionMetrics,
    /// The mean Tweedie deviance at a power of 1.5, which is least for the true expectations;
    /// `None` where outcomes may be below 0.
    pub deviance: Option<f64>,
    /// Intervals around its values, where there were rows enough.
    pub intervals: Option<Intervals>,
}

/// Fits a model of values; `validation` tells when to stop.
///
/// # Errors
/// Where the parameters are not valid, or the rows do not suffice.
pub fn fit_value(
    plan: &ValuePlan<'_>,
    train: &Dataset,
    validation: &Dataset,
    progress: &mut dyn FnMut(Progress),
) -> Result<ValueModel, TrainingError> {
    let purchases = match plan.informant {
        Some(informant) => informant_of(informant, train, plan.seed)?,
        None => None,
    };
    let informed = purchases.as_ref().filter(|_| plan.informs);
    let wide = |rows: &Dataset| match informed {
        Some(model) => informed_dataset(model, rows),
        None => rows.clone(),
    };
    let (train, validation) = (wide(train), wide(validation));
    let checked = plan.learner.check(plan.params, &train.matrix.columns);
    let checked = checked.map_err(TrainingError::Params)?;
    let valid = Some(&validation).filter(|rows| !rows.is_empty());
    let Fitted {
        model, importances, ..
    } = checked.fit(&train, valid, plan.seed, progress)?;
    let importances = importances.into_iter().map(|importance| ColumnImportance {
        column: importance.column,
        total_gain: importance.total_gain,
    });
    Ok(ValueModel {
        calibration: calibrate(&model, CalibrationMethod::Auto, &train),
        parameters: checked.params_json(),
        importances: importances.collect(),
        model,
        purchases,
        floor: plan.floor,
    })
}

/// The model of purchases, fitted to the rows; it looks at no outcome.
fn informant_of(
    (learner, params): (&'static dyn Learner, &Params),
    train: &Dataset,
    seed: Seed,
) -> Result<Option<LifetimeModel>, TrainingError> {
    let checked = learner.check(params, &train.matrix.columns);
    let checked = checked.map_err(TrainingError::Params)?;
    let fitted = checked.fit(train, None, seed, &mut |_| ())?;
    Ok(match fitted.model {
        FittedModel::Lifetime(model) => Some(model),
        _ => None,
    })
}

impl ValueModel {
    /// The values of many rows.
    pub fn predict(&self, rows: &Matrix) -> Vec<f64> {
        let wide;
        let seen = match &self.purchases {
            Some(model) if self.model.n_features() == rows.data.len() + INFORMED => {
                wide = informed_matrix(model, rows);
                &wide
            }
            _ => rows,
        };
        let floor = self.floor.unwrap_or(f64::NEG_INFINITY);
        let margins = self.model.margins(seen).into_iter();
        let value = |margin: f32| self.calibration.apply(f64::from(margin)).max(floor);
        margins.map(value).collect()
    }

    /// Its figures on `test`, within intervals from the errors on `calibration`.
    pub fn judge(&self, calibration: &Dataset, test: &Dataset) -> JudgedValue {
        let errors_of = self.predict(&calibration.matrix);
        let level = (INTERVAL_LEVEL, self.floor);
        // Too few rows for the level: the card says that there are none.
        let intervals = Intervals::new(&errors_of, &calibration.outcome, level).ok();
        let predicted = self.predict(&test.matrix);
        let mut metrics = RegressionMetrics::of(&predicted, &test.outcome);
        if let Some(intervals) = &intervals {
            metrics.interval_coverage = Some(intervals.coverage(&predicted, &test.outcome));
        }
        JudgedValue {
            metrics,
            deviance: tweedie_deviance(&predicted, &test.outcome),
            intervals,
        }
    }
}

/// What a prediction is at least counted as: nobody is worth nothing for certain.
const LEAST_SHARE: f64 = 1e-4;

/// The mean deviance of the compound Poisson distribution with a variance of `mean^1.5`, of
/// outcomes in units of their mean; `None` where one is below 0, or all are 0.
pub fn tweedie_deviance(predicted: &[f64], outcome: &[f32]) -> Option<f64> {
    let rows = outcome.len() as f64;
    let mean = outcome.iter().map(|y| f64::from(*y)).sum::<f64>() / rows;
    if outcome.iter().any(|y| *y < 0.0) || mean.is_nan() || mean <= 0.0 {
        return None;
    }
    let one = |(predicted, outcome): (&f64, &f32)| {
        let (mu, y) = (
            (predicted / mean).max(LEAST_SHARE),
            f64::from(*outcome) / mean,
        );
        // 2 (y^(2−p) / ((1−p)(2−p)) − y mu^(1−p) / (1−p) + mu^(2−p) / (2−p)) at p = 3/2.
        4.0 * (y / mu.sqrt() + mu.sqrt() - 2.0 * y.sqrt())
    };
    Some(predicted.iter().zip(outcome).map(one).sum::<f64>() / rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviance_is_least_for_the_expectations() {
        // Half of the rows have 0 and half 8; the mean of both is the best answer to all.
        let outcome = [0.0, 8.0, 0.0, 8.0_f32];
        let at = |value: f64| tweedie_deviance(&[value; 4], &outcome).unwrap();
        for other in [0.0, 1.0, 3.5, 4.5, 8.0, 100.0] {
            assert!(at(4.0) < at(other), "{other}");
        }
        assert!((tweedie_deviance(&[8.0], &[8.0]).unwrap()).abs() < 1e-12);
        assert_eq!(tweedie_deviance(&[1.0], &[-1.0]), None);
        assert_eq!(tweedie_deviance(&[1.0], &[0.0]), None);
    }
}
