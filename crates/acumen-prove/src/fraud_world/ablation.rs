//! The ensemble of some of the models, fitted and cut like that of all of them.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, ENSEMBLE, Seed};
use acumen_model::metrics::Curve;
use acumen_model::{Artifact, CalibrationMethod, Dataset, EnsemblePlan, Matrix, fit_ensemble};

use super::PRECISION_BEFORE;
use super::worlds::{Asked, Trained};
use crate::report::Failure;
use crate::stage::USE_CASE;

/// A fitted ensemble of some models and its cut.
pub(super) struct Ensemble {
    artifact: Artifact,
    columns: Arc<Columns>,
    members: Vec<usize>,
    /// Rows of at least this score are flagged.
    pub(super) cut: f64,
}

/// Some of the models, each time with a name: those of a layer, each one, all but one.
pub(super) fn subsets(trained: &Trained) -> Vec<(String, Vec<usize>)> {
    let members = &trained.members;
    let all = || 0..members.len();
    let mut subsets = Vec::new();
    for (layer, models) in &trained.layers {
        let of = |i: &usize| models.contains(&members[*i]);
        subsets.push((format!("layer {layer} alone"), all().filter(of).collect()));
    }
    for (i, member) in members.iter().enumerate() {
        subsets.push((format!("{member} alone"), vec![i]));
    }
    for (i, member) in members.iter().enumerate() {
        let others = all().filter(|other| *other != i).collect();
        subsets.push((format!("without {member}"), others));
    }
    subsets
}

impl Ensemble {
    /// Fits the ensemble to the rows that the use case's own was fitted to, and fixes its cut on
    /// those that came after.
    pub(super) fn fit(trained: &Trained, members: &[usize]) -> Result<Ensemble, Failure> {
        let columns = Arc::new(Columns::new(
            members
                .iter()
                .map(|&i| column(&trained.members[i]))
                .collect(),
            "log odds of the raw answer",
        ));
        let (fitted_to, after) = trained.periods;
        let held_out = &trained.held_out;
        let rows = Dataset {
            matrix: matrix(&columns, held_out, members),
            outcome: held_out.outcome.clone(),
            weight: Some(held_out.weight.clone()),
            time: held_out.time.clone(),
        };
        let names = members.iter();
        let names = names.map(|&i| (trained.members[i].clone(), String::new()));
        let plan = EnsemblePlan {
            use_case: USE_CASE,
            name: ENSEMBLE,
            members: &names.collect::<Vec<_>>(),
            calibration: CalibrationMethod::Platt,
            seed: Seed(0),
            code: acumen_engine::BUILD,
        };
        let mut ensemble = Ensemble {
            artifact: fit_ensemble(&plan, &rows, (fitted_to, after))?,
            columns,
            members: members.to_vec(),
            cut: f64::INFINITY,
        };
        let scores = ensemble.scores(held_out);
        let later = after.rows(&held_out.time);
        let of_later = |values: &[f64]| later.iter().map(|&i| values[i]).collect::<Vec<_>>();
        let outcome: Vec<f32> = later.iter().map(|&i| held_out.outcome[i]).collect();
        let weight: Vec<f32> = later.iter().map(|&i| held_out.weight[i]).collect();
        let curve = Curve::weighted(&of_later(&scores), &outcome, Some(&weight));
        if let Some(point) = curve.recall_at_precision(PRECISION_BEFORE) {
            ensemble.cut = point.threshold;
        }
        Ok(ensemble)
    }

    /// Margins: what is more suspicious is larger.
    pub(super) fn scores(&self, asked: &Asked) -> Vec<f64> {
        let rows = matrix(&self.columns, asked, &self.members);
        let margins = self.artifact.model.margins(&rows);
        margins.into_iter().map(f64::from).collect()
    }
}

fn matrix(columns: &Arc<Columns>, asked: &Asked, members: &[usize]) -> Matrix {
    Matrix {
        columns: Arc::clone(columns),
        n_rows: asked.len(),
        data: members.iter().map(|&i| asked.log_odds[i].clone()).collect(),
    }
}

fn column(member: &str) -> Column {
    Column {
        name: member.to_owned(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: format!("what the model {member} says"),
    }
}
