//! Models of Python's xgboost.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{fs, iter};

use acumen_base::{Column, ColumnKind, Columns, Seed, Time};
use acumen_model::{
    CompiledForest, Dataset, Explainer, Forest, Matrix, XgboostModel, learner, read_xgboost_json,
    write_xgboost_json,
};
use serde::Deserialize;

/// What xgboost says of some rows; the last contribution is the expected margin.
#[derive(Deserialize)]
struct Expected {
    rows: Vec<Vec<Option<f32>>>,
    margins: Vec<f32>,
    contributions: Vec<Vec<f32>>,
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn check_theirs(model: &Path, expected: &Path) {
    let model = read_xgboost_json(&fs::read_to_string(model).unwrap()).unwrap();
    let expected: Expected = serde_json::from_str(&fs::read_to_string(expected).unwrap()).unwrap();
    assert_eq!(model.feature_names, ["amount", "count", "channel"]);
    assert_eq!(model.feature_types, ["float", "float", "c"]);
    let nodes = model.forest.trees.iter().flat_map(|tree| &tree.nodes);
    assert!(nodes.filter(|node| node.categories.is_some()).count() > 3);
    let compiled = CompiledForest::new(&model.forest);
    let explainer = Explainer::new(&model.forest);
    for (index, row) in expected.rows.iter().enumerate() {
        let row: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        let margin = compiled.margin(&row);
        assert!(
            (margin - expected.margins[index]).abs() < 1e-6,
            "row {index}: {margin}"
        );
        let explained = explainer.explain(&row);
        let ours = explained
            .contributions
            .iter()
            .chain(iter::once(&explained.expected));
        for (ours, theirs) in ours.zip(&expected.contributions[index]) {
            assert!(
                (ours - f64::from(*theirs)).abs() < 1e-4,
                "row {index}: {ours} {theirs}"
            );
        }
    }
    // Written and read again it is the same model.
    let again = read_xgboost_json(&write_xgboost_json(&model)).unwrap();
    assert!(again == model);
}

#[test]
fn a_model_of_xgboost_predicts_and_explains_the_same() {
    let data = crate_folder().join("tests/data");
    check_theirs(
        &data.join("xgboost-3.2.json"),
        &data.join("xgboost-3.2.expected.json"),
    );
}

fn columns() -> Arc<Columns> {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        unit: String::new(),
        help: String::new(),
    };
    let list = vec![
        column("amount", ColumnKind::Number),
        column("count", ColumnKind::Number),
        column("channel", ColumnKind::Category),
    ];
    Arc::new(Columns::new(list, "made up"))
}

fn made_up_rows(count: usize) -> Dataset {
    let draw = |name: &str, row: usize| Seed(5).unit(&format!("{name}-{row}")) as f32;
    let missing = |name: &str, row, value| {
        if draw(name, row) < 0.1 {
            f32::NAN
        } else {
            value
        }
    };
    let amount: Vec<f32> = (0..count)
        .map(|i| missing("a?", i, draw("a", i) * 200.0))
        .collect();
    let counts: Vec<f32> = (0..count).map(|i| (draw("c", i) * 9.0).floor()).collect();
    let channel = |i| missing("ch?", i, (draw("ch", i) * 12.0).floor());
    let channel: Vec<f32> = (0..count).map(channel).collect();
    let outcome = |i: usize| {
        let high = if amount[i] > 120.0 { 0.4 } else { 0.1 };
        let risky = if [1.0, 4.0, 7.0].contains(&channel[i]) {
            0.4
        } else {
            0.0
        };
        f32::from(u8::from(draw("y", i) < high + risky))
    };
    Dataset {
        outcome: (0..count).map(outcome).collect(),
        matrix: Matrix {
            columns: columns(),
            n_rows: count,
            data: vec![amount.clone(), counts, channel.clone()],
        },
        weight: None,
        time: (0..count as i64).map(Time).collect(),
    }
}

fn trained_here(rows: &Dataset, objective: &str) -> Forest {
    let params = serde_json::json!({"n_estimators": 40, "max_depth": 5, "learning_rate": 0.2,
                                    "objective": objective});
    let params = serde_json::from_value(params).unwrap();
    let learner = learner("xgboost").unwrap();
    let checked = learner.check(&params, &rows.matrix.columns).unwrap();
    let fitted = checked.fit(rows, None, Seed(1), &mut |_| {}).unwrap();
    fitted.model.into_forest().unwrap()
}

#[test]
fn xgboost_and_we_read_each_others_models() {
    let root = crate_folder().join("../..");
    let python: PathBuf = root.join(".venv-peers/bin/python");
    if !python.exists() {
        eprintln!("skipped: there is no .venv-peers with xgboost (`cargo xtask prove` makes one)");
        return;
    }
    let rows = made_up_rows(1_500);
    exchange(&python, &rows, "binary:logistic");
    let values = rows.with_outcome(|any| 7.0 * any + 0.5);
    exchange(&python, &values, "reg:squarederror");
    exchange(&python, &values, "reg:gamma");
    exchange(&python, &rows.with_outcome(|any| 9.0 * any), "reg:tweedie");
}

fn exchange(python: &Path, rows: &Dataset, objective: &str) {
    let root = crate_folder().join("../..");
    let folder = tempfile::tempdir().unwrap();
    let forest = trained_here(rows, objective);
    let margins = CompiledForest::new(&forest).margins_many(&rows.matrix);
    let value = |column: &Vec<f32>, row: usize| (!column[row].is_nan()).then_some(column[row]);
    let row = |row| {
        rows.matrix
            .data
            .iter()
            .map(|column| value(column, row))
            .collect::<Vec<_>>()
    };
    let listed: Vec<Vec<Option<f32>>> = (0..rows.len()).map(row).collect();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("ours.rows.json", serde_json::to_string(&listed).unwrap());
    let value = |margin: &f32| forest.objective.transform(*margin);
    let values: Vec<f64> = margins.iter().map(value).collect();
    write(
        "ours.margins.json",
        serde_json::to_string(&margins).unwrap(),
    );
    write("ours.values.json", serde_json::to_string(&values).unwrap());
    let model = XgboostModel {
        forest,
        feature_names: ["amount", "count", "channel"].map(String::from).into(),
        feature_types: ["float", "float", "c"].map(String::from).into(),
    };
    write("ours.json", write_xgboost_json(&model));

    let script = root.join("peers/xgboost_exchange.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let found: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!(found["ours_rows"], 1_500);
    for figure in ["ours_margin_difference", "ours_value_difference"] {
        let difference = found[figure].as_f64().unwrap();
        assert!(difference < 1e-6, "{objective}: {found}");
    }
    let resaved = fs::read_to_string(folder.path().join("ours.resaved.json")).unwrap();
    let resaved = CompiledForest::new(&read_xgboost_json(&resaved).unwrap().forest);
    assert_eq!(resaved.margins_many(&rows.matrix), margins);
    check_theirs(
        &folder.path().join("theirs.json"),
        &folder.path().join("theirs.expected.json"),
    );
}
