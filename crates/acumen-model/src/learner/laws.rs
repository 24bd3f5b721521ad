//! What every learner in [`LEARNERS`] must do, and what boosting must find.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, Seed, Time};
use serde_json::json;

use super::{FitError, Fitted, LEARNERS, Params, learner};
use crate::data::{Dataset, Matrix};
use crate::fitted::FittedModel;
use crate::forest::{Forest, Node, Tree};

mod boosted;

fn params(value: serde_json::Value) -> Params {
    serde_json::from_value(value).unwrap()
}

/// A number in [0, 1) for each `i`, the same in every run.
fn noise(i: usize, salt: &str) -> f32 {
    Seed(5).unit(&format!("{salt} {i}")) as f32
}

fn dataset(kinds: &[ColumnKind], data: Vec<Vec<f32>>, outcome: Vec<f32>) -> Dataset {
    let list = kinds
        .iter()
        .enumerate()
        .map(|(i, kind)| Column {
            name: format!("column_{i}"),
            kind: *kind,
            unit: String::new(),
            help: String::new(),
        })
        .collect();
    Dataset {
        matrix: Matrix {
            columns: Arc::new(Columns::new(list, "")),
            n_rows: outcome.len(),
            data,
        },
        weight: None,
        time: vec![Time(0); outcome.len()],
        outcome,
    }
}

/// Numbers (some missing), a category and a flag, with an outcome that depends on all of them.
fn mixed(n_rows: usize, salt: &str) -> Dataset {
    let mut data = vec![Vec::new(); 4];
    let mut outcome = Vec::new();
    for i in 0..n_rows {
        let of = |part: &str| noise(i, &format!("{salt} {part}"));
        let amount = if of("known") < 0.2 {
            f32::NAN
        } else {
            100.0 * of("amount")
        };
        let category = (of("category") * 9.0).floor();
        let flag = f32::from(u8::from(of("flag") < 0.3));
        let wanted = f32::from(u8::from([1.0, 4.0, 7.0].contains(&category)));
        let rare = if amount.is_nan() { 0.3 } else { amount / 200.0 };
        let chance = 0.1 + 0.3 * wanted + 0.2 * flag + 0.4 * rare;
        for (column, value) in data.iter_mut().zip([amount, category, flag, of("idle")]) {
            column.push(value);
        }
        outcome.push(f32::from(u8::from(of("outcome") < chance)));
    }
    let kinds = [
        ColumnKind::Number,
        ColumnKind::Category,
        ColumnKind::Flag,
        ColumnKind::Number,
    ];
    dataset(&kinds, data, outcome)
}

fn fit(name: &str, given: serde_json::Value, train: &Dataset) -> Result<Fitted, FitError> {
    fit_with(name, given, train, None)
}

fn fit_with(
    name: &str,
    given: serde_json::Value,
    train: &Dataset,
    valid: Option<&Dataset>,
) -> Result<Fitted, FitError> {
    let checked = learner(name)
        .unwrap()
        .check(&params(given), &train.matrix.columns)
        .unwrap();
    checked.fit(train, valid, Seed(11), &mut |_| {})
}

fn forest(fitted: &Fitted) -> &Forest {
    match &fitted.model {
        FittedModel::Forest(forest) => forest,
        other => panic!("{} is no forest", other.describe()),
    }
}

fn row(data: &Dataset, row: usize) -> Vec<f32> {
    data.matrix.data.iter().map(|column| column[row]).collect()
}

fn leaf<'a>(tree: &'a Tree, row: &[f32]) -> &'a Node {
    let mut node = &tree.nodes[0];
    while !node.is_leaf() {
        let value = row[node.feature as usize];
        let left = match &node.categories {
            _ if value.is_nan() => node.default_left,
            Some(right) => !right.contains(&(value as u32)),
            None => value < node.threshold,
        };
        node = &tree.nodes[if left { node.left } else { node.right } as usize];
    }
    node
}

fn margin(forest: &Forest, row: &[f32]) -> f32 {
    forest.trees.iter().map(|tree| leaf(tree, row).value).sum()
}

fn bytes(fitted: &Fitted) -> String {
    serde_json::to_string(fitted).unwrap()
}

/// Few rounds with everything drawn that can be.
fn drawn(n_threads: usize) -> serde_json::Value {
    json!({
        "n_estimators": 8, "max_depth": 5, "subsample": 0.8, "colsample_bytree": 0.7,
        "max_bin": 64, "n_threads": n_threads,
    })
}

#[test]
fn names_are_unique_and_found() {
    let mut names = Vec::new();
    for each in LEARNERS {
        names.push(each.name());
        names.extend(each.aliases());
        assert!(!each.doc().is_empty() && !each.params().is_empty());
    }
    for name in &names {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1);
        assert!(learner(name).is_ok());
    }
    assert_eq!(learner("xgbost").err(), Some(Some("xgboost")));
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    // More rows than one piece, so that pieces are joined.
    let train = mixed(13_000, "threads");
    for each in LEARNERS {
        let all = |threads| json!({"n_estimators": 4, "max_bin": 512, "n_threads": threads});
        for given in [drawn, all] {
            let one = bytes(&fit(each.name(), given(1), &train).unwrap());
            for threads in [1, 2, 3] {
                let again = bytes(&fit(each.name(), given(threads), &train).unwrap());
                assert!(one == again, "{} at {threads} threads", each.name());
            }
        }
    }
}

#[test]
fn another_seed_draws_other_rows() {
    let train = mixed(2_000, "seed");
    for each in LEARNERS {
        let checked = each
            .check(&params(drawn(1)), &train.matrix.columns)
            .unwrap();
        let of = |seed| bytes(&checked.fit(&train, None, Seed(seed), &mut |_| {}).unwrap());
        assert_ne!(of(1), of(2));
    }
}

#[test]
fn a_weight_of_two_is_two_rows() {
    let mut weighted = mixed(1_500, "weights");
    let mut doubled = weighted.clone();
    for column in doubled.matrix.data.iter_mut().chain([&mut doubled.outcome]) {
        column.extend_from_within(..);
    }
    doubled.matrix.n_rows *= 2;
    doubled.time.extend_from_within(..);
    weighted.weight = Some(vec![2.0; weighted.outcome.len()]);
    for each in LEARNERS {
        let given = || json!({"n_estimators": 5, "max_depth": 4, "max_bin": 4096});
        let a = fit(each.name(), given(), &weighted).unwrap();
        let b = fit(each.name(), given(), &doubled).unwrap();
        for i in 0..weighted.matrix.n_rows {
            let row = row(&weighted, i);
            let (a, b) = (margin(forest(&a), &row), margin(forest(&b), &row));
            assert!((a - b).abs() < 1e-5, "row {i}: {a} and {b}");
        }
    }
}

#[test]
fn every_problem_of_the_parameters_is_named_at_once() {
    let train = mixed(10, "problems");
    for each in LEARNERS {
        let given = params(json!({
            "max_deph": 3, "learning_rate": 0, "subsample": "half",
            "max_bin": 5000, "base_score": 1.5, "objective": "binary:logistik",
            "monotone_constraints": {"colum_0": 1, "column_1": 1, "column_3": 2},
        }));
        let problems = each.check(&given, &train.matrix.columns).unwrap_err();
        let of = |param: &str| -> Vec<String> {
            let own = problems.iter().filter(|p| p.param == param);
            own.map(ToString::to_string).collect()
        };
        assert!(of("max_deph")[0].contains("did you mean `max_depth`?"));
        assert!(of("learning_rate").len() == 1 && of("subsample").len() == 1);
        assert!(of("max_bin")[0].contains("from 2 to 4096"));
        assert!(of("objective")[0].contains("reg:squarederror"));
        assert!(of("base_score")[0].contains("probability"));
        let monotone = of("monotone_constraints");
        assert!(monotone.len() == 3 && monotone[0].contains("did you mean `column_0`?"));
        assert_eq!(problems.len(), 9, "{problems:#?}");
    }
}

#[test]
fn aliases_are_one_parameter() {
    let train = mixed(10, "aliases");
    for each in LEARNERS {
        let given = params(json!({"eta": 0.1, "learning_rate": 0.2}));
        let problems = each.check(&given, &train.matrix.columns).unwrap_err();
        assert!(problems.len() == 1 && problems[0].message.contains("twice"));
        let given = params(json!({"eta": 0.25, "lambda": 2, "n_jobs": 1}));
        let checked = each.check(&given, &train.matrix.columns).unwrap();
        assert_eq!(checked.params_json()["learning_rate"], 0.25);
        assert_eq!(checked.params_json()["reg_lambda"], 2.0);
        // What is written down is what can be given again.
        let mut again: Params = serde_json::from_value(checked.params_json()).unwrap();
        again.retain(|_, value| !value.is_null());
        let again = each.check(&again, &train.matrix.columns).unwrap();
        assert_eq!(again.params_json(), checked.params_json());
    }
}

#[test]
fn rows_that_teach_nothing_are_refused_by_name() {
    let good = mixed(50, "refused");
    let change = |change: &dyn Fn(&mut Dataset)| {
        let mut data = good.clone();
        change(&mut data);
        data
    };
    let empty = dataset(&[ColumnKind::Number], vec![Vec::new()], Vec::new());
    let cases: [(&str, Dataset); 6] = [
        ("there are no training rows", empty),
        (
            "all 50 training rows have the outcome 0",
            change(&|d| d.outcome.fill(0.0)),
        ),
        (
            "training row 3 is NaN, which is not 0 or 1",
            change(&|d| d.outcome[3] = f32::NAN),
        ),
        (
            "the weight of training row 0 is 0",
            change(&|d| d.weight = Some(vec![0.0; 50])),
        ),
        (
            "there are 49 values of column 2",
            change(&|d| d.matrix.data[2].truncate(49)),
        ),
        (
            "`column_1` holds 0.5",
            change(&|d| d.matrix.data[1][7] = 0.5),
        ),
    ];
    for each in LEARNERS {
        for (said, data) in &cases {
            let error = fit(each.name(), json!({}), data).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let stop = json!({"early_stopping_rounds": 5});
        assert!(matches!(
            fit(each.name(), stop, &good),
            Err(FitError::NoValidation)
        ));
        let error = fit_with(each.name(), json!({}), &good, Some(&cases[0].1)).unwrap_err();
        assert!(error.to_string().contains("no validation rows"));
    }
}

#[test]
fn constant_columns_teach_the_mean() {
    let outcome = vec![1.0, 0.0, 0.0, 0.0];
    let data = dataset(&[ColumnKind::Number], vec![vec![7.0; 4]], outcome);
    for each in LEARNERS {
        let given = json!({"n_estimators": 60, "reg_lambda": 0, "min_child_weight": 0});
        let fitted = fit(each.name(), given, &data).unwrap();
        let p = 1.0 / (1.0 + (-margin(forest(&fitted), &[7.0])).exp());
        assert!(
            (p - 0.25).abs() < 1e-3 && fitted.importances.is_empty(),
            "{p}"
        );
    }
}
