//! From columns of rows to a stored version that answers.

use std::sync::Arc;

use acumen_base::key::category_code;
use acumen_base::{
    Column, ColumnKind, Columns, Deadline, ManualClock, Member, Row, Seed, Span, Time,
};
use acumen_model::training::{TrainingError, TrainingPlan, Versions, fit_artifact};
use acumen_model::{
    Artifact, ArtifactMember, CalibrationMethod, Dataset, Encoding, FittedModel, Metrics,
    ModelStore, Params, Shares, learner,
};

const ROWS: usize = 6_000;

fn columns() -> Arc<Columns> {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        unit: String::new(),
        help: String::new(),
    };
    let list = vec![
        column("amount", ColumnKind::Number),
        column("channel", ColumnKind::Category),
    ];
    Arc::new(Columns::new(list, "made up"))
}

/// Outcomes that depend on a threshold of the amount and on one channel.
fn rows() -> (Vec<Vec<f64>>, Dataset, Encoding) {
    let draw = |name: &str, row: usize| Seed(9).unit(&format!("{name}-{row}"));
    let names = ["shop", "web", "phone"].map(category_code);
    let amount: Vec<f64> = (0..ROWS).map(|row| draw("amount", row) * 100.0).collect();
    let channel: Vec<f64> = (0..ROWS)
        .map(|row| names[(draw("channel", row) * 3.0) as usize])
        .collect();
    let chance = |row: usize| {
        let high = if amount[row] > 70.0 { 0.5 } else { 0.05 };
        high + if channel[row] == names[1] { 0.3 } else { 0.0 }
    };
    let outcome = |row| f32::from(u8::from(draw("outcome", row) < chance(row)));
    let outcome = (0..ROWS).map(outcome).collect();
    let time = (0..ROWS as i64).map(|row| Time(row * 1_000)).collect();
    let values = vec![amount, channel];
    let (dataset, encoding) = Dataset::from_columns(columns(), &values, outcome, time).unwrap();
    (values, dataset, encoding)
}

fn train(params: serde_json::Value) -> Result<Artifact, TrainingError> {
    let (_, dataset, encoding) = rows();
    train_on(params, &dataset, encoding, false).map(|versions| versions.judged)
}

fn plan(params: &Params, refit: bool) -> TrainingPlan<'_> {
    TrainingPlan {
        use_case: "orders",
        member: "boosted",
        learner: learner("xgboost").unwrap(),
        params,
        shares: Shares::default(),
        gap: Span(60_000),
        calibration: CalibrationMethod::Auto,
        seed: Seed(3),
        code: "0.1.0",
        search: None,
        trials: None,
        previous: None,
        refit,
    }
}

fn train_on(
    params: serde_json::Value,
    dataset: &Dataset,
    encoding: Encoding,
    refit: bool,
) -> Result<Versions, TrainingError> {
    let params = serde_json::from_value(params).unwrap();
    let plan = plan(&params, refit);
    fit_artifact(&plan, dataset, encoding, &mut |_| {})
}

#[test]
fn rows_become_a_version_that_answers() {
    let params =
        serde_json::json!({"n_estimators": 40, "max_depth": 3, "early_stopping_rounds": 5});
    let artifact = train(params.clone()).unwrap();
    assert_eq!(artifact.version(), train(params).unwrap().version());
    let Metrics::Binary(metrics) = &artifact.test_metrics else {
        panic!("the outcome is yes or no");
    };
    // With the chances of `rows`, ranking by the true chance gives 0.80.
    assert!(metrics.auc.unwrap() > 0.77, "{metrics:?}");
    assert!(metrics.ece_equal_mass < 0.06, "{metrics:?}");
    assert_eq!(
        (artifact.window.from, artifact.window.rows),
        (Time(0), 3_600)
    );

    let folder = tempfile::tempdir().unwrap();
    let store = ModelStore::open(folder.path()).unwrap();
    let version = store.put(&artifact).unwrap();
    let loaded = store.get("orders", "boosted", &version).unwrap();
    let (before, after) = (
        ArtifactMember::new(Arc::new(artifact)),
        ArtifactMember::new(Arc::new(loaded)),
    );
    let (values, ..) = rows();
    let never = Deadline::never(ManualClock::at(Time(0)));
    for index in 0..200 {
        let row = Row {
            columns: columns(),
            values: values.iter().map(|column| column[index]).collect(),
            at: Time(0),
            position: 0,
        };
        let (a, b) = (
            before.predict(&row, &never).unwrap(),
            after.predict(&row, &never).unwrap(),
        );
        assert_eq!(
            (a.value.to_bits(), a.raw.to_bits()),
            (b.value.to_bits(), b.raw.to_bits())
        );
        assert!((0.0..=1.0).contains(&a.value));
        assert_eq!(after.attributions(&row).len(), 2);
    }
}

/// Values that are mostly 0: a version has intervals, and says how often they held.
#[test]
fn values_come_with_intervals() {
    let (_, dataset, encoding) = rows();
    let mut row = 0;
    let dataset = dataset.with_outcome(|any| {
        row += 1;
        any * (1.0 + 30.0 * Seed(9).unit(&format!("value-{row}")) as f32)
    });
    let params =
        serde_json::json!({"objective": "reg:tweedie", "n_estimators": 40, "max_depth": 3});
    let versions = train_on(params, &dataset, encoding, false).unwrap();
    let artifact = versions.judged;
    let Metrics::Regression(metrics) = &artifact.test_metrics else {
        panic!("the outcome is a value");
    };
    assert!(metrics.total_error.unwrap().abs() < 0.15, "{metrics:?}");
    assert!(metrics.normalised_gini.unwrap() > 0.2, "{metrics:?}");
    assert!(
        (0.85..0.95).contains(&metrics.interval_coverage.unwrap()),
        "{metrics:?}"
    );
    let (low, high) = artifact.intervals.as_ref().unwrap().around(5.0);
    assert!(low == 0.0 && high > 5.0);

    let folder = tempfile::tempdir().unwrap();
    let store = ModelStore::open(folder.path()).unwrap();
    let version = store.put(&artifact).unwrap();
    assert_eq!(store.get("orders", "boosted", &version).unwrap(), artifact);
    let member = ArtifactMember::new(Arc::new(artifact));
    let row = Row {
        columns: columns(),
        values: [80.0, category_code("web")].into(),
        at: Time(0),
        position: 0,
    };
    let never = Deadline::never(ManualClock::at(Time(0)));
    let prediction = member.predict(&row, &never).unwrap();
    assert!(prediction.value > 0.0 && (prediction.value - prediction.raw).abs() < 1e-6);
}

/// Rows of which the newest have a pattern of their own, as when a new kind of fraud begins.
#[test]
fn what_is_fitted_again_knows_what_only_the_newest_rows_show() {
    let (values, dataset, encoding) = rows();
    let phone = category_code("phone");
    let mut row = 0;
    let dataset = dataset.with_outcome(|any| {
        row += 1;
        let is_new = row > ROWS * 7 / 10 && values[1][row - 1] == phone;
        if is_new { 1.0 } else { any }
    });
    let params =
        serde_json::json!({"num_boost_round": 60, "max_depth": 3, "early_stopping_rounds": 3});
    let train = || train_on(params.clone(), &dataset, encoding.clone(), true).unwrap();
    let Versions { judged, refitted } = train();
    let again = refitted.unwrap();
    assert_eq!(train().refitted.unwrap(), again);

    let rounds = judged.model.describe();
    assert_eq!(again.model.describe(), rounds);
    assert_eq!(
        rounds,
        format!("{} trees", again.parameters["n_estimators"])
    );
    assert_eq!((judged.window.rows, again.window.rows), (3_600, ROWS));
    assert_eq!(judged.test_metrics, again.test_metrics);
    assert_eq!(judged.calibration, again.calibration);

    let on_phones = |artifact: &Artifact| {
        let margins = artifact.model.margins(&dataset.matrix);
        let of = (0..ROWS).filter(|row| values[1][*row] == phone);
        of.map(|row| f64::from(margins[row])).sum::<f64>()
    };
    assert!(on_phones(&again) > on_phones(&judged) + 0.5 * (ROWS / 3) as f64);
}

/// What went on from an earlier version is gone on from once more, with all rows.
#[test]
fn what_went_on_from_another_is_gone_on_from_to_all_rows() {
    let (_, dataset, encoding) = rows();
    let params = serde_json::json!({"n_estimators": 40, "max_depth": 3, "early_stopping_rounds": 5, "warm_start": 6});
    let params = serde_json::from_value(params).unwrap();
    let plan = plan(&params, true);
    let fit = |previous| {
        let plan = TrainingPlan { previous, ..plan };
        fit_artifact(&plan, &dataset, encoding.clone(), &mut |_| {}).unwrap()
    };
    let first = fit(None).judged;
    let Versions { judged, refitted } = fit(Some(&first));
    assert_eq!(judged.continues, Some(first.version()));
    let trees = |artifact: &Artifact| match &artifact.model {
        FittedModel::Forest(forest) => forest.trees.len(),
        _ => panic!("boosting gives a forest"),
    };
    let again = refitted.unwrap();
    assert_eq!(trees(&again), trees(&judged) + 6);
    assert_eq!(again.window.rows, ROWS);
}

#[test]
fn every_wrong_parameter_is_named() {
    let error = train(serde_json::json!({"max_dept": 3, "learning_rate": -1})).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("max_depth") && text.contains("learning_rate"),
        "{text}"
    );
}
