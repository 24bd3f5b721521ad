//! The laws of every source, and what only one of them does.

use std::sync::Arc;

use acumen_base::{Seed, Time};
use serde_json::json;

use super::matrix_factorization::UserVector;
use super::*;
use crate::learner::Params;
use acumen_base::random::Stream;

mod networks;
mod public;

const ITEMS: usize = 40;

/// Users who like one half of the items each and go through it in order; some hide an item.
fn interactions(users: u32, seed: u64) -> Interactions {
    let mut draws = Stream::new(Seed(seed));
    let mut rows: Vec<(u32, u32, i64, f32)> = Vec::new();
    for user in 0..users {
        let half = (user % 2) * (ITEMS as u32 / 2);
        let start = draws.below(ITEMS / 2) as u32;
        for step in 0..5 + user % 7 {
            let item = half + (start + step) % (ITEMS as u32 / 2);
            let weight = if draws.unit() < 0.05 {
                -2.0
            } else {
                1.0 + f32::from(draws.coin())
            };
            rows.push((user, item, i64::from(step) * 3_600_000, weight));
        }
    }
    let time: Vec<Time> = rows.iter().map(|row| Time(row.2)).collect();
    let (user, item): (Vec<u32>, Vec<u32>) = rows.iter().map(|row| (row.0, row.1)).unzip();
    let weight: Vec<f32> = rows.iter().map(|row| row.3).collect();
    let columns = InteractionColumns {
        user: &user,
        item: &item,
        time: &time,
        weight: &weight,
    };
    // Those of the lower half come when it rains, the others when they like.
    let weather = rows
        .iter()
        .map(|(_, item, at, _)| match *item < ITEMS as u32 / 2 {
            true => Some("rain".into()),
            false => (at % 2 == 0).then(|| "sun".into()),
        });
    let context = [ContextColumn {
        name: "weather".into(),
        words: weather.collect(),
    }];
    Interactions::in_context(users as usize, ITEMS, &columns, &context).unwrap()
}

fn attributes() -> Attributes {
    let mut attributes = Attributes::new(ITEMS);
    for item in 0..ITEMS as u32 {
        attributes.value(
            item,
            "half",
            if item < ITEMS as u32 / 2 {
                "low"
            } else {
                "high"
            },
        );
        attributes.text(item, "title", &format!("The {} of {}", item % 5, item % 3));
    }
    attributes
}

fn params(value: serde_json::Value) -> Params {
    serde_json::from_value(value).unwrap()
}

/// Every learner, with parameters that its own differ by.
fn every() -> Vec<(&'static str, Params)> {
    vec![
        (
            "matrix_factorization",
            params(json!({"factors": 6, "iterations": 4, "last": 9, "history_decay": 0.9})),
        ),
        ("item_similarity", params(json!({"neighbours": 7}))),
        (
            "item_similarity",
            params(json!({"method": "ease", "neighbours": 0, "history_decay": 0.9})),
        ),
        (
            "sequential_cooccurrence",
            params(json!({"window": 4, "popularity_power": 0.2})),
        ),
        ("content", params(json!({}))),
        (
            "sequential_content",
            params(json!({"window": 2, "smoothing": 5})),
        ),
        ("popular", params(json!({"half_life_hours": 24}))),
        ("popular", params(json!({"segment": "half"}))),
        ("popular", params(json!({"context": "weather"}))),
    ]
}

fn fit(name: &str, params: &Params, data: &RecommendData<'_>) -> Source {
    let checked = recommender(name).unwrap().check(params).unwrap();
    checked.fit(data, Seed(3), &mut |_| {}).unwrap()
}

fn scores(source: &Source, history: History<'_>) -> Vec<f32> {
    let mut scores = vec![0.0; source.n_items()];
    source.score(history, &mut scores);
    scores
}

fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

#[test]
fn every_source_keeps_the_laws() {
    let (events, attributes) = (interactions(60, 1), attributes());
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&attributes),
    };
    let folder = tempfile::tempdir().unwrap();
    let tested: Vec<&str> = every().iter().map(|(name, _)| *name).collect();
    assert!(
        RECOMMENDERS
            .iter()
            .all(|learner| tested.contains(&learner.name()))
    );
    for (name, mut params) in every() {
        let threaded = recommender(name).unwrap().params();
        let threaded = threaded.iter().any(|param| param.name == "n_threads");
        let mut with = |threads: usize| {
            if threaded {
                params.insert("n_threads".to_owned(), json!(threads));
            }
            fit(name, &params, &data)
        };
        let source = with(1);
        assert_eq!(source, with(3), "{name}: as many threads as one");

        let saved = Recommender {
            learner: name.to_owned(),
            parameters: "{}".to_owned(),
            items: (0..ITEMS)
                .map(|item| Arc::from(format!("i{item}")))
                .collect(),
            source: source.clone(),
            seed: 3,
            events: events.len() as u64,
        };
        let path = folder.path().join(format!("{name}.recommender"));
        let version = saved.save(&path).unwrap();
        let loaded = Recommender::load(&path).unwrap();
        assert_eq!((&loaded, loaded.version()), (&saved, version), "{name}");

        for user in 0..events.n_users() {
            let history = events.history(user);
            let found = scores(&source, history);
            assert_eq!(
                bits(&found),
                bits(&scores(&loaded.source, history)),
                "{name}"
            );
            for item in [0, 7, ITEMS as u32 - 1] {
                let why = source.why(history, item);
                let sum = why.base + why.events.iter().map(|(_, by)| by).sum::<f32>();
                let score = found[item as usize];
                assert!((sum - score).abs() < 1e-3, "{name}: {sum} for {score}");
            }
        }
        // Nobody in particular: everything is scored, and nothing is wanted of a user unknown.
        let nobody = scores(
            &source,
            History {
                items: &[],
                weights: &[],
            },
        );
        assert!(nobody.iter().all(|score| score.is_finite()), "{name}");
    }
}

/// What users of one half see is of their half, but for what is the same for everybody.
#[test]
fn what_is_proposed_is_the_best_of_all_in_one_unit() {
    let (events, attributes) = (interactions(60, 2), attributes());
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&attributes),
    };
    let all: Vec<u32> = (0..ITEMS as u32).collect();
    for (name, params) in every() {
        let source = fit(name, &params, &data);
        for user in 0..events.n_users() {
            let (history, gone) = (events.history(user), user % ITEMS);
            let shown: Vec<bool> = (0..ITEMS).map(|item| item != gone).collect();
            let mut whole = scores(&source, history);
            candidates::standardise(&mut whole);
            let open = Open::new(&shown);
            let found = source.propose(history, &open, 5);
            let some = source.score_some(history, &all, &found);
            let apart = some.iter().zip(&whole).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f32::max) < 1e-5, "{name}");
            let mut best = proposal::best(&whole, &open, 5);
            // Where few are spoken for, those of whom nothing is said are not proposed.
            let few = matches!(source, Source::Table(_)) && found.items.len() < 5;
            best.retain(|item| !few || found.items.contains(item));
            let sorted = |mut items: Vec<u32>| {
                items.sort_unstable();
                items
            };
            assert_eq!(sorted(found.items.clone()), sorted(best), "{name}");
            let unknown = [ITEMS as u32 + 3];
            assert_eq!(
                source.score_some(history, &unknown, &found),
                [0.0],
                "{name}"
            );
        }
    }
}

#[test]
fn sources_find_what_goes_together() {
    let (events, attributes) = (interactions(200, 2), attributes());
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&attributes),
    };
    let history = History {
        items: &[3, 4, 5],
        weights: &[1.0; 3],
    };
    for (name, params) in every().into_iter().filter(|(name, _)| *name != "popular") {
        let found = scores(&fit(name, &params, &data), history);
        let best = proposal::best(&found, &Open::new(&[true; ITEMS]), 5);
        assert!(
            best.iter().all(|item| *item < ITEMS as u32 / 2),
            "{name}: {best:?}"
        );
    }
    let next = fit(
        "sequential_cooccurrence",
        &params(json!({"last": 1, "window": 1})),
        &data,
    );
    let found = scores(&next, history);
    assert_eq!(proposal::best(&found, &Open::new(&[true; ITEMS]), 1), [6]);
}

/// What was hidden lowers what is like it.
#[test]
fn an_item_does_not_speak_for_itself() {
    // Everybody looks at each item three times before the next.
    let rows = (0..20_u32).flat_map(|user| (0..12_u32).map(move |step| (user, step / 3, step)));
    let rows: Vec<(u32, u32, u32)> = rows.collect();
    let columns = InteractionColumns {
        user: &rows.iter().map(|row| row.0).collect::<Vec<u32>>(),
        item: &rows.iter().map(|row| row.1).collect::<Vec<u32>>(),
        time: &rows
            .iter()
            .map(|row| Time(i64::from(row.2)))
            .collect::<Vec<Time>>(),
        weight: &vec![1.0; rows.len()],
    };
    let events = Interactions::new(20, ITEMS, &columns).unwrap();
    let data = RecommendData {
        interactions: &events,
        attributes: None,
    };
    for name in ["sequential_cooccurrence", "item_similarity"] {
        let source = fit(name, &Params::new(), &data);
        let history = History {
            items: &[1],
            weights: &[1.0],
        };
        let found = scores(&source, history);
        assert!(found[1] == 0.0 && found[2] > 0.0, "{name}: {found:?}");
    }
}

#[test]
fn what_is_not_wanted_counts_against() {
    let (events, attributes) = (interactions(200, 2), attributes());
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&attributes),
    };
    let (liked, hidden) = ([1.0, 1.0], [1.0, -3.0]);
    for (name, params) in every().into_iter().filter(|(name, _)| *name != "popular") {
        let source = fit(name, &params, &data);
        let of = |weights: &[f32]| {
            scores(
                &source,
                History {
                    items: &[3, 9],
                    weights,
                },
            )[8..12]
                .to_vec()
        };
        let (liked, hidden): (f32, f32) = (of(&liked).iter().sum(), of(&hidden).iter().sum());
        assert!(hidden < liked, "{name}: {hidden} and {liked}");
    }
}

#[test]
fn a_folded_in_user_has_the_vector_of_training_and_a_new_item_its_neighbours() {
    let events = interactions(200, 4);
    let data = RecommendData {
        interactions: &events,
        attributes: None,
    };
    let given = params(json!({"factors": 6, "iterations": 30, "steps": 8}));
    let Source::Factors(mut factors) = fit("matrix_factorization", &given, &data) else {
        panic!("of another kind");
    };
    let vectors: Vec<UserVector> = (0..events.n_users())
        .map(|user| factors.fold_in(events.history(user)))
        .collect();
    // A new item that all users of the lower half touched lies with their items.
    let users: Vec<(&UserVector, f32)> =
        vectors.iter().step_by(2).map(|user| (user, 1.0)).collect();
    factors.learn_item(&users);
    let mut found = vec![0.0; ITEMS + 1];
    factors.score_all(&vectors[0], &mut found);
    let lower = found[ITEMS];
    factors.score_all(&vectors[1], &mut found);
    assert!(
        lower > 0.3 && lower > 4.0 * found[ITEMS].abs(),
        "{lower}, {}",
        found[ITEMS]
    );
}

#[test]
fn content_finds_an_item_from_its_first_minute() {
    let (events, attributes) = (interactions(20, 5), attributes());
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&attributes),
    };
    let mut new = Attributes::new(1);
    new.value(0, "half", "high");
    new.text(0, "title", "the 4 of unheard");
    let history = History {
        items: &[39],
        weights: &[1.0],
    };
    for name in ["content", "sequential_content"] {
        let mut source = fit(name, &Params::new(), &data);
        source.prepare();
        source.extend(&new);
        let found = scores(&source, history);
        let (new, other) = (found[ITEMS], found[0]);
        assert!(new > other, "{name}: {new} and {other}");
    }
}

/// Cases follow phones of any make, and nobody who looks at one phone looks at the next.
#[test]
fn what_follows_what_is_learnt_word_by_word() {
    let mut attributes = Attributes::new(ITEMS);
    for item in 0..ITEMS as u32 {
        let kind = if item % 2 == 0 { "phone" } else { "case" };
        attributes.text(item, "title", &format!("make{} {kind}", item / 2 % 4));
    }
    let mut draws = Stream::new(Seed(8));
    let mut rows: Vec<(u32, u32, Time)> = Vec::new();
    for user in 0..300 {
        let phone = 2 * draws.below(ITEMS / 2) as u32;
        // The very last phone and case are new: nobody has looked at them.
        let case = 2 * draws.below(ITEMS / 2 - 1) as u32 + 1;
        let phone = phone.min(ITEMS as u32 - 4);
        rows.extend([(user, phone, Time(0)), (user, case, Time(1))]);
    }
    let events = Interactions::new(
        300,
        ITEMS,
        &InteractionColumns {
            user: &rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            item: &rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            time: &rows.iter().map(|row| row.2).collect::<Vec<_>>(),
            weight: &vec![1.0; rows.len()],
        },
    )
    .unwrap();
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&attributes),
    };
    let source = fit(
        "sequential_content",
        &params(json!({"smoothing": 2})),
        &data,
    );
    let found = scores(
        &source,
        History {
            items: &[ITEMS as u32 - 2],
            weights: &[1.0],
        },
    );
    let [phones, cases]: [Vec<f32>; 2] =
        std::array::from_fn(|odd| found[odd..].iter().step_by(2).copied().collect());
    let least = |scores: &[f32]| scores.iter().copied().fold(f32::INFINITY, f32::min);
    let most = |scores: &[f32]| scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert!(least(&cases) > most(&phones), "{found:?}");
}

#[test]
fn popular_counts_what_is_in_the_window() {
    let time = [Time(0), Time(3_600_000), Time(7_200_000), Time(7_200_000)];
    let columns = InteractionColumns {
        user: &[0, 0, 0, 1],
        item: &[0, 1, 2, 2],
        time: &time,
        weight: &[5.0, 1.0, 1.0, 1.0],
    };
    let events = Interactions::new(2, 3, &columns).unwrap();
    let data = RecommendData {
        interactions: &events,
        attributes: None,
    };
    let of = |given| {
        let source = fit("popular", &params(given), &data);
        let found = scores(&source, events.history(0));
        found
            .iter()
            .map(|score| score.exp() - 1.0)
            .collect::<Vec<f32>>()
    };
    let near = |found: Vec<f32>, wanted: [f32; 3]| {
        let apart = found.iter().zip(wanted).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-5, "{found:?}");
    };
    near(of(json!({})), [5.0, 1.0, 2.0]);
    near(of(json!({"window_hours": 2})), [0.0, 1.0, 2.0]);
    near(of(json!({"half_life_hours": 1})), [1.25, 0.5, 2.0]);
}

#[test]
fn problems_are_named() {
    let given = params(json!({"factor": 3, "steps": 0}));
    let problems = recommender("als").unwrap().check(&given).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert!(
        problems[0].to_string().contains("did you mean `factors`"),
        "{}",
        problems[0]
    );
    assert_eq!(recommender("contnt").err(), Some(Some("content")));

    let events = interactions(5, 1);
    let data = RecommendData {
        interactions: &events,
        attributes: None,
    };
    let content = recommender("content")
        .unwrap()
        .check(&Params::new())
        .unwrap();
    let error = content.fit(&data, Seed(1), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("attributes"));
    let columns = InteractionColumns {
        user: &[0],
        item: &[1],
        time: &[Time(1)],
        weight: &[-1.0],
    };
    let events = Interactions::new(1, 2, &columns).unwrap();
    let data = RecommendData {
        interactions: &events,
        attributes: None,
    };
    for name in [
        "als",
        "item_similarity",
        "sequential_cooccurrence",
        "popular",
    ] {
        let checked = recommender(name).unwrap().check(&Params::new()).unwrap();
        let error = checked.fit(&data, Seed(1), &mut |_| {}).unwrap_err();
        assert!(
            matches!(error, RecommendError::NoInterest),
            "{name}: {error}"
        );
    }
}

#[test]
fn somebody_of_whom_nothing_is_known_is_served_by_the_moment() {
    let events = interactions(60, 1);
    let data = RecommendData {
        interactions: &events,
        attributes: None,
    };
    let source = fit("popular", &params(json!({"context": "weather"})), &data);
    let plain = fit("popular", &params(json!({})), &data);
    let nobody = History {
        items: &[],
        weights: &[],
    };
    let said = |name: &str, word: &str| [(name.into(), word.into())];
    let at = |name: &str, word: &str| scores(source.at(&said(name, word)), nobody);
    let (rain, plain) = (at("weather", "rain"), scores(&plain, nobody));
    for (name, word) in [("weather", "snow"), ("device", "rain")] {
        assert_eq!(bits(&at(name, word)), bits(&plain), "{name} {word}");
        assert_eq!(source.goes_by(&said(name, word)), None);
    }
    assert!(source.goes_by(&said("weather", "rain")).is_some());
    let (low, high) = (0..ITEMS / 2, ITEMS / 2..ITEMS);
    let mean = |scores: &[f32]| scores.iter().sum::<f32>() / scores.len() as f32;
    assert!(mean(&rain[low.clone()]) > mean(&plain[low.clone()]));
    assert!(mean(&rain[high.clone()]) < mean(&plain[high]));
    let shown = [true; ITEMS];
    let proposed = source.at(&said("weather", "rain"));
    let proposed = proposed.propose(nobody, &Open::new(&shown), 5);
    assert!(
        proposed
            .items
            .iter()
            .all(|item| low.contains(&(*item as usize)))
    );
    let both = params(json!({"context": "weather", "segment": "half"}));
    let refused = recommender("popular").unwrap().check(&both).unwrap_err();
    assert!(refused[0].message.contains("`segment`"), "{refused:?}");
    let other = recommender("popular").unwrap();
    let other = other.check(&params(json!({"context": "device"}))).unwrap();
    let error = other.fit(&data, Seed(3), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("`device`"), "{error}");
}

#[test]
fn a_damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("popular.recommender");
    let saved = Recommender {
        learner: "popular".to_owned(),
        parameters: "{}".to_owned(),
        items: vec![Arc::from("a"), Arc::from("b")],
        source: Source::Popular(popular::Popular::new(
            vec![1.0, 2.0],
            segments::Segments::default(),
        )),
        seed: 0,
        events: 3,
    };
    saved.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let with = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Recommender::load(&path).unwrap_err()
    };
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(with(&changed), RecommenderError::Damaged { .. }));
    assert!(matches!(
        with(b"something else"),
        RecommenderError::Format { .. }
    ));
    let fewer = Recommender {
        items: vec![Arc::from("a")],
        ..saved
    };
    fewer.save(&path).unwrap();
    let error = Recommender::load(&path).unwrap_err();
    assert!(
        error.to_string().contains("knows 2 items and names 1"),
        "{error}"
    );
}
