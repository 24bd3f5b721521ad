//! That it learns an order, serves as it was trained, and keeps the laws of a source.

use acumen_base::{Seed, Time};
use acumen_model::recommend::{
    History, InteractionColumns, Interactions, RecommendData, RecommendLearner, Source,
};
use serde_json::json;

use super::*;

const ITEMS: usize = 12;

/// Users who go round the items in order, from another one each.
fn round() -> Interactions {
    let rows = (0..40_u32).flat_map(|user| (0..15_u32).map(move |step| (user, step)));
    let rows: Vec<(u32, u32)> = rows.collect();
    let user: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let item: Vec<u32> = rows
        .iter()
        .map(|row| (row.0 * 5 + row.1) % ITEMS as u32)
        .collect();
    let time: Vec<Time> = rows.iter().map(|row| Time(i64::from(row.1))).collect();
    let columns = InteractionColumns {
        user: &user,
        item: &item,
        time: &time,
        weight: &vec![1.0; rows.len()],
    };
    Interactions::new(40, ITEMS, &columns).unwrap()
}

fn params() -> Params {
    let given = json!({"width": 8, "units": 16, "window": 6, "epochs": 30, "batch_size": 60,
                       "learning_rate": 0.02, "dropout": 0.1});
    serde_json::from_value(given).unwrap()
}

fn fit(events: &Interactions) -> (Source, Vec<f64>) {
    let data = RecommendData {
        interactions: events,
        attributes: None,
    };
    let mut losses = Vec::new();
    let checked = SequenceRecommender.check(&params()).unwrap();
    let source = checked.fit(&data, Seed(2), &mut |at| losses.extend(at.value));
    (source.unwrap(), losses)
}

#[test]
fn it_learns_what_comes_next() {
    let events = round();
    let (source, losses) = fit(&events);
    assert!(losses[losses.len() - 1] < 0.3 * losses[0], "{losses:?}");
    let history = History {
        items: &[3, 4, 9, 5],
        weights: &[1.0, 1.0, -1.0, 1.0],
    };
    let mut scores = vec![0.0; ITEMS];
    source.score(history, &mut scores);
    let best = (0..ITEMS).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    assert_eq!(best, Some(6));
    let why = source.why(history, 6);
    let sum = why.base + why.events.iter().map(|(_, by)| by).sum::<f32>();
    assert!((sum - scores[6]).abs() < 1e-4);
    // What was not wanted is no event of interest.
    let places: Vec<usize> = why.events.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [0, 1, 3]);
    assert_eq!(fit(&events).0, source, "the same bytes from the same seed");
}

/// The kernel that serves gives what the framework was trained with.
#[test]
fn it_serves_as_it_was_trained() {
    let checked = SequenceParams {
        width: 8,
        units: 16,
        window: 6,
        dropout: 0.0,
        learning_rate: 0.01,
        batch_size: 60,
        epochs: 1,
        weight_decay: 0.0,
        seed: 0,
    };
    let events = round();
    let windows = Windows::new(liked(&events), 6);
    let mut training = Training::start(&checked, ITEMS, Seed(4));
    training.epoch(&windows, 1);
    let source = Source::Recurrent(training.export());
    let weights = training.weights.take().unwrap();
    let batch = &windows.batches(60, &mut Draws::new(Seed(1), "cuts"))[0];
    let hidden = training.remember(&weights, batch);
    let users = weights.output.forward(hidden);
    let logits = users.matmul(weights.items.val().transpose()) + weights.bias.val();
    let logits = numbers(logits);
    let steps = batch.steps();
    for window in 0..batch.lines {
        let places = (0..steps).map(|step| step * batch.lines + window);
        let ended = places.clone().find(|place| batch.targets[*place].is_none());
        let items: Vec<u32> = places
            .take_while(|place| Some(*place) != ended)
            .map(|place| batch.inputs[place] as u32)
            .collect();
        let mut scores = vec![0.0; ITEMS];
        let weights = vec![1.0; items.len()];
        source.score(
            History {
                items: &items,
                weights: &weights,
            },
            &mut scores,
        );
        let line = (items.len() - 1) * batch.lines + window;
        for (score, logit) in scores.iter().zip(&logits[line * ITEMS..]) {
            assert!((score - logit).abs() < 1e-5, "{score} and {logit}");
        }
    }
}

/// Every event but the first of a user is a target once an epoch, wherever windows are cut.
#[test]
fn every_event_is_a_target_once() {
    let windows = Windows::new(liked(&round()), 6);
    let mut draws = Draws::new(Seed(9), "cuts");
    for _ in 0..3 {
        let batches = windows.batches(50, &mut draws);
        let targets = batches
            .iter()
            .flat_map(|batch| batch.targets.iter().flatten());
        assert_eq!(targets.count(), 40 * 14);
        assert!(
            batches
                .iter()
                .all(|batch| batch.inputs.len() <= 50 && batch.lines > 0)
        );
    }
}
