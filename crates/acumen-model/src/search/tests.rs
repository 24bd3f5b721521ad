//! What a search must do.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, Time};
use serde_json::json;

use super::*;
use crate::data::Matrix;
use crate::learner::{LEARNERS, learner};

fn columns() -> Columns {
    let column = |name: &str| Column {
        name: name.into(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    Columns::new(vec![column("a"), column("b"), column("c")], "made up")
}

/// Outcomes that two of three columns tell, in time.
fn rows(n_rows: usize) -> Dataset {
    let draw = |name: &str, row: usize| Seed(9).unit(&format!("{name}-{row}")) as f32;
    let column = |name: &str| (0..n_rows).map(|row| draw(name, row)).collect::<Vec<f32>>();
    let data = vec![column("a"), column("b"), column("c")];
    let chance = |row: usize| 0.05 + 0.8 * f32::from(u8::from(data[0][row] * data[1][row] > 0.4));
    let outcome = (0..n_rows).map(|row| f32::from(u8::from(draw("y", row) < chance(row))));
    Dataset {
        outcome: outcome.collect(),
        matrix: Matrix {
            columns: Arc::new(columns()),
            n_rows,
            data,
        },
        weight: None,
        time: (0..n_rows as i64).map(Time).collect(),
    }
}

fn params(value: serde_json::Value) -> Params {
    serde_json::from_value(value).unwrap()
}

fn spec(method: SearchMethod, trials: usize) -> SearchSpec {
    SearchSpec {
        trials,
        method,
        of: params(json!({"max_depth": [1, 6], "eta": [0.01, 0.5]})),
        folds: 3,
        metric: SearchMetric::AveragePrecision,
    }
}

fn given() -> Params {
    params(json!({"n_estimators": 6, "max_bin": 32}))
}

/// Runs a search, with a file or without, and counts the trials that it says it has judged.
fn run(
    spec: &SearchSpec,
    rows: &Dataset,
    path: Option<&std::path::Path>,
) -> (Params, SearchTable, Vec<SearchProgress>) {
    let (boosting, given) = (learner("xgboost").unwrap(), given());
    let space = spec.check(boosting, &given, &columns()).unwrap();
    let plan = SearchPlan {
        learner: boosting,
        given: &given,
        spec,
        space: &space,
        gap: Span::ZERO,
        seed: Seed(5),
    };
    let mut file = path.map(|path| TrialFile::open(path, &plan, rows, "1").unwrap());
    let mut seen = Vec::new();
    let found = search(&plan, rows, file.as_mut(), &mut |at| seen.push(at)).unwrap();
    (found.0, found.1, seen)
}

#[test]
fn the_best_of_the_trials_is_found_again() {
    let rows = rows(1_500);
    for method in [SearchMethod::Random, SearchMethod::Halving] {
        let (params, table, seen) = run(&spec(method, 9), &rows, None);
        let again = run(&spec(method, 9), &rows, None);
        assert_eq!((&params, &table), (&again.0, &again.1));
        let best = table.ranking()[0];
        assert_eq!(best.number, table.best);
        assert!(table.trials.iter().all(|trial| trial.folds.len() == 3));
        assert_eq!(params["n_estimators"], 6);
        assert!(table.best == 0 || params["max_depth"] == best.params["max_depth"]);
        let last = seen.last().unwrap();
        assert_eq!(
            (last.done, last.total),
            (table.trials.len(), table.trials.len())
        );
        assert_eq!(last.best, Some((best.number, best.value.unwrap())));
    }
}

#[test]
fn a_trial_depends_on_its_number_alone() {
    let rows = rows(900);
    let few = run(&spec(SearchMethod::Random, 3), &rows, None).1;
    let more = run(&spec(SearchMethod::Random, 6), &rows, None).1;
    assert_eq!(few.trials[..], more.trials[..3]);
    assert!(more.trials[0].params.is_empty() && !more.trials[1].params.is_empty());
    assert_ne!(more.trials[1].params, more.trials[2].params);
}

#[test]
fn halving_gives_the_worse_two_thirds_up() {
    let table = run(&spec(SearchMethod::Halving, 10), &rows(1_200), None).1;
    let counts = |share: f64| table.trials.iter().filter(|t| t.share == share).count();
    assert_eq!(
        [counts(1.0 / 9.0), counts(1.0 / 3.0), counts(1.0)],
        [10, 4, 2]
    );
    let first: Vec<&Trial> = table
        .trials
        .iter()
        .filter(|t| t.share < 0.2 && t.number > 0)
        .collect();
    let kept = |trial: &&&Trial| {
        table
            .trials
            .iter()
            .any(|t| t.number == trial.number && t.share > 0.2)
    };
    let least = first
        .iter()
        .filter(kept)
        .filter_map(|t| t.value)
        .fold(1.0, f64::min);
    let given_up = first
        .iter()
        .filter(|trial| !kept(trial))
        .filter_map(|t| t.value);
    assert!(given_up.fold(0.0, f64::max) <= least);
}

#[test]
fn a_search_that_was_cut_off_goes_on() {
    let (rows, other) = (rows(900), rows(901));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("searches/boosted.jsonl");
    let whole = run(&spec(SearchMethod::Halving, 9), &rows, Some(&path));
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().count();
    assert_eq!(lines, 1 + whole.1.trials.len());
    // Killed in the middle of a line: what stands before it is kept.
    let end = text.match_indices('\n').nth(4).unwrap().0;
    std::fs::write(&path, &text[..end + 20]).unwrap();
    let again = run(&spec(SearchMethod::Halving, 9), &rows, Some(&path));
    assert_eq!((&again.0, &again.1), (&whole.0, &whole.1));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    // Known trials are not judged again: a value that was changed on the disk is believed.
    let forged = text.replacen("\"value\":0.", "\"value\":7.", 1);
    std::fs::write(&path, forged).unwrap();
    let believed = run(&spec(SearchMethod::Halving, 9), &rows, Some(&path)).1;
    assert!(believed.trials[0].value.unwrap() > 7.0);
    // Other rows are another search.
    let fresh = run(&spec(SearchMethod::Halving, 9), &other, Some(&path)).1;
    assert!(fresh.trials[0].value.unwrap() < 1.0);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap().lines().count(),
        lines
    );
}

#[test]
fn draws_stay_in_their_ranges_and_on_their_scales() {
    let boosting = learner("xgboost").unwrap();
    let spec = SearchSpec {
        of: params(json!({
            "max_depth": [3, 8], "learning_rate": [0.001, 0.1], "subsample": [0.5, 1.0],
            "grow_policy": ["depthwise", "lossguide"], "max_bin": [16, 64, 256],
        })),
        ..spec(SearchMethod::Random, 9)
    };
    let space = spec.check(boosting, &Params::new(), &columns()).unwrap();
    let drawn: Vec<Params> = (1..=600).map(|trial| space.draw(Seed(1), trial)).collect();
    let of = |name: &str| drawn.iter().map(|d| d[name].clone()).collect::<Vec<_>>();
    for depth in 3..=8 {
        let count = of("max_depth")
            .iter()
            .filter(|v| v.as_u64() == Some(depth))
            .count();
        assert!((60..150).contains(&count), "{depth}: {count}");
    }
    let rates: Vec<f64> = of("learning_rate")
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    assert!(rates.iter().all(|rate| (0.001..=0.1).contains(rate)));
    let low = rates.iter().filter(|rate| **rate < 0.01).count();
    assert!(
        (240..360).contains(&low),
        "half of the draws lie in half of the decades: {low}"
    );
    assert!(of("grow_policy").contains(&json!("lossguide")));
    assert!(
        of("max_bin")
            .iter()
            .all(|v| [16, 64, 256].map(|b| json!(b)).contains(v))
    );
}

#[test]
fn every_problem_of_a_search_is_named_at_once() {
    let boosting = learner("xgboost").unwrap();
    let wrong = SearchSpec {
        trials: 0,
        folds: 99,
        of: params(json!({
            "max_deph": [3, 8], "max_depth": [8, 3], "eta": [0.0, 0.5], "lambda": 3,
            "n_estimators": [10, 20], "grow_policy": ["sideways"], "gamma": [],
            "min_split_loss": [0, 1],
        })),
        ..spec(SearchMethod::Random, 9)
    };
    let problems = wrong.check(boosting, &given(), &columns()).unwrap_err();
    for (param, said) in [
        ("trials", "from 1 to"),
        ("folds", "from 1 to 20"),
        ("of.max_deph", "did you mean `max_depth`?"),
        ("of.max_depth", "does not rise"),
        ("of.eta", "may not be 0.0"),
        ("of.lambda", "no list"),
        ("of.n_estimators", "is given"),
        ("of.grow_policy", "sideways"),
        ("of.gamma", "no list"),
    ] {
        let of: Vec<String> = problems
            .iter()
            .filter(|p| p.param == param)
            .map(ToString::to_string)
            .collect();
        assert!(
            of.len() == 1 && of[0].contains(said),
            "{param}: {problems:#?}"
        );
    }
    let endless = SearchSpec {
        of: params(json!({"max_depth": [0, 3]})),
        ..spec(SearchMethod::Random, 9)
    };
    let problems = endless.check(boosting, &given(), &columns()).unwrap_err();
    assert!(problems[0].message.contains("without end"), "{problems:?}");
}

#[test]
fn what_learners_suggest_can_be_searched() {
    let with_suggestions = LEARNERS.iter().filter(|of| !of.searched().is_empty());
    for learner in with_suggestions {
        let suggested = SearchSpec {
            of: Params::new(),
            ..spec(SearchMethod::Random, 4)
        };
        let space = suggested
            .check(*learner, &Params::new(), &columns())
            .unwrap();
        assert_eq!(space.len(), learner.searched().len());
        for trial in 0..50 {
            let drawn = space.merged(&Params::new(), &space.draw(Seed(2), trial));
            learner.check(&drawn, &columns()).unwrap();
        }
    }
}

#[test]
fn rows_that_judge_nothing_are_said_to() {
    let mut same = rows(300);
    same.outcome.fill(0.0);
    let boosting = learner("xgboost").unwrap();
    let spec = spec(SearchMethod::Random, 2);
    let given = given();
    let space = spec.check(boosting, &given, &columns()).unwrap();
    let plan = SearchPlan {
        learner: boosting,
        given: &given,
        spec: &spec,
        space: &space,
        gap: Span::ZERO,
        seed: Seed(1),
    };
    let error = search(&plan, &same, None, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("none of 2 trials") && error.contains("both kinds"),
        "{error}"
    );
    let far = SearchPlan {
        gap: Span(300),
        ..plan
    };
    let error = search(&far, &same, None, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be cut into 3 folds"), "{error}");
}
