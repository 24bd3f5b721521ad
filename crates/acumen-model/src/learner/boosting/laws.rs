//! What boosting must do beyond the laws of every learner.

use acumen_base::{ColumnKind, Seed};
use serde_json::json;

use crate::data::Dataset;
use crate::fitted::FittedModel;
use crate::forest::{Forest, Node, Tree};
use crate::learner::laws::{dataset, fit, mixed, params, row};
use crate::learner::{FitError, Fitted, Params, learner};

mod found;

fn forest(fitted: &Fitted) -> &Forest {
    match &fitted.model {
        FittedModel::Forest(forest) => forest,
        other => panic!("boosting gives a forest, not {}", other.describe()),
    }
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
    let given = || json!({"n_estimators": 5, "max_depth": 4, "max_bin": 4096});
    let a = fit("xgboost", given(), &weighted).unwrap();
    let b = fit("xgboost", given(), &doubled).unwrap();
    for i in 0..weighted.matrix.n_rows {
        let row = row(&weighted, i);
        let (a, b) = (margin(forest(&a), &row), margin(forest(&b), &row));
        assert!((a - b).abs() < 1e-5, "row {i}: {a} and {b}");
    }
}

#[test]
fn every_problem_of_the_parameters_is_named_at_once() {
    let boosting = learner("xgboost").unwrap();
    let train = mixed(10, "problems");
    let given = params(json!({
        "max_deph": 3, "learning_rate": 0, "subsample": "half",
        "max_bin": 5000, "base_score": 1.5, "objective": "binary:logistik",
        "monotone_constraints": {"colum_0": 1, "column_1": 1, "column_3": 2},
    }));
    let problems = boosting.check(&given, &train.matrix.columns).unwrap_err();
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

#[test]
fn aliases_are_one_parameter() {
    let boosting = learner("xgboost").unwrap();
    let train = mixed(10, "aliases");
    let given = params(json!({"eta": 0.1, "learning_rate": 0.2}));
    let problems = boosting.check(&given, &train.matrix.columns).unwrap_err();
    assert!(problems.len() == 1 && problems[0].message.contains("twice"));
    let given = params(json!({"eta": 0.25, "lambda": 2, "n_jobs": 1}));
    let checked = boosting.check(&given, &train.matrix.columns).unwrap();
    assert_eq!(checked.params_json()["learning_rate"], 0.25);
    assert_eq!(checked.params_json()["reg_lambda"], 2.0);
    // What is written down is what can be given again.
    let mut again: Params = serde_json::from_value(checked.params_json()).unwrap();
    again.retain(|_, value| !value.is_null());
    let again = boosting.check(&again, &train.matrix.columns).unwrap();
    assert_eq!(again.params_json(), checked.params_json());
}

#[test]
fn rows_that_teach_nothing_are_refused_by_name() {
    let good = mixed(50, "refused");
    let change = |change: &dyn Fn(&mut Dataset)| {
        let mut data = good.clone();
        change(&mut data);
        data
    };
    let cases: [(&str, Dataset); 2] = [
        (
            "all 50 training rows have the outcome 0",
            change(&|d| d.outcome.fill(0.0)),
        ),
        (
            "training row 3 is NaN, which is not 0 or 1",
            change(&|d| d.outcome[3] = f32::NAN),
        ),
    ];
    for (said, data) in &cases {
        let error = fit("xgboost", json!({}), data).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let stop = json!({"early_stopping_rounds": 5});
    assert!(matches!(
        fit("xgboost", stop, &good),
        Err(FitError::NoValidation)
    ));
}

#[test]
fn constant_columns_teach_the_mean() {
    let outcome = vec![1.0, 0.0, 0.0, 0.0];
    let data = dataset(&[ColumnKind::Number], vec![vec![7.0; 4]], outcome);
    let given = json!({"n_estimators": 60, "reg_lambda": 0, "min_child_weight": 0});
    let fitted = fit("xgboost", given, &data).unwrap();
    let p = 1.0 / (1.0 + (-margin(forest(&fitted), &[7.0])).exp());
    assert!(
        (p - 0.25).abs() < 1e-3 && fitted.importances.is_empty(),
        "{p}"
    );
}

#[test]
fn rounds_added_later_are_the_rounds_that_would_have_been() {
    let (train, valid) = (mixed(2_000, "train"), mixed(500, "valid"));
    let boosting = learner("xgboost").unwrap();
    let given = |rounds: usize, more: usize| {
        params(json!({
            "n_estimators": rounds, "warm_start": more, "subsample": 0.7, "colsample_bytree": 0.6,
            "base_score": "auto", "max_depth": 4,
        }))
    };
    let check = |params: &Params| boosting.check(params, &train.matrix.columns).unwrap();
    let fit = |rounds| {
        let checked = check(&given(rounds, 0));
        checked
            .fit(&train, Some(&valid), Seed(4), &mut |_| {})
            .unwrap()
    };
    let go_on = |rounds, more| {
        let first = fit(9).model;
        let checked = check(&given(rounds, more));
        checked
            .fit_from(&first, &train, Some(&valid), Seed(4), &mut |_| {})
            .unwrap()
    };
    assert_eq!(forest(&go_on(9, 5)), forest(&fit(14)));
    assert_eq!(go_on(9, 5).log.values, fit(14).log.values[9..]);
    // At twice its rounds, and where it is not asked for, a model begins anew.
    assert_eq!(forest(&go_on(6, 4)), forest(&fit(6)));
    assert_eq!(forest(&go_on(9, 0)), forest(&fit(9)));
}

#[test]
fn rounds_that_do_not_help_are_not_added() {
    let (train, valid) = (mixed(800, "train"), mixed(800, "valid"));
    let boosting = learner("xgboost").unwrap();
    let given = json!({"n_estimators": 300, "early_stopping_rounds": 5, "warm_start": 50});
    let checked = boosting
        .check(&params(given), &train.matrix.columns)
        .unwrap();
    let first = checked
        .fit(&train, Some(&valid), Seed(1), &mut |_| {})
        .unwrap();
    let mut rounds = 0;
    let next = checked.fit_from(&first.model, &train, Some(&valid), Seed(1), &mut |_| {
        rounds += 1;
    });
    assert_eq!((forest(&next.unwrap()), rounds), (forest(&first), 5));
}
