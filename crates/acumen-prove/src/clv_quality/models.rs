//! Our side: boosters of several objectives, alone and averaged, recalibrated on rows that they
//! were not fitted to, and chosen on the training origins alone.

use std::sync::Arc;

use acumen_base::Seed;
use acumen_model::{Dataset, Params, ValueModel, ValuePlan, fit_value, learner};
use serde_json::{Value, json};

use crate::report::{Failure, all};

use super::recalibration::Law;

/// Parts of the customers; each is predicted by what was fitted to the others.
const FOLDS: u64 = 5;

/// A booster: its name, what it minimises, and whether it sees what a model of purchases says.
pub(super) struct Booster {
    pub(super) name: &'static str,
    params: Value,
    informed: bool,
}

/// The boosters, with the trees of the peer's script.
pub(super) fn boosters() -> Vec<Booster> {
    let with = |name, more: Value, informed| {
        let mut params = json!({
            "n_estimators": 300, "max_depth": 4, "learning_rate": 0.03, "subsample": 0.8,
            "colsample_bytree": 0.7,
        });
        if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
            params.extend(more);
        }
        Booster {
            name,
            params,
            informed,
        }
    };
    let tweedie = |least: f64| {
        json!({
            "objective": "reg:tweedie", "tweedie_variance_power": 1.5, "min_child_weight": least,
        })
    };
    vec![
        with("squared", json!({"objective": "reg:squarederror"}), false),
        with("tweedie", tweedie(1_000.0), false),
        with("tweedie informed", tweedie(1_000.0), true),
    ]
}

/// What is made of the boosters: a weight for each.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) weights: Vec<f64>,
}

/// Each booster alone, and means of two.
pub(super) fn candidates(boosters: &[Booster]) -> Vec<Candidate> {
    let n = boosters.len();
    let alone = (0..n).map(|one| Candidate {
        name: boosters[one].name.to_owned(),
        weights: (0..n).map(|i| f64::from(u8::from(i == one))).collect(),
    });
    let shares = [0.3, 0.5, 0.7];
    let mixed = (1..n).flat_map(|other| shares.map(|share| (other, share)));
    let mixed = mixed.map(|(other, share)| Candidate {
        name: format!("{share} squared + {}", boosters[other].name),
        weights: (0..n)
            .map(|i| match i {
                0 => share,
                i if i == other => 1.0 - share,
                _ => 0.0,
            })
            .collect(),
    });
    alone.chain(mixed).collect()
}

/// What one booster says.
struct Said {
    /// Of each training row, by a model that was fitted to other customers.
    held_out: Vec<f64>,
    /// Of each test row.
    test: Vec<f64>,
}

/// A candidate's values.
pub(super) struct Values {
    /// Of each training row, by models that were fitted to other customers; recalibrated.
    pub(super) held_out: Vec<f64>,
    /// Of each test row.
    pub(super) test: Vec<f64>,
}

/// Rows with the keys that they are of.
pub(super) struct Keyed<'a> {
    pub(super) rows: &'a Dataset,
    pub(super) ids: &'a [Arc<str>],
}

/// The values of every candidate: fitted to `train`, of `test`.
pub(super) fn values(
    boosters: &[Booster],
    candidates: &[Candidate],
    train: &Keyed<'_>,
    test: &Dataset,
    seed: Seed,
) -> Result<Vec<Values>, Failure> {
    let said: Result<Vec<Said>, Failure> = boosters
        .iter()
        .map(|booster| booster.says(train, test, seed))
        .collect();
    let said = said?;
    let mix = |weights: &[f64], of: fn(&Said) -> &[f64]| -> Vec<f64> {
        let rows = of(&said[0]).len();
        let one = |row: usize| {
            let each = weights.iter().zip(&said);
            each.map(|(weight, said)| weight * of(said)[row]).sum()
        };
        (0..rows).map(one).collect()
    };
    let recalibrated = |candidate: &Candidate| {
        let held_out = mix(&candidate.weights, |said| &said.held_out);
        let law = Law::fit(&held_out, &train.rows.outcome);
        let test = mix(&candidate.weights, |said| &said.test);
        Values {
            held_out: held_out.iter().map(|value| law.apply(*value)).collect(),
            test: test.iter().map(|value| law.apply(*value)).collect(),
        }
    };
    Ok(candidates.iter().map(recalibrated).collect())
}

impl Booster {
    fn says(&self, train: &Keyed<'_>, test: &Dataset, seed: Seed) -> Result<Said, Failure> {
        let fold =
            |id: &str| ((seed.derive("folds").unit(id) * FOLDS as f64) as u64).min(FOLDS - 1);
        let folds: Vec<u64> = train.ids.iter().map(|id| fold(id)).collect();
        let mut held_out = vec![0.0; folds.len()];
        for part in 0..FOLDS {
            let (others, own): (Vec<usize>, Vec<usize>) =
                (0..folds.len()).partition(|&row| folds[row] != part);
            let model = self.fit(&train.rows.select(&others), seed.derive(&format!("{part}")))?;
            let values = model.predict(&train.rows.select(&own).matrix);
            own.iter()
                .zip(values)
                .for_each(|(&row, value)| held_out[row] = value);
        }
        let model = self.fit(train.rows, seed)?;
        Ok(Said {
            held_out,
            test: model.predict(&test.matrix),
        })
    }

    fn fit(&self, rows: &Dataset, seed: Seed) -> Result<ValueModel, Failure> {
        let params = object(&self.params);
        let informant = object(&informant_params(rows));
        let plan = ValuePlan {
            learner: found("xgboost")?,
            params: &params,
            informant: self.informed.then_some((found("bg_nbd")?, &informant)),
            informs: self.informed,
            floor: Some(0.0),
            seed,
        };
        Ok(fit_value(&plan, rows, &rows.select(&[]), &mut |_| ())?)
    }
}

/// What a model of purchases expects of customers within so many days; it looks at no outcome.
pub(super) fn purchases(rows: &Dataset, days: f64) -> Result<Vec<f64>, Failure> {
    let mut params = informant_params(rows);
    params["horizon"] = json!(days);
    let checked = found("bg_nbd")?.check(&object(&params), &rows.matrix.columns);
    let fitted = checked
        .map_err(all)?
        .fit(rows, None, Seed(0), &mut |_| {})?;
    let values = fitted.model.margins(&rows.matrix).into_iter();
    Ok(values.map(f64::from).collect())
}

/// What the model of purchases reads.
fn informant_params(rows: &Dataset) -> Value {
    let column = |end: &str| {
        let mut names = rows.matrix.columns.list.iter().map(|column| &column.name);
        names
            .find(|name| name.ends_with(end))
            .cloned()
            .unwrap_or_default()
    };
    json!({
        "frequency": column("bought.repeats"), "recency": column("bought.recency"),
        "age": column("bought.age"), "value": column("bought.value"), "horizon": 183.0,
    })
}

fn object(params: &Value) -> Params {
    let each = params.as_object().into_iter().flatten();
    each.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn found(name: &str) -> Result<&'static dyn acumen_model::Learner, Failure> {
    learner(name).map_err(|_| Failure::new(format!("there is no learner `{name}`")))
}
