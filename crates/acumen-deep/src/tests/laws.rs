//! Deterministic, better than chance, the same bits loaded, and a number for every row.

use acumen_base::Span;
use acumen_model::metrics::Curve;
use acumen_model::{Artifact, CalibrationMethod, Encoding, Shares, TrainingPlan, fit_artifact};

use super::*;

fn bytes(fitted: &Fitted) -> String {
    serde_json::to_string(fitted).unwrap()
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
        assert!(find_learner(LEARNERS, name).is_ok());
    }
    assert_eq!(
        find_learner(LEARNERS, "graphsag").err(),
        Some(Some("graphsage"))
    );
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let (train, valid) = (sampled(450, "threads"), sampled(200, "later"));
    for each in LEARNERS {
        // Wide enough for products that the framework shares among threads.
        let given = || json!({"epochs": 1, "batch_size": 450, "layers": [256, 192]});
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| bytes(&fit(*each, given(), (&train, Some(&valid))).unwrap()))
        };
        let one = of(1);
        for threads in [2, 3] {
            assert!(one == of(threads), "{} at {threads} threads", each.name());
        }
    }
}

#[test]
fn another_seed_draws_other_weights() {
    let train = sampled(300, "seed");
    for each in LEARNERS {
        let of = |seed| {
            bytes(
                &checked(*each, quick(), &train)
                    .fit(&train, None, Seed(seed), &mut |_| {})
                    .unwrap(),
            )
        };
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
    }
}

#[test]
fn they_learn_and_stop_at_the_best_epoch() {
    let (train, valid) = (sampled(1_500, "learn"), sampled(700, "valid"));
    let test = sampled(700, "test");
    let rate = test.positives() as f64 / test.len() as f64;
    for each in LEARNERS {
        let mut rounds = Vec::new();
        let given = json!({"epochs": 12, "batch_size": 64, "layers": [16], "patience": 4, "learning_rate": 0.01});
        let fitted = checked(*each, given, &train)
            .fit(&train, Some(&valid), Seed(3), &mut |progress| {
                rounds.push(progress);
            })
            .unwrap();
        let log = &fitted.log;
        assert_eq!(
            (rounds.len(), log.values.len()),
            (log.rounds_run, log.rounds_run)
        );
        let rises = log.metric == "aucpr";
        let best = log.values[log.best_round - 1];
        assert!(log.values.iter().all(|value| if rises {
            *value <= best
        } else {
            *value >= best
        }));
        assert!(log.rounds_run <= log.best_round + 4);
        assert!(!fitted.importances.is_empty());
        let margins = network(&fitted).margins_many(&test.matrix);
        let scores: Vec<f64> = margins.into_iter().map(f64::from).collect();
        let precision = Curve::new(&scores, &test.outcome)
            .average_precision()
            .unwrap();
        // The autoencoder never sees an outcome; the others do.
        let wanted = if each.name() == "autoencoder" {
            0.0
        } else {
            1.5 * rate
        };
        assert!(precision > wanted, "{}: {precision} of {rate}", each.name());
    }
}

#[test]
fn probabilities_stay_right_where_negatives_are_left_out() {
    let train = sampled(3_000, "rare");
    let positives: Vec<usize> = (0..train.len())
        .filter(|row| train.outcome[*row] > 0.5)
        .collect();
    let kept: Vec<usize> = (0..train.len())
        .filter(|row| {
            train.outcome[*row] < 0.5
                || positives
                    .iter()
                    .position(|p| p == row)
                    .is_some_and(|at| at % 5 == 0)
        })
        .collect();
    let train = train.select(&kept);
    let rate = train.positives() as f64 / train.len() as f64;
    let given = json!({"epochs": 10, "batch_size": 64, "layers": [8], "negatives": 2});
    let fitted = fit(&crate::NeuralNetwork, given, (&train, None)).unwrap();
    let margins = network(&fitted).margins_many(&train.matrix);
    let chances = margins
        .iter()
        .map(|margin| 1.0 / (1.0 + f64::from(-margin).exp()));
    let mean = chances.sum::<f64>() / margins.len() as f64;
    assert!(
        rate < 0.12 && (mean / rate - 1.0).abs() < 0.25,
        "{mean}, not {rate}"
    );
}

#[test]
fn probabilities_stay_right_where_rows_stand_for_others() {
    let all = sampled(4_000, "stand for");
    let rate = all.positives() as f64 / all.len() as f64;
    let kept: Vec<usize> = (0..all.len())
        .filter(|row| all.outcome[*row] > 0.5 || row % 4 == 0)
        .collect();
    let mut train = all.select(&kept);
    let weight = train
        .outcome
        .iter()
        .map(|y| if *y > 0.5 { 1.0 } else { 4.0 });
    train.weight = Some(weight.collect());
    for negatives in [0, 1] {
        let given = json!({"epochs": 10, "batch_size": 64, "layers": [8], "negatives": negatives});
        let fitted = fit(&crate::NeuralNetwork, given, (&train, None)).unwrap();
        let margins = network(&fitted).margins_many(&all.matrix);
        let chances = margins
            .iter()
            .map(|margin| 1.0 / (1.0 + f64::from(-margin).exp()));
        let mean = chances.sum::<f64>() / margins.len() as f64;
        assert!((mean / rate - 1.0).abs() < 0.15, "{mean}, not {rate}");
    }
}

#[test]
fn training_goes_on_from_a_network_of_the_same_layout() {
    let (early, later) = (sampled(900, "early"), sampled(900, "later"));
    let valid = sampled(500, "valid");
    for each in LEARNERS {
        let given = |warm: u64, rate: f64, layers: u64| {
            json!({
                "epochs": 6, "batch_size": 64, "layers": [layers], "warm_start": warm,
                "learning_rate": rate,
            })
        };
        let of = |given, from: &FittedModel| {
            let checked = checked(*each, given, &later);
            let fitted = checked.fit_from(from, &later, Some(&valid), Seed(5), &mut |_| {});
            (
                checked.goes_on_from(from, later.matrix.data.len()),
                fitted.unwrap(),
            )
        };
        let first = fit(*each, given(3, 0.01, 12), (&early, Some(&valid))).unwrap();
        let margins = |fitted: &Fitted| network(fitted).margins_many(&valid.matrix);
        // Steps of almost nothing: it is the network that it went on from.
        let (goes_on, still) = of(given(3, 1e-12, 12), &first.model);
        assert!(goes_on, "{}", each.name());
        // The autoencoder's margins are standardised over its own training rows.
        if each.name() != "autoencoder" {
            for (before, after) in margins(&first).iter().zip(margins(&still)) {
                assert!(
                    (before - after).abs() < 1e-3,
                    "{}: {before} {after}",
                    each.name()
                );
            }
        }
        let (_, next) = of(given(3, 0.01, 12), &first.model);
        assert!(next.log.rounds_run <= 3);
        assert_ne!(margins(&next), margins(&first));
        let (_, again) = of(given(3, 0.01, 12), &first.model);
        assert!(bytes(&next) == bytes(&again), "{}", each.name());
        for (warm, layers) in [(0, 12), (3, 13)] {
            let (goes_on, anew) = of(given(warm, 0.01, layers), &first.model);
            assert!(!goes_on, "{}", each.name());
            let checked = checked(*each, given(warm, 0.01, layers), &later);
            let fresh = checked
                .fit(&later, Some(&valid), Seed(5), &mut |_| {})
                .unwrap();
            assert!(bytes(&anew) == bytes(&fresh), "{}", each.name());
        }
    }
}

#[test]
fn going_on_does_not_lose_what_was_learnt() {
    let (train, valid) = (sampled(1_500, "learn"), sampled(700, "valid"));
    let given = |warm: u64| {
        json!({
            "epochs": 10, "batch_size": 64, "layers": [16], "learning_rate": 0.01,
            "negatives": 2, "warm_start": warm,
        })
    };
    let first = fit(&crate::NeuralNetwork, given(2), (&train, Some(&valid))).unwrap();
    let checked = checked(&crate::NeuralNetwork, given(2), &train);
    let next = checked
        .fit_from(&first.model, &train, Some(&valid), Seed(6), &mut |_| {})
        .unwrap();
    let precision = |fitted: &Fitted| {
        let margins = network(fitted).margins_many(&valid.matrix).into_iter();
        let scores: Vec<f64> = margins.map(f64::from).collect();
        Curve::new(&scores, &valid.outcome)
            .average_precision()
            .unwrap()
    };
    assert!(precision(&next) >= precision(&first) - 1e-6);
}

#[test]
fn many_are_one_by_one_and_missing_rows_score() {
    let train = sampled(300, "many");
    let mut strange = sampled(40, "strange");
    for (column, values) in strange.matrix.data.iter_mut().enumerate() {
        values[0] = f32::NAN; // an entity never seen, a graph of one node
        values[1] = if column % 2 == 0 {
            f32::INFINITY
        } else {
            -1e30
        };
        values[2] = 1e9; // a category never seen
    }
    for each in LEARNERS {
        let fitted = fit(*each, quick(), (&train, None)).unwrap();
        let network = network(&fitted);
        network.check().unwrap();
        let many = network.margins_many(&strange.matrix);
        for (index, margin) in many.iter().enumerate() {
            let one = network.margin(&row(&strange, index));
            assert_eq!(one.to_bits(), margin.to_bits());
            assert!(margin.is_finite(), "{}: {margin}", each.name());
        }
    }
}

#[test]
fn contributions_add_up() {
    let (train, test) = (sampled(600, "explain"), sampled(12, "explained"));
    for each in LEARNERS {
        let given = json!({"epochs": 6, "batch_size": 64, "learning_rate": 0.01});
        let fitted = fit(*each, given, (&train, None)).unwrap();
        let network = network(&fitted);
        for index in 0..test.len() {
            let row = row(&test, index);
            let explanation = network.explain(&row);
            let moved = f64::from(network.margin(&row)) - explanation.expected;
            let sum: f64 = explanation.contributions.iter().sum();
            let allowed = 1e-3 * moved.abs().max(0.1);
            assert!(
                (sum - moved).abs() <= allowed,
                "{}: {sum}, not {moved}",
                each.name()
            );
        }
    }
}

#[test]
fn an_artifact_predicts_the_same_bits_when_loaded() {
    let rows = sampled(900, "artifact");
    let encoding = Encoding::of(
        &rows.matrix.columns,
        &vec![Vec::new(); rows.matrix.columns.len()],
    );
    let folder = tempfile::tempdir().unwrap();
    for each in LEARNERS {
        let given = params(quick());
        let plan = TrainingPlan {
            use_case: "orders",
            member: each.name(),
            learner: *each,
            params: &given,
            shares: Shares::default(),
            gap: Span(0),
            calibration: CalibrationMethod::Platt,
            seed: Seed(9),
            code: "0.1.0",
            search: None,
            trials: None,
            previous: None,
            refit: true,
        };
        let versions = fit_artifact(&plan, &rows, encoding.clone(), &mut |_| {}).unwrap();
        let artifact = versions.judged;
        // Rows to stop by are gone, and so is what waits for a better round.
        let again = versions.refitted.unwrap();
        assert_eq!(again.window.rows, rows.len(), "{}", each.name());
        assert_eq!(again.test_metrics, artifact.test_metrics);
        let dir = folder.path().join(each.name());
        let version = artifact.save(&dir).unwrap();
        let loaded = Artifact::load(&dir).unwrap();
        assert_eq!((loaded.version(), &loaded), (version, &artifact));
        let (before, after) = (
            artifact.model.margins(&rows.matrix),
            loaded.model.margins(&rows.matrix),
        );
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.to_bits(), after.to_bits());
        }
    }
}
