//! What models of lifetime value must say of parameters, rows and customers.

use acumen_base::ColumnKind;
use serde_json::{Value, json};

use crate::data::Dataset;
use crate::fitted::{FittedModel, Scorer};
use crate::learner::laws::{dataset, fit, noise, params};
use crate::learner::{ParamProblem, learner};
use crate::lifetime::{LastPurchase, LifetimeModel};

const NAMES: [&str; 2] = ["bg_nbd", "pareto_nbd"];

/// Repeats, the time to the last purchase, the same counted back, age, value, and what is idle.
fn customers(n_rows: usize) -> Dataset {
    let kinds = [ColumnKind::Number; 6];
    let mut data = vec![Vec::new(); 6];
    for i in 0..n_rows {
        let repeats = (9.0 * noise(i, "a") * noise(i, "b")).floor();
        let age = (100.0 * noise(i, "age")).ceil();
        let last = if repeats > 0.0 {
            (age * noise(i, "last")).floor()
        } else {
            0.0
        };
        let row = [
            repeats,
            last,
            age - last,
            age,
            10.0 + 5.0 * noise(i, "value"),
            noise(i, "idle"),
        ];
        data.iter_mut()
            .zip(row)
            .for_each(|(column, value)| column.push(value));
    }
    dataset(&kinds, data, vec![0.0; n_rows])
}

fn given(more: &Value) -> Value {
    let mut given =
        json!({"frequency": "column_0", "recency": "column_1", "age": "column_3", "horizon": 20});
    let more = more.as_object().unwrap().clone();
    given.as_object_mut().unwrap().extend(more);
    given
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    given
}

fn model(name: &str, more: &Value, train: &Dataset) -> LifetimeModel {
    match fit(name, given(more), train).unwrap().model {
        FittedModel::Lifetime(model) => model,
        other => panic!("{}", other.describe()),
    }
}

fn problems(value: Value) -> Vec<ParamProblem> {
    let columns = &customers(3).matrix.columns;
    learner("bg_nbd")
        .unwrap()
        .check(&params(value), columns)
        .err()
        .unwrap()
}

#[test]
fn the_last_purchase_can_be_counted_from_either_end() {
    let train = customers(2_000);
    for name in NAMES {
        let from_first = model(name, &json!({"value": "column_4"}), &train);
        let back = json!({"recency": null, "since_last": "column_2", "value": "column_4"});
        let from_now = model(name, &back, &train);
        assert_eq!(from_now.reads.last, LastPurchase::BeforeNow(2));
        assert_eq!(from_first.process, from_now.process);
        assert_eq!(
            from_first.margins_many(&train.matrix),
            from_now.margins_many(&train.matrix)
        );
    }
}

#[test]
fn a_weight_is_so_many_customers() {
    let train = customers(1_000);
    let all: Vec<usize> = (0..1_000).collect();
    let twice = train.select(&[all.clone(), (0..500).collect()].concat());
    let mut weighted = train.select(&all);
    weighted.weight = Some(
        (0..1_000)
            .map(|i| if i < 500 { 2.0 } else { 1.0 })
            .collect(),
    );
    for name in NAMES {
        let value = json!({"value": "column_4"});
        let (twice, weighted) = (model(name, &value, &twice), model(name, &value, &weighted));
        let margins = |model: &LifetimeModel| model.margins_many(&train.matrix);
        for (a, b) in margins(&twice).iter().zip(margins(&weighted)) {
            assert!((a - b).abs() < 1e-4 * b, "{name}: {a} {b}");
        }
    }
}

#[test]
fn what_is_predicted_can_be_chosen() {
    let train = customers(2_000);
    for name in NAMES {
        let of = |more: Value| model(name, &more, &train).margins_many(&train.matrix);
        let alive = of(json!({"predicts": "alive"}));
        let count = of(json!({}));
        let value = of(json!({"value": "column_4"}));
        let later = of(json!({"value": "column_4", "discount": 0.01}));
        for i in 0..train.len() {
            assert!((0.0..=1.0).contains(&alive[i]));
            assert!(value[i] > 9.0 * count[i] && value[i] < 16.0 * count[i]);
            assert!(later[i] < value[i] && later[i] > 0.8 * value[i]);
        }
    }
}

#[test]
fn a_row_without_anything_is_a_new_customer() {
    let train = customers(2_000);
    for name in NAMES {
        let model = model(name, &json!({"value": "column_4"}), &train);
        let never =
            acumen_base::Deadline::never(acumen_base::ManualClock::at(acumen_base::Time(0)));
        let margin = |row: [f32; 6]| model.margin_before(&row, &never).unwrap();
        let nothing = margin([f32::NAN; 6]);
        assert_eq!(nothing, margin([0.0; 6]));
        assert!(nothing > 0.0 && margin([f32::INFINITY, 9.0, 0.0, 1.0, -4.0, 0.0]).is_finite());
    }
}

#[test]
fn rows_that_cannot_be_are_named() {
    let mut train = customers(50);
    let at = (0..50)
        .find(|row| train.matrix.data[0][*row] > 0.0)
        .unwrap();
    train.matrix.data[1][at] = 200.0;
    let error = fit("bg_nbd", given(&json!({})), &train)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("row {at} bought last at 200")),
        "{error}"
    );
    train.matrix.data[0].fill(0.0);
    train.matrix.data[1].fill(0.0);
    let error = fit("pareto_nbd", given(&json!({})), &train)
        .unwrap_err()
        .to_string();
    assert!(error.contains("none of the 50 customers"), "{error}");
}

#[test]
fn columns_must_be_named_and_be_there() {
    let found = problems(json!({}));
    let named: Vec<&str> = found.iter().map(|problem| problem.param.as_str()).collect();
    assert_eq!(named, ["frequency", "age", "horizon", "recency"]);
    for (more, said) in [
        (
            json!({"frequency": "column_9"}),
            "`column_9`, which is no column",
        ),
        (json!({"since_last": "column_2"}), "both say when"),
        (json!({"predicts": "value"}), "no column of values"),
        (
            json!({"age": "column_1"}),
            "`column_1` is named for two things",
        ),
        (json!({"horizon": 0}), "`horizon` is 0"),
    ] {
        let found = problems(given(&more));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.contains(said), "{found:?}");
    }
}
