//! The ensemble of models: fitted to what they say of rows that none of them saw.

use std::collections::BTreeMap;

use acumen_base::Seed;

use super::{TrainingError, calibrate, judge, window};
use crate::artifact::{Artifact, ColumnImportance, FORMAT};
use crate::calibration::CalibrationMethod;
use crate::data::Dataset;
use crate::encoding::Encoding;
use crate::fitted::FittedModel;
use crate::split::{Period, Split};
use crate::stacking::Stacking;

/// The ensemble of some models that is to be fitted.
#[derive(Clone, Copy, Debug)]
pub struct EnsemblePlan<'a> {
    /// The use case that it belongs to.
    pub use_case: &'a str,
    /// Its name among the members.
    pub name: &'a str,
    /// The version of each member, in the order of the columns.
    pub members: &'a [(String, String)],
    /// How its margin becomes a probability.
    pub calibration: CalibrationMethod,
    /// The seed of its members.
    pub seed: Seed,
    /// The version of the code, for the record.
    pub code: &'a str,
}

/// Fits an ensemble to rows that hold the log odds of each member's raw answer, as
/// [`acumen_base::Prediction::log_odds`] gives them: on `held_out`, which no member was fitted to,
/// and judged on `test`, which came after.
///
/// # Errors
/// Where the rows do not suffice.
pub fn fit_ensemble(
    plan: &EnsemblePlan<'_>,
    rows: &Dataset,
    (held_out, test): (Period, Period),
) -> Result<Artifact, TrainingError> {
    let fitted_to = rows.select(&held_out.rows(&rows.time));
    let stacking = Stacking::fit(&fitted_to)?;
    let columns = &rows.matrix.columns;
    let weights = columns.list.iter().zip(&stacking.weights);
    let parameters = serde_json::json!({
        "members": plan.members.iter().cloned().collect::<BTreeMap<String, String>>(),
        "weights": weights.map(|(column, weight)| (&column.name, *weight)).collect::<BTreeMap<_, _>>(),
    });
    let deviation = |member: usize| stacking.covariance[member][member].sqrt();
    let mut importances: Vec<ColumnImportance> = columns
        .list
        .iter()
        .enumerate()
        .map(|(member, column)| ColumnImportance {
            column: column.name.clone(),
            total_gain: stacking.weights[member] * deviation(member),
        })
        .collect();
    importances.sort_by(|a, b| b.total_gain.total_cmp(&a.total_gain));
    let model = FittedModel::Stacking(stacking);
    let calibration = calibrate(&model, plan.calibration, &fitted_to);
    let test_metrics = judge(&model, &calibration, &rows.select(&test.rows(&rows.time)));
    let values: Vec<Vec<f64>> = vec![Vec::new(); columns.len()];
    Ok(Artifact {
        format: FORMAT,
        use_case: plan.use_case.into(),
        member: plan.name.into(),
        learner: "stacking".into(),
        parameters,
        columns: (**columns).clone(),
        encoding: Encoding::of(columns, &values),
        model,
        calibration,
        intervals: None,
        test_metrics,
        window: window(&fitted_to, held_out),
        split: Split {
            train: held_out,
            validation: held_out,
            calibration: held_out,
            test,
        },
        importances,
        seed: plan.seed.0,
        code: plan.code.into(),
        continues: None,
        refit_of: None,
        quantiles: Default::default(),
        search: None,
        purchases: None,
        candidates: None,
    })
}
