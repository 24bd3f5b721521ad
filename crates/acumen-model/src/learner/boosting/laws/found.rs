//! What boosting must find, against answers that are computed another way.

use acumen_base::{ColumnKind, Seed};
use proptest::prelude::*;
use serde_json::json;

use super::{forest, leaf, margin};
use crate::data::Dataset;
use crate::learner::laws::{dataset, fit, fit_with, mixed, noise, params, row};
use crate::learner::learner;

const NUMBER: ColumnKind = ColumnKind::Number;

/// The gain of the best first split, by trying every one; 0 where none helps.
fn exact(data: &Dataset, lambda: f64) -> f64 {
    let pair = |row: usize| (0.5 - f64::from(data.outcome[row]), 0.25);
    let score = |rows: &[usize]| {
        let g: f64 = rows.iter().map(|r| pair(*r).0).sum();
        let h: f64 = rows.iter().map(|r| pair(*r).1).sum();
        g * g / (h + lambda)
    };
    let all: Vec<usize> = (0..data.matrix.n_rows).collect();
    let mut best = 0.0_f64;
    for values in &data.matrix.data {
        let mut known: Vec<f32> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        known.sort_by(f32::total_cmp);
        known.dedup();
        let mut cuts: Vec<f32> = known.windows(2).map(|w| (w[0] + w[1]) / 2.0).collect();
        cuts.extend(known.last().map(|v| v + 1.0));
        for threshold in cuts {
            for default_left in [false, true] {
                let (left, right): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&row| {
                    let value = values[row];
                    if value.is_nan() {
                        default_left
                    } else {
                        value < threshold
                    }
                });
                if left.is_empty() || right.is_empty() {
                    continue;
                }
                let gain = score(&left) + score(&right) - score(&all);
                best = best.max(gain);
            }
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_first_split_is_the_best_of_all(
        rows in prop::collection::vec(
            (prop::option::weighted(0.8, 0_u8..12), prop::option::weighted(0.9, 0_u8..30), 0_u8..2),
            4..60,
        ),
        lambda in 0.0..2.0_f64,
    ) {
        let value = |v: Option<u8>| v.map_or(f32::NAN, f32::from);
        let columns = vec![
            rows.iter().map(|r| value(r.0)).collect(),
            rows.iter().map(|r| value(r.1)).collect(),
        ];
        let mut outcome: Vec<f32> = rows.iter().map(|r| f32::from(r.2)).collect();
        (outcome[0], outcome[1]) = (0.0, 1.0);
        let data = dataset(&[NUMBER; 2], columns, outcome);
        let given = json!({
            "n_estimators": 1, "max_depth": 1, "min_child_weight": 0, "reg_lambda": lambda,
        });
        let fitted = fit("xgboost", given, &data).unwrap();
        let root = &forest(&fitted).trees[0].nodes[0];
        let best = exact(&data, lambda);
        if root.is_leaf() {
            prop_assert!(best < 2e-6, "missed a gain of {best}");
            return Ok(());
        }
        prop_assert!((f64::from(root.gain) - best).abs() < 1e-4 * (1.0 + best));
        prop_assert!((f64::from(root.cover) - 0.25 * rows.len() as f64).abs() < 1e-4);
        // Of two equal gains either may be chosen, so what is compared is what the rows say.
        let tree = &forest(&fitted).trees[0];
        let side = |r: usize| std::ptr::eq(leaf(tree, &row(&data, r)), &raw const tree.nodes[root.left as usize]);
        let (mut g, mut h) = ([0.0; 2], [0.0; 2]);
        for r in 0..data.matrix.n_rows {
            let i = usize::from(!side(r));
            g[i] += 0.5 - f64::from(data.outcome[r]);
            h[i] += 0.25;
        }
        let leaf_gain = |g: f64, h: f64| g * g / (h + lambda);
        let parted = leaf_gain(g[0], h[0]) + leaf_gain(g[1], h[1]);
        let whole = leaf_gain(g[0] + g[1], h[0] + h[1]);
        prop_assert!((parted - whole - best).abs() < 1e-4 * (1.0 + best));
        for (i, node) in [root.left, root.right].into_iter().enumerate() {
            let expected = -0.3 * g[i] / (h[i] + lambda);
            prop_assert!((f64::from(tree.nodes[node as usize].value) - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn a_partition_of_categories_is_the_best_of_all(
        rows in prop::collection::vec((0_u8..6, 0_u8..2), 12..60),
    ) {
        let mut outcome: Vec<f32> = rows.iter().map(|r| f32::from(r.1)).collect();
        (outcome[0], outcome[1]) = (0.0, 1.0);
        let column: Vec<f32> = rows.iter().map(|r| f32::from(r.0)).collect();
        let data = dataset(&[ColumnKind::Category], vec![column.clone()], outcome.clone());
        let given = json!({
            "n_estimators": 1, "max_depth": 1, "min_child_weight": 0, "max_cat_to_onehot": 1,
            // Without a penalty the best partition is always a prefix of the order.
            "reg_lambda": 1e-9,
        });
        let fitted = fit("xgboost", given, &data).unwrap();
        let root = &forest(&fitted).trees[0].nodes[0];
        let gain = |right: u32| {
            let mut sums = [[0.0_f64; 2]; 2];
            for (value, y) in column.iter().zip(&outcome) {
                let side = &mut sums[(right >> *value as u32 & 1) as usize];
                side[0] += 0.5 - f64::from(*y);
                side[1] += 0.25;
            }
            let leaf = |[g, h]: [f64; 2]| if h > 0.0 { g * g / (h + 1e-9) } else { 0.0 };
            let whole = [sums[0][0] + sums[1][0], sums[0][1] + sums[1][1]];
            leaf(sums[0]) + leaf(sums[1]) - leaf(whole)
        };
        let best = (1..63_u32).map(gain).fold(0.0, f64::max);
        let found = f64::from(root.gain);
        prop_assert!((found - best).abs() < 1e-4 * (1.0 + best), "{found} of {best}");
        if let Some(right) = &root.categories {
            let set = right.iter().fold(0, |set, c| set | 1 << c);
            prop_assert!((gain(set) - found).abs() < 1e-4 * (1.0 + found));
        }
    }
}

#[test]
fn a_missing_value_goes_where_it_belongs() {
    for missing_is in [0.0, 1.0] {
        let values: Vec<f32> = (0..300)
            .map(|i| if i % 3 == 0 { f32::NAN } else { i as f32 })
            .collect();
        let outcome = (0..300)
            .map(|i| {
                if i % 3 == 0 {
                    missing_is
                } else {
                    f32::from(u8::from(i >= 150))
                }
            })
            .collect();
        let data = dataset(&[NUMBER], vec![values], outcome);
        let fitted = fit("xgboost", json!({"n_estimators": 1, "max_depth": 1}), &data).unwrap();
        let root = &forest(&fitted).trees[0].nodes[0];
        assert_eq!(root.default_left, missing_is == 0.0);
        assert!((148.0..152.0).contains(&root.threshold));
    }
    // Whether a value is known at all can be what matters.
    let values = (0..100)
        .map(|i| if i % 2 == 0 { f32::NAN } else { i as f32 })
        .collect();
    let outcome = (0..100).map(|i| (i % 2) as f32).collect();
    let data = dataset(&[NUMBER], vec![values], outcome);
    let fitted = fit("xgboost", json!({"n_estimators": 1, "max_depth": 1}), &data).unwrap();
    let forest = forest(&fitted);
    assert!(margin(forest, &[f32::NAN]) < 0.0 && margin(forest, &[3.0]) > 0.0);
}

#[test]
fn monotone_columns_never_turn() {
    let n = 4_000;
    let a: Vec<f32> = (0..n).map(|i| noise(i, "a")).collect();
    let b: Vec<f32> = (0..n).map(|i| noise(i, "b")).collect();
    let outcome: Vec<f32> = (0..n)
        .map(|i| (3.0 * a[i]).sin() + (9.0 * a[i]).cos() - b[i] + 0.3 * noise(i, "error"))
        .collect();
    let data = dataset(&[NUMBER; 2], vec![a, b], outcome);
    let given = |constraints: serde_json::Value| {
        json!({
            "objective": "reg:squarederror", "n_estimators": 40, "max_depth": 5, "reg_alpha": 0.01,
            "monotone_constraints": constraints,
        })
    };
    let falls = |constraints: serde_json::Value| {
        let fitted = fit("xgboost", given(constraints), &data).unwrap();
        let forest = forest(&fitted);
        let step = |i: usize, j: usize| margin(forest, &[i as f32 / 100.0, j as f32 / 20.0]);
        let pairs = (0..100).flat_map(|i| (0..20).map(move |j| (i, j)));
        let (mut a, mut b) = (0, 0);
        for (i, j) in pairs {
            a += usize::from(step(i + 1, j) < step(i, j) - 1e-5);
            b += usize::from(step(i, j + 1) > step(i, j) + 1e-5);
        }
        (a, b)
    };
    assert_eq!(falls(json!({"column_0": 1, "column_1": -1})), (0, 0));
    assert!(
        falls(json!({})).0 > 0,
        "without constraints it follows the curve"
    );
}

#[test]
fn training_stops_at_the_best_round() {
    let (train, valid) = (mixed(1_500, "train"), mixed(1_500, "valid"));
    for metric in ["logloss", "auc", "aucpr", "rmse"] {
        let given = json!({
            "n_estimators": 400, "eval_metric": metric, "early_stopping_rounds": 7, "max_depth": 6,
        });
        let mut rounds = Vec::new();
        let fitted = learner("xgboost")
            .unwrap()
            .check(&params(given), &train.matrix.columns)
            .unwrap()
            .fit(&train, Some(&valid), Seed(1), &mut |p| rounds.push(p))
            .unwrap();
        let log = &fitted.log;
        let sign = if ["auc", "aucpr"].contains(&metric) {
            -1.0
        } else {
            1.0
        };
        let least = log
            .values
            .iter()
            .map(|v| sign * v)
            .fold(f64::INFINITY, f64::min);
        assert_eq!(sign * log.values[log.best_round - 1], least, "{metric}");
        assert_eq!(log.rounds_run, log.best_round + 7);
        assert_eq!(forest(&fitted).trees.len(), log.best_round);
        assert_eq!(rounds.len(), log.rounds_run);
        assert_eq!(rounds.last().unwrap().best_round, log.best_round);
    }
}

#[test]
fn a_curve_is_learnt() {
    let curve = |x: f32, z: f32| 10.0 + (6.0 * x).sin() + x * z;
    let sample = |salt: &str| {
        let x: Vec<f32> = (0..2_000).map(|i| noise(i, &format!("x {salt}"))).collect();
        let z: Vec<f32> = (0..2_000).map(|i| noise(i, &format!("z {salt}"))).collect();
        let y = x.iter().zip(&z).map(|(x, z)| curve(*x, *z)).collect();
        dataset(&[NUMBER; 2], vec![x, z], y)
    };
    let (train, valid) = (sample("train"), sample("valid"));
    let given = json!({"objective": "reg:squarederror", "n_estimators": 200, "learning_rate": 0.1});
    let fitted = fit_with("xgboost", given, &train, Some(&valid)).unwrap();
    let forest = forest(&fitted);
    let mean = train.outcome.iter().map(|y| f64::from(*y)).sum::<f64>() / 2_000.0;
    assert!(
        (forest.base_score - mean).abs() < 1e-6,
        "`auto` is the mean"
    );
    let error = fitted.log.values.last().unwrap();
    assert!(*error < 0.03, "{error}");
    for i in [0, 77, 1_999] {
        let predicted = margin(forest, &row(&valid, i)) + forest.base_score as f32;
        assert!((predicted - valid.outcome[i]).abs() < 0.2);
    }
}

#[test]
fn leaves_and_depth_have_their_limits() {
    let train = mixed(3_000, "limits");
    for policy in ["depthwise", "lossguide"] {
        let given = json!({
            "n_estimators": 3, "grow_policy": policy, "max_leaves": 10, "max_depth": 0,
            "min_child_weight": 0,
        });
        let fitted = fit("xgboost", given, &train).unwrap();
        for tree in &forest(&fitted).trees {
            assert_eq!(
                tree.nodes.iter().filter(|n| n.is_leaf()).count(),
                10,
                "{policy}"
            );
        }
    }
    let fitted = fit("xgboost", json!({"n_estimators": 2, "gamma": 1e9}), &train).unwrap();
    assert!(
        forest(&fitted)
            .trees
            .iter()
            .all(|tree| tree.nodes.len() == 1)
    );
    let given = json!({"n_estimators": 2, "learning_rate": 1, "max_delta_step": 0.1});
    let fitted = fit("xgboost", given, &train).unwrap();
    let nodes = forest(&fitted).trees.iter().flat_map(|tree| &tree.nodes);
    assert!(nodes.filter(|n| n.is_leaf()).all(|n| n.value.abs() <= 0.1));
}

#[test]
fn what_matters_is_named_first() {
    let train = mixed(4_000, "importance");
    let fitted = fit(
        "gradient_boosting",
        json!({"n_estimators": 20, "max_depth": 3}),
        &train,
    )
    .unwrap();
    let names: Vec<&str> = fitted
        .importances
        .iter()
        .map(|i| i.column.as_str())
        .collect();
    assert_eq!(names[0], "column_1");
    assert!(
        names
            .iter()
            .position(|n| *n == "column_3")
            .is_none_or(|i| i == names.len() - 1)
    );
}
