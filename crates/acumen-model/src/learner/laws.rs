//! What every learner in [`LEARNERS`] must do. What one of them must find is tested beside it.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, Deadline, ManualClock, Seed, Time};
use serde_json::{Value, json};

use super::{Checked, FitError, Fitted, LEARNERS, Learner, Params, learner};
use crate::data::{Dataset, Matrix};
use crate::fitted::FittedModel;

pub(super) fn params(value: Value) -> Params {
    serde_json::from_value(value).unwrap()
}

/// A number in [0, 1) for each `i`, the same in every run.
pub(super) fn noise(i: usize, salt: &str) -> f32 {
    Seed(5).unit(&format!("{salt} {i}")) as f32
}

pub(super) fn dataset(kinds: &[ColumnKind], data: Vec<Vec<f32>>, outcome: Vec<f32>) -> Dataset {
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
pub(super) fn mixed(n_rows: usize, salt: &str) -> Dataset {
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

/// Customers with whole numbers of purchases, the time since the last one, their age, the mean
/// value of a purchase (missing of those who bought once), and what they spent later.
fn customers(n_rows: usize, salt: &str) -> Dataset {
    let mut data = vec![Vec::new(); 4];
    let mut outcome = Vec::new();
    for i in 0..n_rows {
        let of = |part: &str| noise(i, &format!("{salt} {part}"));
        let repeats = (6.0 * of("repeats") * of("more")).floor();
        let age = 1.0 + 50.0 * of("age");
        let (since, value) = match repeats > 0.0 {
            true => (age * of("since"), 5.0 + 20.0 * of("value")),
            false => (age, f32::NAN),
        };
        for (column, value) in data.iter_mut().zip([repeats, since, age, value]) {
            column.push(value);
        }
        outcome.push(30.0 * repeats * of("outcome"));
    }
    dataset(&[ColumnKind::Number; 4], data, outcome)
}

pub(super) fn fit(name: &str, given: Value, train: &Dataset) -> Result<Fitted, FitError> {
    fit_with(name, given, train, None)
}

pub(super) fn fit_with(
    name: &str,
    given: Value,
    train: &Dataset,
    valid: Option<&Dataset>,
) -> Result<Fitted, FitError> {
    let checked = learner(name)
        .unwrap()
        .check(&params(given), &train.matrix.columns)
        .unwrap();
    checked.fit(train, valid, Seed(11), &mut |_| {})
}

pub(super) fn row(data: &Dataset, row: usize) -> Vec<f32> {
    data.matrix.data.iter().map(|column| column[row]).collect()
}

fn bytes(fitted: &Fitted) -> String {
    serde_json::to_string(fitted).unwrap()
}

/// Small parameters of each learner, with everything drawn that can be, and every way to fit.
fn samples(learner: &dyn Learner) -> Vec<Value> {
    match learner.name() {
        "xgboost" => vec![
            json!({"n_estimators": 8, "max_depth": 5, "subsample": 0.8, "colsample_bytree": 0.7,
                   "max_bin": 64, "warm_start": 3}),
            json!({"n_estimators": 4, "max_bin": 512}),
        ],
        "isolation_forest" => vec![
            json!({"n_estimators": 40, "max_samples": 64, "max_features": 0.7}),
            json!({"n_estimators": 24, "max_samples": 300, "extension_level": 2, "refresh": 0.5}),
        ],
        "two_part" => vec![
            json!({"n_estimators": 6, "max_depth": 4, "subsample": 0.8}),
            json!({"n_estimators": 4, "amount": "log_normal", "max_bin": 64, "subsample": 0.9}),
        ],
        "bg_nbd" | "pareto_nbd" => vec![
            json!({"frequency": "column_0", "since_last": "column_1", "age": "column_2",
                   "value": "column_3", "horizon": 26, "discount": 0.002}),
            json!({"frequency": "column_0", "since_last": "column_1", "age": "column_2",
                   "horizon": 4, "predicts": "alive"}),
        ],
        other => panic!("give `{other}` sample parameters: the laws run over every learner"),
    }
}

/// Rows that a learner can learn from.
fn rows_of(learner: &dyn Learner, n_rows: usize, salt: &str) -> Dataset {
    match learner.name() {
        "bg_nbd" | "pareto_nbd" => customers(n_rows, salt),
        "two_part" => {
            let mut row = 0;
            mixed(n_rows, salt).with_outcome(|any| {
                row += 1;
                any * (0.5 + 20.0 * noise(row, &format!("{salt} value")))
            })
        }
        _ => mixed(n_rows, salt),
    }
}

/// Runs over every learner with each of its sample parameters.
fn each(law: impl Fn(&dyn Learner, &Value)) {
    for learner in LEARNERS {
        samples(*learner)
            .iter()
            .for_each(|given| law(*learner, given));
    }
}

fn checked(learner: &dyn Learner, given: &Value, train: &Dataset) -> Box<dyn Checked> {
    learner
        .check(&params(given.clone()), &train.matrix.columns)
        .unwrap()
}

fn with(given: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut given = given.clone();
    given[name] = value.into();
    given
}

fn has(learner: &dyn Learner, name: &str) -> bool {
    learner.params().iter().any(|doc| doc.name == name)
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
    each(|learner, given| {
        if !has(learner, "n_threads") {
            return;
        }
        let train = rows_of(learner, 13_000, "threads");
        let of = |threads: u64| {
            let given = with(given, "n_threads", threads);
            let checked = checked(learner, &given, &train);
            let first = checked.fit(&train, None, Seed(11), &mut |_| {}).unwrap();
            let next = checked.fit_from(&first.model, &train, None, Seed(11), &mut |_| {});
            (bytes(&first), bytes(&next.unwrap()))
        };
        let one = of(1);
        for threads in [1, 2, 3] {
            assert!(
                one == of(threads),
                "{} at {threads} threads",
                learner.name()
            );
        }
    });
}

#[test]
fn another_seed_draws_other_rows() {
    for learner in LEARNERS.iter().filter(|learner| has(**learner, "seed")) {
        let train = rows_of(*learner, 2_000, "seed");
        let checked = checked(*learner, &samples(*learner)[0], &train);
        let of = |seed| bytes(&checked.fit(&train, None, Seed(seed), &mut |_| {}).unwrap());
        assert_ne!(of(1), of(2));
    }
}

#[test]
fn many_are_one_by_one_and_a_loaded_model_says_the_same() {
    let clock = ManualClock::at(Time(0));
    let never = Deadline::never(clock.clone());
    let late = Deadline::after(clock, 0, 0);
    each(|learner, given| {
        let [train, other] =
            [(1_500, "train"), (700, "other")].map(|(n, salt)| rows_of(learner, n, salt));
        let model = fit(learner.name(), given.clone(), &train).unwrap().model;
        model.check().unwrap();
        let text = serde_json::to_string(&model).unwrap();
        let loaded: FittedModel = serde_json::from_str(&text).unwrap();
        assert_eq!(loaded, model);
        let (scorer, many) = (model.scorer(), loaded.margins(&other.matrix));
        assert_eq!(many, scorer.margins_many(&other.matrix));
        for (i, many) in many.iter().enumerate() {
            let one = scorer.margin_before(&row(&other, i), &never).unwrap();
            assert_eq!(one.to_bits(), many.to_bits(), "{} row {i}", learner.name());
        }
        assert_eq!(scorer.margin_before(&row(&other, 0), &late), None);
    });
}

#[test]
fn contributions_add_up_to_the_margin() {
    each(|learner, given| {
        let [train, other] =
            [(1_500, "train"), (100, "other")].map(|(n, salt)| rows_of(learner, n, salt));
        let model = fit(learner.name(), given.clone(), &train).unwrap().model;
        let (scorer, margins) = (model.scorer(), model.margins(&other.matrix));
        for (i, margin) in margins.iter().enumerate() {
            let found = scorer.explain(&row(&other, i));
            assert_eq!(found.contributions.len(), 4);
            let sum = found.expected + found.contributions.iter().sum::<f64>();
            let error = (sum - f64::from(*margin)).abs();
            assert!(
                error < 1e-4,
                "{} row {i}: {sum} for {margin}",
                learner.name()
            );
        }
    });
}

#[test]
fn a_model_of_another_kind_is_no_beginning() {
    let models: Vec<FittedModel> = LEARNERS
        .iter()
        .map(|learner| {
            let train = rows_of(*learner, 600, "foreign");
            fit(learner.name(), samples(*learner)[0].clone(), &train)
                .unwrap()
                .model
        })
        .collect();
    each(|learner, given| {
        let train = rows_of(learner, 600, "foreign");
        let checked = checked(learner, given, &train);
        let anew = checked.fit(&train, None, Seed(3), &mut |_| {}).unwrap();
        for (foreign, of) in models.iter().zip(LEARNERS) {
            if of.name() != learner.name() {
                let next = checked.fit_from(foreign, &train, None, Seed(3), &mut |_| {});
                assert_eq!(bytes(&next.unwrap()), bytes(&anew));
            }
        }
    });
}

#[test]
fn every_problem_of_the_parameters_is_named_at_once() {
    let train = mixed(10, "problems");
    for learner in LEARNERS {
        // No parameter is a list.
        let docs = learner.params();
        let mut given: Params = docs
            .iter()
            .map(|doc| (doc.name.to_owned(), json!([1])))
            .collect();
        given.insert(format!("{}s", docs[0].name), json!(1));
        let problems = learner.check(&given, &train.matrix.columns).err().unwrap();
        assert_eq!(problems.len(), docs.len() + 1, "{problems:#?}");
        for doc in docs {
            assert!(
                problems
                    .iter()
                    .any(|p| p.param == doc.name && !p.help.is_empty())
            );
        }
        let misspelt = problems
            .iter()
            .find(|p| p.param == format!("{}s", docs[0].name));
        assert_eq!(
            misspelt.unwrap().help,
            format!("did you mean `{}`?", docs[0].name)
        );
    }
}

#[test]
fn what_is_written_down_can_be_given_again() {
    each(|learner, given| {
        let train = rows_of(learner, 10, "again");
        let written = checked(learner, given, &train).params_json();
        let mut again: Params = serde_json::from_value(written.clone()).unwrap();
        again.retain(|_, value| !value.is_null());
        let again = learner.check(&again, &train.matrix.columns).unwrap();
        assert_eq!(again.params_json(), written);
    });
}

/// Something that is done to rows.
type Change<'a> = &'a dyn Fn(&mut Dataset);

#[test]
fn rows_that_cannot_be_read_are_refused_by_name() {
    let empty = dataset(&[ColumnKind::Number], vec![Vec::new()], Vec::new());
    let narrow = dataset(&[ColumnKind::Number], vec![vec![1.0, 2.0]], vec![0.0, 1.0]);
    let cases: [(&str, Change<'_>); 5] = [
        ("there are no training rows", &|d| *d = d.select(&[])),
        ("the weight of training row 0 is 0", &|d| {
            d.weight = Some(vec![0.0; 50]);
        }),
        ("49 values of the weight", &|d| {
            d.weight = Some(vec![1.0; 49]);
        }),
        ("there are 49 values of column 2", &|d| {
            d.matrix.data[2].truncate(49);
        }),
        ("`column_1` holds 0.5", &|d| d.matrix.data[1][7] = 0.5),
    ];
    for learner in LEARNERS {
        let (good, given) = (
            rows_of(*learner, 50, "refused"),
            samples(*learner).remove(0),
        );
        let has_categories = good.matrix.columns.list[1].kind == ColumnKind::Category;
        for (said, change) in &cases[..if has_categories { 5 } else { 4 }] {
            let mut data = good.clone();
            change(&mut data);
            let error = fit(learner.name(), given.clone(), &data)
                .unwrap_err()
                .to_string();
            assert!(error.contains(said), "{error}");
        }
        for (valid, said) in [(&empty, "no validation rows"), (&narrow, "have 1 columns")] {
            let error = fit_with(learner.name(), given.clone(), &good, Some(valid)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
