//! Laws of every body, over networks of random weights.

use acumen_base::{Deadline, ManualClock, Seed, Time};
use proptest::prelude::*;

use super::*;
use crate::artifact::Artifact;
use crate::fitted::FittedModel;
use crate::sample::{artifact_of_model, matrix_of, row};

mod sampled;

use sampled::{BODIES, network, wide_row};

/// How the margin changes on the way to points before and behind each input.
fn slopes(kernel: &dyn Kernel, inputs: &[f32]) -> Vec<[f32; 4]> {
    const STEPS: [f32; 4] = [-2e-3, -5e-4, 5e-4, 2e-3];
    let here = kernel.margin(inputs, &mut || true).unwrap();
    let slope = |at: usize, step: f32| {
        let mut moved = inputs.to_vec();
        moved[at] += step;
        (kernel.margin(&moved, &mut || true).unwrap() - here) / step
    };
    (0..inputs.len())
        .map(|at| STEPS.map(|step| slope(at, step)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Gradients are those of finite differences, but where a kink lies between.
    #[test]
    fn gradients_are_slopes(seed in any::<u64>(), row in wide_row()) {
        for body in BODIES {
            let network = network(body, Seed(seed));
            let kernel = network.kernel();
            let mut inputs = kernel.encode(&row);
            // Equal neighbours are a kink in the largest of them: each input is moved by its own.
            for (at, value) in inputs.iter_mut().enumerate() {
                *value *= 0.6 + 0.02 * at as f32;
            }
            let pairs = kernel.gradient(&inputs).into_iter().zip(slopes(kernel, &inputs));
            for (at, (slope, measured)) in pairs.enumerate() {
                let least = measured.into_iter().fold(f32::INFINITY, f32::min);
                let most = measured.into_iter().fold(f32::NEG_INFINITY, f32::max);
                let is_gate_of_nothing = inputs[at] == 0.0 && slope == 0.0;
                if most - least > 0.01 || is_gate_of_nothing {
                    continue;
                }
                let off = (least + most) / 2.0 - slope;
                prop_assert!(off.abs() < 0.02 * slope.abs().max(1.0), "{body}: {at}: {slope}");
            }
        }
    }

    /// Contributions add up to the margin less what is expected.
    #[test]
    fn contributions_add_up(seed in any::<u64>(), row in wide_row()) {
        for body in BODIES {
            let network = network(body, Seed(seed));
            let explanation = network.explain(&row);
            prop_assert_eq!(explanation.expected, f64::from(network.expected()));
            let moved = f64::from(network.margin(&row)) - explanation.expected;
            let sum: f64 = explanation.contributions.iter().sum();
            let allowed = 1e-3 * moved.abs().max(0.1);
            prop_assert!((sum - moved).abs() <= allowed, "{body}: {sum}, not {moved}");
        }
    }

    /// A column of which nothing is known, where that is no news, moved nothing.
    #[test]
    fn what_is_not_there_moves_nothing(seed in any::<u64>()) {
        for body in BODIES {
            let network = network(body, Seed(seed));
            let explanation = network.explain(&[f32::NAN; sampled::COLUMNS]);
            for (column, moved) in explanation.contributions.iter().enumerate() {
                prop_assert!(column == sampled::FLAGGED || *moved == 0.0, "{body}: {column}");
            }
        }
    }

    /// Many rows are one by one, bit for bit, and whatever a row holds its margin is a number.
    #[test]
    fn many_are_one_by_one(seed in any::<u64>(), rows in prop::collection::vec(wide_row(), 1..150)) {
        for body in BODIES {
            let network = network(body, Seed(seed));
            let matrix = sampled::matrix(&rows);
            for (row, margin) in rows.iter().zip(network.margins_many(&matrix)) {
                prop_assert_eq!(network.margin(row).to_bits(), margin.to_bits());
                prop_assert!(margin.is_finite());
            }
        }
    }

    /// Save, load, predict is bit-equal.
    #[test]
    fn a_loaded_network_predicts_the_same_bits(seed in any::<u64>(), rows in prop::collection::vec(row(), 1..8)) {
        let folder = tempfile::tempdir().unwrap();
        let network = sampled::small(Seed(seed));
        let artifact = artifact_of_model(FittedModel::Network(network));
        artifact.save(&folder.path().join("model")).unwrap();
        let loaded = Artifact::load(&folder.path().join("model")).unwrap();
        prop_assert_eq!(&loaded, &artifact);
        let rows = matrix_of(&rows);
        let (before, after) = (artifact.model.margins(&rows), loaded.model.margins(&rows));
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!(before.to_bits(), after.to_bits());
        }
    }
}

#[test]
fn every_body_is_written_and_read_back() {
    for body in BODIES {
        let network = network(body, Seed(3));
        network.check().unwrap();
        let text = serde_json::to_string(&network).unwrap();
        let back: Network = serde_json::from_str(&text).unwrap();
        assert_eq!(back, network);
    }
}

#[test]
fn a_deadline_stops_between_units_of_work() {
    let clock = ManualClock::at(Time(0));
    let (late, never) = (Deadline::after(clock.clone(), 0, 0), Deadline::never(clock));
    let row = [1.0; sampled::COLUMNS];
    for body in BODIES {
        let network = network(body, Seed(4));
        assert_eq!(network.margin_before(&row, &late), None);
        assert_eq!(
            network.margin_before(&row, &never),
            Some(network.margin(&row))
        );
    }
}

#[test]
fn unseen_categories_are_missing_ones() {
    for body in BODIES {
        let network = network(body, Seed(5));
        let mut row = [0.5; sampled::COLUMNS];
        let of = |value: f32, row: &mut [f32]| {
            row[sampled::CATEGORY] = value;
            network.margin(row).to_bits()
        };
        assert_eq!(of(900.0, &mut row), of(f32::NAN, &mut row));
        assert_ne!(of(1.0, &mut row), of(f32::NAN, &mut row), "{body}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let broken = |body: &str, change: &dyn Fn(&mut Network)| {
        let mut network = network(body, Seed(6));
        change(&mut network);
        network.check().unwrap_err().to_string()
    };
    let said = broken("feed_forward", &|network| network.n_features = 2);
    assert!(said.contains("rows have 2 columns"), "{said}");
    let said = broken("feed_forward", &|network| {
        if let Body::FeedForward(body) = &mut *network.body {
            body.layers.layers[0].weights[0] = f32::NAN;
        }
    });
    assert!(said.contains("cannot hold NaN"), "{said}");
    let said = broken("recurrent_gru", &|network| {
        if let Body::Recurrent(body) = &mut *network.body {
            body.cell.kind = CellKind::Lstm;
        }
    });
    assert!(said.contains("gates over"), "{said}");
    let said = broken("autoencoder", &|network| {
        if let Body::Autoencoder(body) = &mut *network.body {
            body.deviation = 0.0;
        }
    });
    assert!(said.contains("the deviation 0"), "{said}");
    let said = broken("graph", &|network| {
        if let Body::Graph(body) = &mut *network.body {
            body.hops[0].neighbours[0].numbers.pop();
        }
    });
    assert!(said.contains("not equally many"), "{said}");
}
