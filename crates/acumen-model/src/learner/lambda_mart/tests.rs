//! What LambdaMART must do: learn an order that was planted, whatever places its items stood at.

use std::sync::Arc;

use acumen_base::random::Stream;
use acumen_base::{Column, ColumnKind, Columns, Seed, Time};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::compiled::CompiledForest;
use crate::data::Matrix;

const PLACES: usize = 10;

fn columns() -> Arc<Columns> {
    let column = |name: &str| Column {
        name: name.to_owned(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    let names = ["wanted", "placed_by", "noise"];
    Arc::new(Columns::new(names.map(column).to_vec(), "lists"))
}

/// How likely a place is looked at.
fn looked_at(place: usize, bias: f64) -> f64 {
    (place as f64 + 1.0).powf(-bias)
}

fn shown(lists: usize, bias: f64, seed: u64) -> ShownLists {
    shown_by(0.0, lists, bias, seed)
}

/// Lists that are ordered by `placed_by`, so many times `wanted`, and a little chance, in which an
/// item is taken if its place is looked at and it is wanted, by its `wanted` alone.
fn shown_by(good: f64, lists: usize, bias: f64, seed: u64) -> ShownLists {
    let mut draw = Stream::new(Seed(seed));
    let mut found = ShownLists {
        rows: Matrix {
            columns: columns(),
            n_rows: lists * PLACES,
            data: vec![Vec::new(); 3],
        },
        time: (0..lists as i64).map(Time).collect(),
        starts: (0..=lists).map(|list| list * PLACES).collect(),
        place: (0..lists * PLACES)
            .map(|row| (row % PLACES) as u32)
            .collect(),
        reward: Vec::new(),
    };
    for _ in 0..lists {
        let mut items: Vec<[f64; 3]> = (0..PLACES)
            .map(|_| [draw.unit(), draw.unit(), draw.unit()])
            .collect();
        let mut by = |item: &[f64; 3]| good * item[0] + item[1] + 0.5 * draw.unit();
        let mut keyed: Vec<(f64, [f64; 3])> = items.drain(..).map(|i| (by(&i), i)).collect();
        keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (place, (_, item)) in keyed.into_iter().enumerate() {
            let likely = 0.6 * item[0].powi(2) * looked_at(place, bias);
            found.reward.push(f32::from(u8::from(draw.unit() < likely)));
            let columns = found.rows.data.iter_mut().zip(item);
            columns.for_each(|(column, value)| column.push(value as f32));
        }
    }
    found
}

fn learner(changes: serde_json::Value) -> LambdaMart {
    let mut params: Params = [("n_estimators".to_owned(), json!(60))].into();
    params.extend(serde_json::from_value::<Params>(changes).unwrap());
    LambdaMart::check(&params, &columns()).unwrap()
}

fn learnt(changes: serde_json::Value, lists: &ShownLists) -> LearntOrder {
    let cut = lists.len() * 4 / 5;
    let (earlier, later): (Vec<usize>, Vec<usize>) = (0..lists.len()).partition(|at| *at < cut);
    learner(changes)
        .fit(
            &lists.select(&earlier),
            Some(&lists.select(&later)),
            Seed(1),
            &mut |_| (),
        )
        .unwrap()
}

/// The share of pairs of items, `placed_by` anything, that stand in the order in which they are
/// wanted.
fn in_order(learnt: &LearntOrder) -> f64 {
    let mut draw = Stream::new(Seed(7));
    let score = |row: &[f32]| {
        learnt
            .forest
            .trees
            .iter()
            .map(|tree| tree.value(row))
            .sum::<f32>()
    };
    let pairs = 2_000;
    let right = (0..pairs).filter(|_| {
        let mut item = || [0; 3].map(|_| draw.unit() as f32);
        let (a, b) = (item(), item());
        (score(&a) > score(&b)) == (a[0] > b[0])
    });
    right.count() as f64 / f64::from(pairs)
}

#[test]
fn a_planted_order_is_learnt() {
    let order = learnt(json!({}), &shown(1_000, 0.0, 3));
    assert!(in_order(&order) > 0.9, "{}", in_order(&order));
    assert_eq!(order.importances[0].column, "wanted");
    let later = shown(300, 0.0, 5);
    let scores = CompiledForest::new(&order.forest).margins_many(&later.rows);
    let placed = &later.rows.data[1];
    let found = compare(&later, &Examination::even(), (&scores, placed), 10);
    assert!(found.first - found.second > 5.0 * found.error, "{found:?}");
    let same = compare(&later, &Examination::even(), (placed, placed), 10);
    assert!(same.first == same.second && same.error < 1e-12, "{same:?}");
}

#[test]
fn with_places_corrected_the_order_is_found_that_places_hide() {
    let lists = shown(4_000, 1.0, 11);
    let corrected = learnt(json!({}), &lists);
    let ignored = learnt(json!({"position_bias": "ignored"}), &lists);
    let (with, without) = (in_order(&corrected), in_order(&ignored));
    assert!(with > 0.9, "{with}");
    assert!(without < with - 0.1, "{without} and {with}");
    assert!(ignored.examination.by_place().is_empty());
}

#[test]
fn what_is_looked_at_is_told_from_what_stands_there() {
    // What is wanted stands further up, so that more comes of the top than its place explains.
    let lists = shown_by(0.5, 6_000, 1.0, 13);
    let found = Examination::estimate(&lists, (Seed(1), 2)).unwrap();
    let mut taken = [0.0; PLACES];
    for (place, reward) in lists.place.iter().zip(&lists.reward) {
        taken[*place as usize] += f64::from(*reward);
    }
    for place in 0..PLACES {
        let (found, truth) = (found.of(place as u32), looked_at(place, 1.0));
        assert!(
            (found - truth).abs() < 0.3 * truth,
            "place {place}: {found}, not {truth}"
        );
    }
    assert!(taken[9] / taken[0] < 0.5 * looked_at(9, 1.0), "{taken:?}");
    assert_eq!(found.of(50), found.of(9), "further down than was seen");
}

#[test]
fn places_that_are_all_looked_at_are_found_to_be() {
    let order = learnt(json!({}), &shown(4_000, 0.0, 13));
    for (place, found) in order.examination.by_place().iter().enumerate() {
        assert!((found - 1.0).abs() < 0.2, "place {place}: {found}");
    }
}

#[test]
fn the_same_lists_and_seed_give_the_same_trees_on_any_number_of_threads() {
    let lists = shown(500, 1.0, 17);
    let one = learnt(json!({"n_threads": 1, "subsample": 0.7}), &lists);
    let three = learnt(json!({"n_threads": 3, "subsample": 0.7}), &lists);
    assert_eq!(one, three);
    let params = json!({"n_threads": 1, "subsample": 0.7, "seed": 2});
    assert_ne!(one.forest, learnt(params, &lists).forest);
}

#[test]
fn it_stops_where_later_lists_are_ordered_no_better() {
    let order = learnt(
        json!({"n_estimators": 400, "learning_rate": 0.5}),
        &shown(150, 0.0, 19),
    );
    assert!(order.log.rounds_run < 400 && order.log.best_round == order.forest.trees.len());
    let best = order.log.values.iter().copied().fold(0.0, f64::max);
    assert_eq!(order.log.values[order.log.best_round - 1], best);
}

#[test]
fn problems_are_named_at_once_and_lists_without_outcomes_teach_nothing() {
    let params = json!({"truncation": 0, "max_dept": 3, "objective": "x", "max_leaves": -1});
    let params = serde_json::from_value(params).unwrap();
    let problems = LambdaMart::check(&params, &columns()).unwrap_err();
    let named: Vec<&str> = problems
        .iter()
        .map(|problem| problem.param.as_str())
        .collect();
    assert_eq!(named, ["max_dept", "max_leaves", "objective", "truncation"]);
    let mut lists = shown(20, 0.0, 1);
    lists.reward.fill(1.0);
    let learner = learner(json!({}));
    let fit = |lists: &ShownLists, valid| learner.fit(lists, valid, Seed(1), &mut |_| ());
    assert!(matches!(
        fit(&lists, Some(&lists)),
        Err(FitError::NoRows { .. })
    ));
    assert!(matches!(fit(&lists, None), Err(FitError::NoValidation)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Which list comes first tells nothing, but of when to stop and of places.
    #[test]
    fn the_order_of_lists_does_not_matter(seed in any::<u64>(), lists in 40_usize..120) {
        let lists = shown(lists, 0.0, seed);
        let mut draw = Stream::new(Seed(seed));
        let mut other: Vec<usize> = (0..lists.len()).collect();
        for at in (1..other.len()).rev() {
            other.swap(at, draw.below(at + 1));
        }
        let changes = json!({"position_bias": "ignored", "n_estimators": 10});
        let fit = |lists: &ShownLists| {
            let learner = learner(changes.clone()).of_trees(10);
            learner.fit(lists, None, Seed(1), &mut |_| ()).unwrap().forest
        };
        let (a, b) = (fit(&lists), fit(&lists.select(&other)));
        let rows = &lists.rows;
        let scores = [a, b].map(|forest| CompiledForest::new(&forest).margins_many(rows));
        for (a, b) in scores[0].iter().zip(&scores[1]) {
            prop_assert!((a - b).abs() < 1e-3, "{} and {}", a, b);
        }
    }
}
