//! What every recommender of this crate must do.

use std::sync::Arc;

use acumen_base::{Seed, Time};
use acumen_model::metrics::ranking::{RankingMetrics, place_among};
use acumen_model::recommend::Open;
use acumen_model::recommend::candidates::standardise;
use acumen_model::recommend::proposal::best;
use acumen_model::recommend::{
    Attributes, History, InteractionColumns, Interactions, PopularLearner, RecommendData,
    RecommendError, RecommendLearner, Recommender, Source,
};
use acumen_model::{Params, Progress};
use serde_json::{Value, json};

use crate::RECOMMENDERS;
use crate::draws::Draws;

pub(crate) const ITEMS: usize = 40;
const HALF: u32 = ITEMS as u32 / 2;

/// Users who like one half of the items each and go through it in order; some hide an item.
pub(crate) fn halves(users: u32) -> Interactions {
    let mut draws = Draws::new(Seed(1), "users");
    let mut rows: Vec<(u32, u32, u32, f32)> = Vec::new();
    for user in 0..users {
        let start = draws.below(HALF as usize) as u32;
        for step in 0..6 + user % 7 {
            let item = (user % 2) * HALF + (start + step) % HALF;
            let weight = match draws.below(20) {
                0 => -2.0,
                drawn => 1.0 + (drawn % 2) as f32,
            };
            rows.push((user, item, step, weight));
        }
    }
    interactions(&rows, ITEMS)
}

/// Of rows of a user, an item, a time and a weight.
pub(crate) fn interactions(rows: &[(u32, u32, u32, f32)], items: usize) -> Interactions {
    let column = |of: fn(&(u32, u32, u32, f32)) -> u32| rows.iter().map(of).collect::<Vec<u32>>();
    let user = column(|row| row.0);
    let columns = InteractionColumns {
        user: &user,
        item: &column(|row| row.1),
        time: &rows
            .iter()
            .map(|row| Time(i64::from(row.2)))
            .collect::<Vec<Time>>(),
        weight: &rows.iter().map(|row| row.3).collect::<Vec<f32>>(),
    };
    let users = user.iter().max().map_or(0, |most| *most as usize + 1);
    Interactions::new(users, items, &columns).unwrap()
}

/// The half of each item, and a title that says little.
pub(crate) fn attributes() -> Attributes {
    let mut attributes = Attributes::new(ITEMS);
    for item in 0..ITEMS as u32 {
        let half = if item < HALF { "low" } else { "high" };
        attributes.value(item, "half", half);
        attributes.text(item, "title", &format!("The {} of {}", item % 5, item % 3));
    }
    attributes
}

pub(crate) fn params(value: Value) -> Params {
    serde_json::from_value(value).unwrap()
}

/// Every learner, with parameters that its own differ by.
fn every() -> Vec<(&'static dyn RecommendLearner, Value)> {
    let given = |name: &str| match name {
        "recurrent" => vec![json!({"width": 8, "units": 16, "window": 6, "learning_rate": 0.02})],
        "self_attention" => vec![
            json!({"width": 8, "window": 6, "learning_rate": 0.02}),
            json!({"width": 6, "heads": 3, "blocks": 1, "window": 4, "negatives": 9,
                   "learning_rate": 0.02}),
        ],
        "two_tower" => vec![
            json!({"width": 8, "layers": [16], "last": 6, "learning_rate": 0.02}),
            json!({"width": 8, "layers": [16, 12], "last": 5, "history_decay": 1,
                   "negatives": 9, "learning_rate": 0.02, "item_dropout": 0.4}),
        ],
        "neural_collaborative_filtering" => vec![
            json!({"width": 8, "layers": [16, 8], "last": 6, "learning_rate": 0.02}),
            json!({"width": 6, "layers": [9], "last": 4, "negatives": 5, "learning_rate": 0.02}),
        ],
        other => panic!("{other} has no parameters here"),
    };
    let with = |learner: &&'static dyn RecommendLearner| {
        let each = given(learner.name()).into_iter().map(|mut given| {
            given["batch_size"] = json!(100);
            (*learner, given)
        });
        each.collect::<Vec<_>>()
    };
    RECOMMENDERS.iter().flat_map(with).collect()
}

/// The same with few epochs.
fn quick() -> impl Iterator<Item = (&'static dyn RecommendLearner, Params)> {
    every().into_iter().map(|(learner, mut given)| {
        given["epochs"] = json!(2);
        (learner, params(given))
    })
}

pub(crate) fn fit_to(
    learner: &dyn RecommendLearner,
    given: &Params,
    (events, attributes): (&Interactions, Option<&Attributes>),
    seed: Seed,
) -> (Source, Vec<Progress>) {
    let data = RecommendData {
        interactions: events,
        attributes,
    };
    let mut told = Vec::new();
    let checked = learner.check(given).unwrap();
    let source = checked.fit(&data, seed, &mut |at| told.push(at)).unwrap();
    (source, told)
}

fn fit(learner: &dyn RecommendLearner, given: &Params, events: &Interactions) -> Source {
    let attributes = attributes();
    fit_to(learner, given, (events, Some(&attributes)), Seed(3)).0
}

pub(crate) fn scores(source: &Source, history: History<'_>) -> Vec<f32> {
    let mut scores = vec![0.0; source.n_items()];
    source.score(history, &mut scores);
    scores
}

fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

#[test]
fn names_are_unique_and_parameters_are_described() {
    let names = RECOMMENDERS
        .iter()
        .flat_map(|each| each.aliases().iter().copied().chain([each.name()]));
    let names: Vec<&str> = names.collect();
    for name in &names {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1);
    }
    for each in RECOMMENDERS {
        let checked = each.check(&Params::new()).unwrap();
        let read = checked.params_json();
        for param in each.params() {
            // What is said to be the default is what is read.
            let found = &read[param.name];
            let found = found.as_array().map_or_else(
                || found.to_string(),
                |list| {
                    list.iter()
                        .map(Value::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                },
            );
            let close = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(a), Ok(b)) => (a - b).abs() < 1e-6,
                _ => a == b,
            };
            assert!(
                close(&found, param.default),
                "{} {}: {found}",
                each.name(),
                param.name
            );
        }
    }
}

#[test]
fn the_same_bytes_at_any_number_of_threads_and_others_of_another_seed() {
    let (events, attributes) = (halves(40), attributes());
    for (learner, given) in quick() {
        let of = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let data = (&events, Some(&attributes));
            let fit = || fit_to(learner, &given, data, Seed(seed)).0;
            pool.build().unwrap().install(fit)
        };
        let one = of(1, 3);
        assert!(one == of(3, 3), "{}", learner.name());
        assert!(one != of(1, 4), "{}", learner.name());
    }
}

#[test]
fn saved_and_loaded_it_scores_the_same_bits_and_says_why() {
    let events = halves(40);
    let folder = tempfile::tempdir().unwrap();
    for (learner, given) in quick() {
        let name = learner.name();
        let source = fit(learner, &given, &events);
        let saved = Recommender {
            learner: name.to_owned(),
            parameters: "{}".to_owned(),
            items: (0..ITEMS).map(|item| Arc::from(item.to_string())).collect(),
            source: source.clone(),
            seed: 3,
            events: events.len() as u64,
        };
        let path = folder.path().join(format!("{name}.recommender"));
        saved.save(&path).unwrap();
        let loaded = Recommender::load(&path).unwrap();
        assert_eq!(loaded, saved, "{name}");
        let nobody = History {
            items: &[],
            weights: &[],
        };
        for history in (0..events.n_users())
            .map(|user| events.history(user))
            .chain([nobody])
        {
            let found = scores(&source, history);
            assert!(found.iter().all(|score| score.is_finite()), "{name}");
            assert_eq!(
                bits(&found),
                bits(&scores(&loaded.source, history)),
                "{name}"
            );
            for item in [0, 7, ITEMS as u32 - 1] {
                let why = source.why(history, item);
                let sum = why.base + why.events.iter().map(|(_, by)| by).sum::<f32>();
                let score = found[item as usize];
                assert!((sum - score).abs() < 1e-4, "{name}: {sum} for {score}");
            }
        }
    }
}

#[test]
fn what_is_proposed_is_the_best_of_all_in_one_unit() {
    let events = halves(40);
    let all: Vec<u32> = (0..ITEMS as u32).collect();
    for (learner, given) in quick() {
        let (name, source) = (learner.name(), fit(learner, &given, &events));
        for user in 0..events.n_users() {
            let (history, gone) = (events.history(user), user % ITEMS);
            let shown: Vec<bool> = (0..ITEMS).map(|item| item != gone).collect();
            let mut whole = scores(&source, history);
            standardise(&mut whole);
            let found = source.propose(history, &Open::new(&shown), 5);
            let some = source.score_some(history, &all, &found);
            assert_eq!(bits(&some), bits(&whole), "{name}");
            assert_eq!(found.items, best(&whole, &Open::new(&shown), 5), "{name}");
            let unknown = source.score_some(history, &[ITEMS as u32 + 3], &found);
            assert_eq!(unknown, [0.0], "{name}");
        }
    }
}

#[test]
fn what_was_not_wanted_is_no_event() {
    let events = halves(40);
    for (learner, given) in quick() {
        let source = fit(learner, &given, &events);
        let with = History {
            items: &[3, 30, 9, 31],
            weights: &[1.0, -3.0, 2.0, -1.0],
        };
        let without = History {
            items: &[3, 9],
            weights: &[1.0, 2.0],
        };
        let (with_scores, without) = (scores(&source, with), scores(&source, without));
        assert_eq!(bits(&with_scores), bits(&without), "{}", learner.name());
        let places = source
            .why(with, 5)
            .events
            .into_iter()
            .map(|(place, _)| place);
        assert_eq!(places.collect::<Vec<_>>(), [0, 2], "{}", learner.name());
    }
}

/// The mean gain of the last item of every user, in lists of ten.
fn gain(source: &Source, events: &Interactions) -> f64 {
    let known = events.without_last(1);
    let place = |user: usize| {
        let found = scores(source, known.history(user));
        let wanted = *events.history(user).items.last().unwrap() as usize;
        let others = (0..ITEMS).filter(|item| *item != wanted);
        Some(place_among(found[wanted], others.map(|item| found[item])))
    };
    let places: Vec<Option<f64>> = (0..events.n_users()).map(place).collect();
    RankingMetrics::at(10, &places).ndcg
}

#[test]
fn what_comes_next_is_found_better_than_by_what_is_popular() {
    let events = halves(200);
    let known = events.without_last(1);
    let popular = gain(&fit(&PopularLearner, &Params::new(), &known), &events);
    for (learner, mut given) in every() {
        given["epochs"] = json!(20);
        if learner.name() != "recurrent" {
            given["patience"] = json!(0);
        }
        let found = gain(&fit(learner, &params(given.clone()), &known), &events);
        assert!(
            found > 2.0 * popular,
            "{}: {found}, {popular}",
            learner.name()
        );
    }
}

/// Training stops where what is held out is not found better, and the best epoch is kept.
#[test]
fn the_best_epoch_is_kept() {
    let (events, attributes) = (halves(60), attributes());
    let judged = every()
        .into_iter()
        .filter(|(each, _)| each.name() != "recurrent");
    for (learner, mut given) in judged {
        given["epochs"] = json!(60);
        given["patience"] = json!(3);
        let of = |given: &Value| {
            let data = (&events, Some(&attributes));
            fit_to(learner, &params(given.clone()), data, Seed(3))
        };
        let (_, told) = of(&given);
        let last = told.last().unwrap();
        assert!(told.len() < 60, "{}: it went on", learner.name());
        assert_eq!(last.round, last.best_round + 3);
        let values: Vec<f64> = told.iter().filter_map(|at| at.value).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        assert_eq!(values[last.best_round - 1], most);
        assert!(told.iter().all(|at| at.metric == "ndcg" && at.rounds == 60));
    }
}

#[test]
fn problems_are_named() {
    for learner in RECOMMENDERS {
        let given = params(json!({"epochs": 0, "epoch": 3}));
        let problems = learner.check(&given).unwrap_err();
        assert_eq!(problems.len(), 2, "{}", learner.name());
        assert!(
            problems
                .iter()
                .any(|problem| problem.to_string().contains("did you mean `epochs`"))
        );

        let hidden = interactions(&[(0, 1, 1, -1.0), (0, 2, 2, -1.0)], ITEMS);
        let checked = learner.check(&Params::new()).unwrap();
        let data = RecommendData {
            interactions: &hidden,
            attributes: None,
        };
        let error = checked.fit(&data, Seed(1), &mut |_| {}).unwrap_err();
        assert!(matches!(error, RecommendError::NoInterest), "{error}");

        let wild = params(json!({"learning_rate": 1.0, "epochs": 3}));
        let given = learner.check(&wild).unwrap();
        let data = RecommendData {
            interactions: &halves(40),
            attributes: None,
        };
        // However far it goes, what comes is whole or an error that says what to do.
        match given.fit(&data, Seed(1), &mut |_| {}) {
            Ok(source) => assert!(source.check().is_ok()),
            Err(error) => assert!(error.to_string().contains("learning_rate")),
        }
    }
}
