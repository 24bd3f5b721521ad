//! The ensemble of a use case's models: fitted to what they say of rows that none of them saw.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, ENSEMBLE, Prediction, Seed};
use acumen_model::training::{EnsemblePlan, fit_ensemble};
use acumen_model::{Artifact, Dataset, FittedModel, Matrix};

use crate::error::EngineError;
use crate::spec::UseCase;
use crate::train::{TrainedModel, calibration};

/// What one model says of all the rows that were trained with.
pub(crate) struct Margins {
    /// Log odds of the raw answers, one a row.
    pub(crate) log_odds: Vec<f32>,
}

impl Margins {
    /// Asks a model about rows.
    pub(crate) fn of(model: &FittedModel, rows: &Matrix) -> Margins {
        let objective = model.objective();
        let log_odds = |margin: f32| {
            let raw = objective.transform(margin);
            Prediction { value: raw, raw }.log_odds() as f32
        };
        Margins {
            log_odds: model.margins(rows).into_iter().map(log_odds).collect(),
        }
    }
}

/// Fits the ensemble on the period that calibrated the models: later than all that they were
/// fitted to. `rows` are those that they were trained with, for outcomes, weights and times.
pub(crate) fn fit(
    use_case: &UseCase,
    models: &[TrainedModel],
    margins: Vec<Margins>,
    rows: &Dataset,
) -> Result<Artifact, EngineError> {
    let (Some(first), Some(training)) = (models.first(), &use_case.training) else {
        return Err(EngineError::NotEnough(format!(
            "`{}` has no models for an ensemble",
            use_case.name
        )));
    };
    let split = first.artifact.split;
    let matrix = Matrix {
        columns: Arc::new(columns(models)),
        n_rows: rows.len(),
        data: margins
            .into_iter()
            .map(|margins| margins.log_odds)
            .collect(),
    };
    let rows = Dataset {
        matrix,
        outcome: rows.outcome.clone(),
        weight: rows.weight.clone(),
        time: rows.time.clone(),
    };
    let members: Vec<(String, String)> = models
        .iter()
        .map(|model| (model.name.clone(), model.version.clone()))
        .collect();
    let plan = EnsemblePlan {
        use_case: &use_case.name,
        name: ENSEMBLE,
        members: &members,
        calibration: calibration(training.calibration),
        seed: Seed(training.seed),
        code: crate::BUILD,
    };
    Ok(fit_ensemble(&plan, &rows, (split.calibration, split.test))?)
}

/// One column a member, which holds the log odds of its raw answer.
fn columns(models: &[TrainedModel]) -> Columns {
    let column = |model: &TrainedModel| Column {
        name: model.name.clone(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: format!("what the model {} says", model.name),
    };
    Columns::new(
        models.iter().map(column).collect(),
        "log odds of the raw answer",
    )
}
