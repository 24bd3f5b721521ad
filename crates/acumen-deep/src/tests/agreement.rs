//! The kernels give what the framework gives, to within 1e-5.

use acumen_model::layout::{relations, sequence_fields};
use acumen_model::network::{Body, CellKind, ERROR_MIN};

use super::*;
use crate::architecture::{Architecture, device};
use crate::autoencoder::Returning;
use crate::draws::Draws;
use crate::graph_neural_network::Meeting;
use crate::group::{Categories, Group, other_columns};
use crate::layers::numbers;
use crate::lstm::Stepping;
use crate::neural_network::Feeding;

/// Outputs of the framework and margins of the kernels, for weights as they are drawn.
fn both<A: Architecture>(architecture: &A, rows: &Dataset) -> (Vec<f32>, Vec<f32>) {
    let weights = architecture.start(-1.5, &mut Draws::new(Seed(8), "weights"), &device());
    let chosen: Vec<usize> = (0..rows.len()).collect();
    let network = Network {
        n_features: rows.matrix.data.len(),
        body: Box::new(architecture.export(&weights)),
    };
    network.check().unwrap();
    let outputs = numbers(architecture.output(&weights, &rows.matrix, &chosen));
    (outputs, network.margins_many(&rows.matrix))
}

fn agree(name: &str, (theirs, ours): (Vec<f32>, Vec<f32>)) {
    let spread = |values: &[f32]| {
        values
            .iter()
            .fold(0.0_f32, |most, v| most.max((v - values[0]).abs()))
    };
    assert!(spread(&theirs) > 0.05, "{name}: the rows are told apart");
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let allowed = 1e-5 * theirs.abs().max(1.0);
        assert!(
            (theirs - ours).abs() <= allowed,
            "{name}: {ours}, not {theirs}"
        );
    }
}

#[test]
fn the_kernels_agree_with_the_framework() {
    let rows = sampled(200, "agreement");
    let (matrix, columns) = (&rows.matrix, &rows.matrix.columns);
    let categories = Categories::Embedded(5);
    let all = || Group::of_rows(matrix, &other_columns(columns, &[]), categories).unwrap();
    let layers = [24, 16];
    let feeding = Feeding {
        own: all(),
        layers: &layers,
    };
    agree("feed forward", both(&feeding, &rows));

    for kind in [CellKind::Lstm, CellKind::Gru] {
        let fields = sequence_fields(columns);
        let others = other_columns(columns, &fields);
        let stepping = Stepping {
            kind,
            units: 9,
            steps: Group::of_places(matrix, &fields, categories).unwrap(),
            fixed: Group::of_rows(matrix, &others, categories).unwrap(),
            layers: &layers,
        };
        agree("recurrent", both(&stepping, &rows));
        // Without other columns there is nothing to join.
        let stepping = Stepping {
            fixed: Group::of_rows(matrix, &[], categories).unwrap(),
            ..stepping
        };
        agree("recurrent alone", both(&stepping, &rows));
    }

    let relations = relations(columns);
    let taken: Vec<_> = relations.iter().flat_map(|r| r.fields.clone()).collect();
    let meeting = Meeting {
        units: 10,
        own: Group::of_rows(matrix, &other_columns(columns, &taken), categories).unwrap(),
        hops: relations
            .iter()
            .map(|r| {
                (
                    r.name.clone(),
                    Group::of_places(matrix, &r.fields, categories).unwrap(),
                )
            })
            .collect(),
        layers: &layers,
    };
    assert_eq!(meeting.hops.len(), 2);
    agree("graph", both(&meeting, &rows));

    let returning = Returning {
        own: Group::of_rows(matrix, &other_columns(columns, &[]), Categories::OneHot(4)).unwrap(),
        inner: &[12, 3, 12],
    };
    let (errors, margins) = both(&returning, &rows);
    let kernel = margins.iter().map(|margin| margin.exp() - ERROR_MIN);
    agree("autoencoder", (errors, kernel.collect()));
}

#[test]
fn steps_that_are_not_there_change_nothing() {
    let rows = sampled(300, "masked");
    let fitted = fit(&crate::Lstm, quick(), (&rows, None)).unwrap();
    let network = network(&fitted);
    let Body::Recurrent(body) = &*network.body else {
        panic!("an LSTM is recurrent");
    };
    // The oldest steps of a short history are missing; fewer steps of the network do the same.
    let mut shorter = network.clone();
    if let Body::Recurrent(shorter) = &mut *shorter.body {
        shorter.steps.truncate(2);
    }
    let mut compared = 0;
    for index in 0..rows.len() {
        let row = row(&rows, index);
        if body.steps[2].is_empty_in(|column| row[column]) {
            assert_eq!(
                network.margin(&row).to_bits(),
                shorter.margin(&row).to_bits()
            );
            compared += 1;
        }
    }
    assert!(compared > 50);
}
