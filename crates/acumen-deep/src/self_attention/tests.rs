//! That it serves as it was trained, learns an order, and reads no more than its window.

use acumen_model::recommend::{History, Interactions, RecommendLearner};
use serde_json::json;

use super::*;
use crate::recommend::tests::{fit_to, interactions, params, scores};

const ITEMS: usize = 12;

/// Users who go round the items in order, from another one each, some further than others.
fn round() -> Interactions {
    let rows = (0..40_u32).flat_map(|user| (0..9 + user % 7).map(move |step| (user, step)));
    let rows: Vec<(u32, u32, u32, f32)> = rows
        .map(|(user, step)| (user, (user * 5 + step) % ITEMS as u32, step, 1.0))
        .collect();
    interactions(&rows, ITEMS)
}

fn history<'a>(items: &'a [u32], weights: &'a [f32]) -> History<'a> {
    History {
        items,
        weights: &weights[..items.len()],
    }
}

fn small(heads: usize, blocks: usize, negatives: usize) -> AttentionParams {
    AttentionParams {
        width: 12,
        blocks,
        heads,
        window: 7,
        negatives,
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

/// The kernel that serves gives what the framework was trained with, after any number of events.
#[test]
fn it_serves_as_it_was_trained() {
    let events = round();
    let ones = [1.0; 32];
    for (heads, blocks, seed) in [(1, 1, 4), (3, 2, 5), (4, 3, 6)] {
        let checked = small(heads, blocks, 4_096);
        let sequences = liked(&events);
        let touches = touches(&sequences, ITEMS);
        let windows = Windows::new(sequences, checked.window);
        let mut training = Training::start(&checked, (windows, touches), Seed(seed));
        for batch in training.batches() {
            training.step(&batch, 0.02);
        }
        let source = training.source();
        let weights = training.weights.take().unwrap();
        let mut lengths = vec![0; checked.window + 1];
        for batch in &training.batches() {
            let inputs = batch.inputs.clone();
            let lines = select(weights.items.val(), inputs, &training.device);
            let users = training.users(&weights, lines, batch);
            let logits = users.matmul(weights.items.val().transpose());
            let logits = numbers(logits + weights.bias.val().transpose());
            for window in 0..batch.lines {
                let places = (0..batch.steps()).map(|step| step * batch.lines + window);
                let places = places.filter(|place| batch.targets[*place].is_some());
                let items = places.map(|place| batch.inputs[place] as u32);
                let items: Vec<u32> = items.collect();
                lengths[items.len()] += 1;
                // Events before the window are not read.
                let longer: Vec<u32> = [3, 7].into_iter().chain(items.iter().copied()).collect();
                let cut = items.len() == checked.window;
                let asked = if cut { &longer } else { &items };
                let found = scores(&source, history(asked, &ones));
                let line = (items.len() - 1) * batch.lines + window;
                for (score, logit) in found.iter().zip(&logits[line * ITEMS..]) {
                    assert!((score - logit).abs() < 1e-5, "{score} and {logit}");
                }
            }
        }
        assert!(lengths.iter().filter(|windows| **windows > 0).count() > 3);
    }
}

#[test]
fn it_learns_what_comes_next_compared_with_all_and_with_some() {
    let events = round();
    for negatives in [4_096, 3] {
        let given = params(json!({
            "width": 12, "window": 6, "epochs": 30, "patience": 0, "batch_size": 60,
            "learning_rate": 0.02, "dropout": 0.1, "negatives": negatives,
        }));
        let (source, _) = fit_to(&SelfAttentionLearner, &given, (&events, None), Seed(2));
        let asked = History {
            items: &[3, 4, 9, 5],
            weights: &[1.0, 1.0, -1.0, 1.0],
        };
        let found = scores(&source, asked);
        let best = (0..ITEMS).max_by(|a, b| found[*a].total_cmp(&found[*b]));
        assert_eq!(best, Some(6), "{found:?}");
        let why = source.why(asked, 6);
        let sum = why.base + why.events.iter().map(|(_, by)| by).sum::<f32>();
        assert!((sum - found[6]).abs() < 1e-4);
        // What was not wanted is no event of interest.
        let places: Vec<usize> = why.events.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [0, 1, 3]);
    }
}

/// Whatever a window is padded with, and whoever stands beside it, its events are the same.
#[test]
fn no_event_sees_a_later_one() {
    let checked = small(2, 2, 4_096);
    let sequences = liked(&round());
    let touches = touches(&sequences, ITEMS);
    let mut training = Training::start(
        &checked,
        (Windows::new(sequences, checked.window), touches),
        Seed(4),
    );
    for batch in training.batches() {
        training.step(&batch, 0.02);
    }
    let weights = training.weights.take().unwrap();
    let batches = training.batches();
    let batch = batches.iter().find(|batch| batch.steps() == 7).unwrap();
    let mut users = |inputs: Vec<i32>| {
        let lines = select(weights.items.val(), inputs, &training.device);
        numbers(training.users(&weights, lines, batch))
    };
    let before = users(batch.inputs.clone());
    let mut changed = batch.inputs.clone();
    let from = 4 * batch.lines;
    changed[from..]
        .iter_mut()
        .for_each(|item| *item = (*item + 5) % 12);
    let after = users(changed);
    let width = checked.width;
    assert_eq!(before[..from * width], after[..from * width]);
    assert!(before[from * width..] != after[from * width..]);
}

/// The newest event of every window has the last place.
#[test]
fn places_are_counted_from_the_newest_event() {
    let windows = Windows::new(liked(&round()), 6);
    for batch in windows.batches(50, &mut Draws::new(Seed(9), "cuts")) {
        let positions = positions(&batch, 6);
        for window in 0..batch.lines {
            let places = (0..batch.steps()).map(|step| step * batch.lines + window);
            let places = places.filter(|place| batch.targets[*place].is_some());
            let found: Vec<i32> = places.map(|place| positions[place]).collect();
            let wanted: Vec<i32> = (6 - found.len() as i32..6).collect();
            assert_eq!(found, wanted);
        }
        assert!(positions.iter().all(|place| (0..6).contains(place)));
    }
}

#[test]
fn items_that_nobody_touched_are_the_least_of_all() {
    let mut rows: Vec<(u32, u32, u32, f32)> = Vec::new();
    for user in 0..20 {
        rows.extend((0..5).map(|step| (user, (user + step) % 6, step, 1.0)));
    }
    let events = interactions(&rows, 9);
    let given = params(json!({"width": 8, "window": 4, "epochs": 3, "batch_size": 40}));
    let (source, _) = fit_to(&SelfAttentionLearner, &given, (&events, None), Seed(2));
    // One who begins with such an item is served all the same.
    let found = scores(&source, history(&[7, 2], &[1.0; 2]));
    assert!(found.iter().all(|score| score.is_finite()));
    let nobody = scores(&source, history(&[], &[]));
    let least = nobody.iter().copied().fold(f32::INFINITY, f32::min);
    assert_eq!(nobody[6..], [least; 3]);
}

#[test]
fn a_catalogue_of_one_item_is_no_trouble() {
    let rows: Vec<(u32, u32, u32, f32)> = (0..5)
        .flat_map(|user| (0..3).map(move |step| (user, 0, step, 1.0)))
        .collect();
    let events = interactions(&rows, 1);
    let given = params(json!({"width": 4, "window": 3, "epochs": 2, "negatives": 1}));
    let (source, _) = fit_to(&SelfAttentionLearner, &given, (&events, None), Seed(2));
    for items in [&[][..], &[0], &[0; 9]] {
        let found = scores(&source, history(items, &[1.0; 9]));
        assert!(found[0].is_finite());
    }
}

#[test]
fn heads_that_cannot_share_the_width_are_named() {
    let given = params(json!({"width": 64, "heads": 3}));
    let problems = SelfAttentionLearner.check(&given).unwrap_err();
    assert_eq!(problems.len(), 1);
    let problem = problems[0].to_string();
    assert!(
        problem.contains("3 heads") && problem.contains("64"),
        "{problem}"
    );
}
