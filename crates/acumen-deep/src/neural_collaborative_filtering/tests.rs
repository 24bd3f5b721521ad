//! That it serves as it was trained, and that a shortlist holds what it would choose of all.

use acumen_model::recommend::candidates::standardise;
use acumen_model::recommend::neural_collaborative_filtering::SHORTLIST;
use acumen_model::recommend::proposal::best;
use acumen_model::recommend::{History, Open};
use serde_json::json;

use super::*;
use crate::recommend::tests::{ITEMS, fit_to, halves, interactions, params, scores};

/// The kernels that serve give what the framework was trained with.
#[test]
fn it_serves_as_it_was_trained() {
    let checked = NeuralParams {
        width: 8,
        layers: vec![16, 8],
        recency: Recency {
            last: 5,
            decay: 0.7,
        },
        negatives: 12,
        teaching: Teaching {
            dropout: 0.0,
            learning_rate: 0.02,
            batch_size: 60,
            epochs: 1,
            patience: 0,
            weight_decay: 0.0,
            seed: 0,
        },
    };
    let sequences = liked(&halves(30));
    let touches = touches(&sequences, ITEMS);
    let mut training = Training::start(&checked, Windows::new(sequences, 5), touches, Seed(4));
    for batch in training.batches() {
        training.step(&batch, 0.02);
    }
    let source = training.source();
    let batch = &training.batches()[0];
    // Every event is asked for every item.
    let events = batch.inputs.len();
    let asked = Asked {
        next: vec![0; events],
        next_shares: Vec::new(),
        others: (0..ITEMS as i32).collect(),
        other_shares: Vec::new(),
    };
    let weights = training.weights.take().unwrap();
    let margins = training.margins(&weights, batch, &asked);
    let (next, margins) = (numbers(margins.next), numbers(margins.others));
    let first = margins.iter().step_by(ITEMS);
    assert!(next.iter().zip(first).all(|(a, b)| (a - b).abs() < 1e-5));
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
            for (score, margin) in found.iter().zip(&margins[place * ITEMS..]) {
                assert!((score - margin).abs() < 1e-5, "{score} and {margin}");
            }
        }
    }
}

#[test]
fn no_item_of_a_window_is_a_negative_of_it() {
    let windows = Windows::new(liked(&halves(30)), 6);
    let mut draws = Draws::new(Seed(1), "draws");
    // So few to draw from that some windows hold them all.
    let among: Vec<u32> = (0..8).collect();
    let mut compared = 0;
    for batch in windows.batches(30, &mut draws) {
        let asked = Asked::new(&batch, (&among, 4), &mut draws);
        let sum: f32 = asked.next_shares.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5);
        for (event, target) in batch.targets.iter().enumerate() {
            let counts = asked.next_shares[event] > 0.0;
            assert_eq!(counts.then_some(asked.next[event] as u32), *target);
            let window = (event % batch.lines..batch.targets.len()).step_by(batch.lines);
            let window: Vec<Option<u32>> = window.map(|at| batch.targets[at]).collect();
            for (other, share) in asked.others.iter().zip(&asked.other_shares[event * 4..]) {
                let is_negative = target.is_some() && !window.contains(&Some(*other as u32));
                // What the first event of a window is with is in it, too.
                assert!(*share == 0.0 || is_negative, "{other} after {target:?}");
                compared += usize::from(*share > 0.0);
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

/// Tastes of 30 kinds over 3,000 items, of which a third are seldom touched.
#[test]
fn a_shortlist_holds_what_the_whole_network_would_choose_of_all() {
    let (items, kinds) = (3_000_usize, 30_usize);
    let mut draws = Draws::new(Seed(5), "tastes");
    let mut rows = Vec::new();
    for user in 0..1_500_u32 {
        let kind = user as usize % kinds;
        for step in 0..12 {
            let of = items / kinds;
            let place = draws.below(of).min(draws.below(of));
            let stray = draws.below(8) == 0;
            let kind = if stray { draws.below(kinds) } else { kind };
            rows.push((user, (kind + kinds * place) as u32, step, 1.0));
        }
    }
    let events = interactions(&rows, items);
    let given = params(
        json!({"width": 16, "layers": [16, 8], "epochs": 8, "learning_rate": 0.01,
                              "batch_size": 1_000}),
    );
    let (source, _) = fit_to(
        &NeuralCollaborativeFiltering,
        &given,
        (&events, None),
        Seed(3),
    );
    let shown = vec![true; items];
    let open = Open::new(&shown);
    let (mut kept, mut all, mut apart) = (0, 0, 0.0_f32);
    for user in (0..events.n_users()).step_by(15) {
        let history = events.history(user);
        let found = source.propose(history, &open, 100);
        assert_eq!(found.items.len(), 100);
        let mut whole = scores(&source, history);
        let wanted = best(&whole, &open, 100);
        kept += wanted
            .iter()
            .filter(|item| found.items.contains(item))
            .count();
        all += wanted.len();
        let some = source.score_some(history, &wanted, &found);
        standardise(&mut whole);
        for (item, score) in wanted.iter().zip(some) {
            apart = apart.max((score - whole[*item as usize]).abs() / score.abs());
        }
    }
    let recall = kept as f64 / all as f64;
    println!("recall@100 of a shortlist of {SHORTLIST} of {items}: {recall:.4}; units {apart:.3}");
    assert!(recall > 0.98, "{recall}");
    assert!(apart < 0.1, "a unit of its own is {apart} off");
}
