//! That it serves as it was trained, knows new items by their words, and is not led by what is
//! popular where it compares with a few.

use acumen_model::recommend::{Attributes, History, RecommendLearner};
use serde_json::json;

use super::*;
use crate::recommend::tests::{ITEMS, attributes, fit_to, halves, interactions, params, scores};

fn small() -> TwoTowerParams {
    TwoTowerParams {
        width: 8,
        layers: vec![16],
        recency: Recency {
            last: 5,
            decay: 0.7,
        },
        item_dropout: 0.0,
        negatives: 4_096,
        teaching: Teaching {
            dropout: 0.0,
            learning_rate: 0.02,
            batch_size: 60,
            epochs: 1,
            patience: 0,
            weight_decay: 0.0,
            seed: 0,
        },
    }
}

/// The kernels that serve give what the framework was trained with, whatever events weigh.
#[test]
fn it_serves_as_it_was_trained() {
    let (checked, attributes) = (small(), attributes());
    let rows: Vec<(u32, u32, u32, f32)> = (0..20_u32)
        .flat_map(|user| (0..6 + user % 4).map(move |step| (user, step)))
        .map(|(user, step)| {
            (
                user,
                (user * 7 + step * step) % 30,
                step,
                1.0 + (step % 3) as f32,
            )
        })
        .collect();
    let events = interactions(&rows, ITEMS);
    for words in [None, Some(&attributes)] {
        let data = RecommendData {
            interactions: &events,
            attributes: words,
        };
        let sequences = liked(&events);
        let items = Items::new(&data, &sequences).unwrap();
        let windows = Windows::new(sequences, 5);
        let mut training = Training::start(&checked, (windows, items), Seed(4));
        for batch in training.batches() {
            training.step(&batch, 0.02);
        }
        let source = training.source();
        let batch = &training.batches()[0];
        let all: Vec<u32> = (0..30).collect();
        let weights = training.weights.take().unwrap();
        let lines = training.lines(&weights, &all, vec![1.0; all.len()]);
        let vectors = lines.clone().narrow(1, 0, 8);
        let users = training.users(&weights, &vectors, batch, batch.inputs.clone());
        let bias = lines.narrow(1, 8, 1).reshape([1, all.len()]);
        let logits = numbers(users.matmul(vectors.transpose()) + bias);
        for line in 0..batch.lines {
            let places = (0..batch.steps()).map(|step| step * batch.lines + line);
            let places: Vec<usize> = places.filter(|at| batch.targets[*at].is_some()).collect();
            for (at, place) in places.iter().enumerate() {
                let past = &places[..=at];
                let items: Vec<u32> = past.iter().map(|at| batch.inputs[*at] as u32).collect();
                let weights: Vec<f32> = past.iter().map(|at| batch.weights[*at]).collect();
                let found = scores(
                    &source,
                    History {
                        items: &items,
                        weights: &weights,
                    },
                );
                for (score, logit) in found.iter().zip(&logits[place * all.len()..]).take(30) {
                    assert!((score - logit).abs() < 1e-5, "{score} and {logit}");
                }
            }
        }
    }
}

/// Whether an item of no events, known by its words alone, is among those who go with them.
#[test]
fn a_new_item_is_put_forward_by_its_words() {
    let (events, attributes) = (halves(200), attributes());
    let given = params(
        json!({"width": 8, "layers": [16], "last": 6, "learning_rate": 0.02,
                              "batch_size": 100, "item_dropout": 0.4, "epochs": 20}),
    );
    let data = (&events, Some(&attributes));
    let (mut source, _) = fit_to(&TwoTowerLearner, &given, data, Seed(3));
    assert!(source.learns_items());
    let mut new = Attributes::new(3);
    new.value(0, "half", "high");
    new.text(0, "title", "the 4 of unheard");
    new.value(1, "half", "low");
    new.value(2, "half", "neither");
    source.extend(&new);
    assert_eq!(source.n_items(), ITEMS + 3);
    source.check().unwrap();
    let found = |items: &[u32]| {
        let weights = vec![1.0; items.len()];
        scores(
            &source,
            History {
                items,
                weights: &weights,
            },
        )
    };
    let (high, low) = (found(&[30, 31, 32]), found(&[3, 4, 5]));
    let ahead = |found: &[f32], item: usize| {
        let known = found[..ITEMS].iter();
        known.filter(|score| **score > found[item]).count()
    };
    assert!(
        ahead(&high, ITEMS) <= 20 && ahead(&low, ITEMS) >= 20,
        "{high:?} {low:?}"
    );
    assert!(high[ITEMS] > high[ITEMS + 1] && low[ITEMS] < low[ITEMS + 1]);
    // Of the last nothing is known: it has no vector, and the least bias.
    assert!(high[ITEMS + 2] == low[ITEMS + 2] && ahead(&high, ITEMS + 2) > 10);
}

#[test]
fn without_words_it_learns_no_new_items() {
    let events = halves(40);
    let given = params(json!({"width": 8, "epochs": 1}));
    let (mut source, _) = fit_to(&TwoTowerLearner, &given, (&events, None), Seed(3));
    assert!(!source.learns_items());
    let before = source.clone();
    source.extend(&Attributes::new(2));
    assert_eq!(source, before);
    let others = Attributes::new(ITEMS + 1);
    let data = RecommendData {
        interactions: &events,
        attributes: Some(&others),
    };
    let error = TwoTowerLearner.check(&given).unwrap();
    let error = error.fit(&data, Seed(1), &mut |_| {}).unwrap_err();
    assert!(matches!(error, RecommendError::Items { .. }), "{error}");
}

/// Users who take items by chance, the first ones far more often. Compared with few, an item's
/// score must still be the logarithm of its share, as it is compared with all.
#[test]
fn comparing_with_few_finds_what_comparing_with_all_does() {
    let mut draws = Draws::new(Seed(8), "users");
    let mut touches = [0_u32; ITEMS];
    let mut rows = Vec::new();
    for at in 0..20_000_u32 {
        let item = draws
            .below(ITEMS)
            .min(draws.below(ITEMS))
            .min(draws.below(ITEMS));
        touches[item] += 1;
        rows.push((at / 10, item as u32, at % 10, 1.0));
    }
    let events = interactions(&rows, ITEMS);
    for negatives in [6, 4_096] {
        let given = params(
            json!({"width": 4, "layers": [4], "last": 4, "learning_rate": 0.01,
                                  "negatives": negatives, "batch_size": 40, "epochs": 8}),
        );
        let (source, _) = fit_to(&TwoTowerLearner, &given, (&events, None), Seed(3));
        let history = History {
            items: &[1, 7],
            weights: &[1.0; 2],
        };
        let found = scores(&source, history);
        let often = (0..ITEMS).filter(|item| touches[*item] > 100);
        let apart = often.map(|item| found[item] - (touches[item] as f32).ln());
        let apart: Vec<f32> = apart.collect();
        let mean = apart.iter().sum::<f32>() / apart.len() as f32;
        let most = apart.iter().map(|by| (by - mean).abs()).fold(0.0, f32::max);
        // Items differ by up to 4 in it; not corrected, it would be by half of that.
        assert!(apart.len() > 15 && most < 0.5, "{negatives}: {apart:?}");
    }
}

#[test]
fn probabilities_are_those_with_which_items_are_compared_with() {
    let (events, mut draws) = (halves(30), Draws::new(Seed(2), "drawn"));
    let sequences = liked(&events);
    let touches = crate::recommend::touches(&sequences, ITEMS);
    let popularity = Popularity::new(&touches);
    let windows = Windows::new(sequences, 6);
    let (mut times, mut expected, mut batches) = ([0.0; ITEMS], [0.0; ITEMS], 0);
    for _ in 0..400 {
        for batch in windows.batches(20, &mut draws) {
            let compared = Compared::new(&batch, &popularity, 5, &mut draws);
            batches += 1;
            let each = compared.items.iter().zip(&compared.corrections);
            for (item, correction) in each {
                times[*item as usize] += 1.0;
                // The mean of 1 / Q over what was drawn is 1.
                expected[*item as usize] += f64::from(-correction).exp();
            }
            for (input, place) in batch.inputs.iter().zip(&compared.inputs) {
                let of = compared.items[*place as usize];
                assert!(of == *input as u32 || batch.weights.contains(&0.0));
            }
            for (target, place) in batch.targets.iter().zip(&compared.targets) {
                let place = place.map(|place| place as usize);
                assert_eq!(*target, place.map(|place| compared.items[place]));
                assert!(place.is_none_or(|place| place < compared.corrections.len()));
            }
        }
    }
    let expected: f64 = expected.iter().sum::<f64>() / ITEMS as f64 / f64::from(batches);
    assert!((expected - 1.0).abs() < 0.1, "{expected}: {times:?}");
}
