//! What every learner of this crate must do.

use acumen_base::Seed;
use acumen_model::{
    Checked, Dataset, FitError, Fitted, FittedModel, Learner, Network, Params, Scorer, find_learner,
};
use serde_json::{Value, json};

use crate::LEARNERS;

mod agreement;
mod laws;
mod problems;
mod sampled;

use sampled::sampled;

fn params(value: Value) -> Params {
    serde_json::from_value(value).unwrap()
}

/// Small and quick.
fn quick() -> Value {
    json!({"epochs": 2, "batch_size": 128, "layers": [12]})
}

fn checked(learner: &dyn Learner, given: Value, rows: &Dataset) -> Box<dyn Checked> {
    learner.check(&params(given), &rows.matrix.columns).unwrap()
}

fn fit(
    learner: &dyn Learner,
    given: Value,
    (train, valid): (&Dataset, Option<&Dataset>),
) -> Result<Fitted, FitError> {
    checked(learner, given, train).fit(train, valid, Seed(11), &mut |_| {})
}

fn network(fitted: &Fitted) -> &Network {
    match &fitted.model {
        FittedModel::Network(network) => network,
        other => panic!("{} is no network", other.describe()),
    }
}

fn row(data: &Dataset, row: usize) -> Vec<f32> {
    data.matrix.data.iter().map(|column| column[row]).collect()
}
