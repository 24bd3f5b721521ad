//! What values in two parts must find.

use acumen_base::{ColumnKind, Seed};
use serde_json::{Value, json};

use crate::data::Dataset;
use crate::fitted::FittedModel;
use crate::forest::Objective;
use crate::learner::laws::{dataset, fit};
use crate::metrics::RegressionMetrics;
use crate::two_part::Amount;
use acumen_base::random::Stream;

/// Two columns: the first raises the chance of any value and the logarithm of the value, the
/// second its spread.
fn rows(n_rows: usize, seed: u64) -> Dataset {
    let mut random = Stream::new(Seed(seed));
    let mut data = vec![Vec::new(); 2];
    let mut outcome = Vec::new();
    for _ in 0..n_rows {
        let (much, wide) = (random.unit(), f64::from(u8::from(random.coin())));
        let has_any = random.unit() < 0.2 + 0.6 * much;
        let value = (1.0 + 2.0 * much + (0.3 + 0.9 * wide) * random.normal()).exp();
        data[0].push(much as f32);
        data[1].push(wide as f32);
        outcome.push(if has_any { value as f32 } else { 0.0 });
    }
    dataset(&[ColumnKind::Number; 2], data, outcome)
}

fn values(name: &str, given: Value, train: &Dataset, rows: &Dataset) -> (FittedModel, Vec<f64>) {
    let model = fit(name, given, train).unwrap().model;
    let margins = model.margins(&rows.matrix).into_iter();
    let values = margins
        .map(|margin| model.objective().transform(margin))
        .collect();
    (model, values)
}

#[test]
fn every_way_finds_the_expected_value() {
    let (train, other) = (rows(20_000, 1), rows(20_000, 2));
    let small = json!({"n_estimators": 60, "max_depth": 3, "learning_rate": 0.1});
    let with = |more: Value| {
        let mut given = small.clone();
        given
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        given
    };
    for (name, more) in [
        ("two_part", json!({})),
        ("two_part", json!({"amount": "log_normal"})),
        (
            "xgboost",
            json!({"objective": "reg:tweedie", "tweedie_variance_power": 1.5}),
        ),
    ] {
        let (_, found) = values(name, with(more.clone()), &train, &other);
        let metrics = RegressionMetrics::of(&found, &other.outcome);
        assert!(
            metrics.total_error.unwrap().abs() < 0.05,
            "{name} {more}: {metrics:?}"
        );
        assert!(
            metrics.decile_error.unwrap() < 0.08,
            "{name} {more}: {metrics:?}"
        );
        // The truth, for the rows of one corner.
        for (i, found) in found.iter().enumerate() {
            let (much, wide) = (
                f64::from(other.matrix.data[0][i]),
                f64::from(other.matrix.data[1][i]),
            );
            let spread = 0.3 + 0.9 * wide;
            let truth = (0.2 + 0.6 * much) * (1.0 + 2.0 * much + spread * spread / 2.0).exp();
            if much > 0.45 && much < 0.55 && wide == 0.0 {
                assert!(
                    (found / truth).ln().abs() < 0.35,
                    "{name} {more}: {found} for {truth}"
                );
            }
        }
    }
}

#[test]
fn the_spread_of_logarithms_is_that_of_unseen_rows() {
    let given =
        json!({"amount": "log_normal", "n_estimators": 40, "max_depth": 4, "learning_rate": 0.2});
    let train = rows(6_000, 3);
    let (model, _) = values("two_part", given, &train, &train);
    let FittedModel::TwoPart(model) = model else {
        panic!("two parts")
    };
    assert_eq!(model.occurs.objective, Objective::BinaryLogistic);
    let Amount::LogNormal { variance, .. } = model.amount else {
        panic!("a log-normal amount")
    };
    let spread = |wide: f32| {
        let row = [0.5, wide];
        let margin =
            variance.base_margin() + variance.trees.iter().map(|t| t.value(&row)).sum::<f32>();
        margin.exp().sqrt()
    };
    assert!((spread(0.0) - 0.3).abs() < 0.1 && (spread(1.0) - 1.2).abs() < 0.25);
}

#[test]
fn rows_that_teach_only_one_part_are_refused() {
    let train = rows(100, 4);
    let said = |change: &dyn Fn(f32) -> f32| {
        let changed = train.with_outcome(change);
        fit("two_part", json!({}), &changed)
            .unwrap_err()
            .to_string()
    };
    assert!(said(&|_| 0.0).contains("all 100 training rows have the outcome 0"));
    assert!(said(&|_| 3.0).contains("all 100 training rows have the outcome 1"));
    assert!(said(&|y| y - 0.1).contains("not a finite number from 0"));
}
