//! What an isolation forest must find.

use acumen_base::{ColumnKind, Seed};
use proptest::prelude::*;
use serde_json::json;

use crate::data::Dataset;
use crate::fitted::FittedModel;
use crate::isolation::IsolationForest;
use crate::learner::laws::{dataset, fit, mixed, noise, params};
use crate::learner::{FitError, learner};
use crate::metrics::Curve;

const NUMBER: ColumnKind = ColumnKind::Number;

fn forest(model: &FittedModel) -> &IsolationForest {
    match model {
        FittedModel::IsolationForest(forest) => forest,
        other => panic!("an isolation forest, not {}", other.describe()),
    }
}

/// A ring, with `strange` rows in its middle and beyond it; the outcome says which.
fn ring(rows: usize, strange: usize) -> Dataset {
    let (mut x, mut y, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..rows + strange {
        let is_strange = i % (rows / strange + 1) == 0;
        let radius = match (is_strange, i % 2) {
            (false, _) => 1.0 + 0.05 * noise(i, "radius"),
            (true, 0) => 0.2 * noise(i, "middle"),
            (true, _) => 1.8 + noise(i, "beyond"),
        };
        let angle = std::f32::consts::TAU * noise(i, "angle");
        x.push(radius * angle.cos());
        // Another unit: what is far must not depend on it.
        y.push(1_000.0 * radius * angle.sin());
        outcome.push(f32::from(u8::from(is_strange)));
    }
    dataset(&[NUMBER; 2], vec![x, y], outcome)
}

fn auc(given: serde_json::Value, data: &Dataset) -> f64 {
    let model = fit("isolation_forest", given, data).unwrap().model;
    let margins = model.margins(&data.matrix).into_iter().map(f64::from);
    Curve::new(&margins.collect::<Vec<_>>(), &data.outcome)
        .auc()
        .unwrap()
}

#[test]
fn what_is_rare_and_different_stands_out() {
    let data = ring(2_000, 40);
    let straight = auc(json!({}), &data);
    let oblique = auc(json!({"extension_level": 1}), &data);
    assert!(straight > 0.8 && oblique > 0.8, "{straight} and {oblique}");
}

#[test]
fn a_rare_category_and_a_rare_gap_stand_out_and_common_ones_do_not() {
    for (kind, rare) in [(ColumnKind::Category, 7.0), (NUMBER, f32::NAN)] {
        let value = |i: usize| match (i % 200, kind) {
            (0, _) => rare,
            (_, ColumnKind::Category) => (3.0 * noise(i, "category")).floor(),
            _ => noise(i, "number"),
        };
        let column: Vec<f32> = (0..3_000).map(value).collect();
        let other = (0..3_000).map(|i| noise(i, "other")).collect();
        let outcome = (0..3_000)
            .map(|i| f32::from(u8::from(i % 200 == 0)))
            .collect();
        let found = auc(
            json!({"n_estimators": 200}),
            &dataset(&[kind, NUMBER], vec![column, other], outcome),
        );
        assert!(found > 0.9, "{kind:?}: {found}");
    }
    // A gap in every second row is as ordinary as a value.
    let column = (0..3_000)
        .map(|i| {
            if i % 2 == 0 {
                f32::NAN
            } else {
                noise(i, "known")
            }
        })
        .collect();
    let outcome = (0..3_000)
        .map(|i| f32::from(u8::from(i % 2 == 0)))
        .collect();
    let data = dataset(&[NUMBER], vec![column], outcome);
    let model = fit("isolation_forest", json!({}), &data).unwrap().model;
    let margins = model.margins(&data.matrix);
    let known: f32 = margins.iter().skip(1).step_by(2).sum::<f32>() / 1_500.0;
    assert!(margins[0] < known + 0.3, "{} and {known}", margins[0]);
}

#[test]
fn outcomes_are_not_looked_at() {
    let data = mixed(400, "outcomes");
    let mut other = data.clone();
    other.outcome.fill(f32::NAN);
    let of = |data| fit("isolation_forest", json!({}), data).unwrap().model;
    assert_eq!(of(&data), of(&other));
}

#[test]
fn equal_rows_are_ordinary_and_one_row_is_refused() {
    let same = dataset(&[NUMBER], vec![vec![7.0; 30]], vec![0.0; 30]);
    for level in [json!({}), json!({"max_samples": 8})] {
        let model = fit("isolation_forest", level, &same).unwrap().model;
        let margins = model.margins(&same.matrix);
        assert!(
            margins.iter().all(|margin| margin.abs() < 1e-6),
            "the score is one half"
        );
    }
    let one = dataset(&[NUMBER], vec![vec![7.0]], vec![0.0]);
    let error = fit("isolation_forest", json!({}), &one).unwrap_err();
    assert!(matches!(error, FitError::TooFewRows { rows: 1, least: 2 }));
    let found = learner("isolation_forest").unwrap();
    let given = params(json!({"extension_level": 1}));
    let problems = found.check(&given, &one.matrix.columns).err().unwrap();
    assert!(problems[0].help.contains("two columns"), "{problems:?}");
}

#[test]
fn a_retraining_replaces_the_oldest_trees_by_ones_of_the_newest_rows() {
    // Rows move with time.
    let moving = |from: usize| {
        let x = (from..from + 1_000)
            .map(|i| i as f32 / 100.0 + noise(i, "x"))
            .collect();
        dataset(&[NUMBER], vec![x], vec![0.0; 1_000])
    };
    let (early, late) = (moving(0), moving(1_000));
    let found = learner("isolation_forest").unwrap();
    let given = params(json!({"n_estimators": 20, "refresh": 0.3}));
    let checked = found.check(&given, &early.matrix.columns).unwrap();
    let first = checked
        .fit(&early, None, Seed(1), &mut |_| {})
        .unwrap()
        .model;
    let mut models = vec![first];
    for _ in 0..4 {
        let before = &models[models.len() - 1];
        let next = checked
            .fit_from(before, &late, None, Seed(1), &mut |_| {})
            .unwrap()
            .model;
        next.check().unwrap();
        let (old, new) = (forest(before), forest(&next));
        assert_eq!(old.trees[6..], new.trees[..14]);
        assert_eq!((new.trees.len(), new.generation), (20, old.generation + 1));
        models.push(next);
    }
    // New trees of each round are others, and the newest rows become ordinary step by step.
    assert_ne!(
        forest(&models[4]).trees[8..14],
        forest(&models[4]).trees[14..]
    );
    let newest = late.select(&(900..1_000).collect::<Vec<_>>());
    let mean = |model: &FittedModel| model.margins(&newest.matrix).iter().sum::<f32>() / 100.0;
    let means: Vec<f32> = models.iter().map(mean).collect();
    assert!(means[4] < means[2] && means[2] < means[0], "{means:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any rows can be fitted, and any row has a score within (0, 1).
    #[test]
    fn any_row_has_a_score(
        rows in prop::collection::vec(
            (prop::option::weighted(0.8, -5.0_f32..5.0), prop::option::weighted(0.8, 0_u8..9)),
            2..40,
        ),
        probe in (prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1e30]),
                  prop::sample::select(vec![f32::NAN, 0.0, 8.0, 77.0])),
        level in 0_usize..2,
    ) {
        let mut numbers: Vec<f32> = rows.iter().map(|r| r.0.unwrap_or(f32::NAN)).collect();
        numbers[0] = f32::INFINITY;
        let ordinals = rows.iter().map(|r| r.1.map_or(f32::NAN, f32::from)).collect();
        let data = dataset(&[NUMBER, ColumnKind::Category], vec![numbers, ordinals], vec![0.0; rows.len()]);
        let given = json!({"n_estimators": 9, "extension_level": level});
        let model = fit("isolation_forest", given, &data).unwrap().model;
        model.check().unwrap();
        let probe = dataset(&[NUMBER, ColumnKind::Category], vec![vec![probe.0], vec![probe.1]], vec![0.0]);
        for margin in model.margins(&data.matrix).into_iter().chain(model.margins(&probe.matrix)) {
            prop_assert!(margin.is_finite(), "{margin}");
        }
    }
}
