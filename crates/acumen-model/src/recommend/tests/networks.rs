//! The networks as they serve, by hand; those who train them check what they learn.

use super::self_attention::{Block, Norm};
use super::*;
use crate::network::{Dense, Stack};

fn dense(inputs: usize, outputs: usize, weights: &[f32], bias: &[f32]) -> Dense {
    Dense {
        inputs,
        outputs,
        weights: weights.to_vec(),
        bias: bias.to_vec(),
    }
}

fn stack(layers: Vec<Dense>) -> Stack {
    Stack { layers }
}

const HALVED: Recency = Recency {
    last: 2,
    decay: 0.5,
};

/// What is read of it is the second event, of weight 1, and the last, of weight 2.
const PAST: History<'_> = History {
    items: &[2, 1, 0, 0],
    weights: &[9.0, 1.0, -1.0, 2.0],
};

/// Three items, whose words are of two colours.
fn towers() -> TwoTower {
    let mut attributes = Attributes::new(4);
    for (item, colour) in [(0, "red"), (1, "red"), (2, "blue"), (3, "blue")] {
        attributes.value(item, "colour", colour);
    }
    let tower = ItemTower {
        vocabulary: Vocabulary::new(&attributes, 2),
        // Blue, and then red: by name.
        words: vec![0.0, 3.0, 0.5, 4.0, 0.0, -0.5],
        // Doubles what is above 0.
        layers: stack(vec![
            dense(
                3,
                3,
                &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                &[0.0; 3],
            ),
            dense(
                3,
                3,
                &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                &[0.0; 3],
            ),
        ]),
    };
    let user = stack(vec![dense(2, 2, &[0.0, 1.0, 0.0, 0.0], &[0.0, 10.0])]);
    let lines = vec![
        Some(vec![1.0, 0.0, 0.25]),
        Some(vec![0.0, 1.0, -1.0]),
        None,
        tower.line(Some(&[1.0, -1.0, 0.0]), &[(0, 1.0)]),
    ];
    TwoTower::new(HALVED, user, Some(tower), lines)
}

fn network() -> NeuralCollaborative {
    NeuralCollaborative {
        recency: HALVED,
        width: 2,
        past: vec![1.0, 0.0, 0.0, 1.0, 7.0, 7.0],
        product: vec![1.0, 1.0, 0.0, 5.0, 0.0, 0.0],
        first: vec![0.0, 0.0, -1.0, -1.0, 0.5, 0.0],
        bias: vec![0.0, 0.25, -1.0],
        user: dense(2, 2, &[1.0, 0.0, 0.0, 1.0], &[0.0, 0.0]),
        last: stack(vec![dense(2, 1, &[2.0, 10.0], &[0.5])]),
    }
}

#[test]
fn towers_by_hand() {
    let source = Source::TwoTower(towers());
    source.check().unwrap();
    // The mean is (2 · (1, 0) + 0.5 · (0, 1)) / 2.5, and the user (0.8, 0.2) + (0, 0.8 + 10).
    let found = scores(&source, PAST);
    // The last item is (1, 2, 0.5) twice over; of the one before it nothing is known.
    let wanted = [0.8 + 0.25, 11.0 - 1.0, -1.0, 1.6 + 44.0 + 1.0];
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-5, "{found} and {wanted}");
    }
    let why = source.why(PAST, 1);
    assert_eq!(why.base, 10.0 - 1.0);
    let places: Vec<usize> = why.events.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 3]);
    // The first event is (0, 1): it adds 1; with the second what is 10 becomes 11.
    let moved: Vec<f32> = why.events.iter().map(|(_, by)| *by).collect();
    assert!(
        (moved[0] - 1.0).abs() < 1e-5 && moved[1].abs() < 1e-5,
        "{moved:?}"
    );
}

#[test]
fn towers_learn_a_new_item_from_its_words() {
    let mut source = Source::TwoTower(towers());
    let mut new = Attributes::new(2);
    new.value(0, "colour", "red");
    new.value(1, "colour", "unheard of");
    source.extend(&new);
    source.check().unwrap();
    let found = scores(&source, PAST);
    // Red is (4, 0) with a bias of −0.5; above 0 it is doubled.
    assert!((found[4] - (0.8 * 8.0 - 0.5)).abs() < 1e-5, "{found:?}");
    assert_eq!(found[5], -1.0);
}

#[test]
fn a_product_and_a_perceptron_by_hand() {
    let source = Source::NeuralCollaborative(network());
    source.check().unwrap();
    // The mean is (0.8, 0.2), which is what goes into the first layer as well.
    let found = scores(&source, PAST);
    let wanted = [
        1.0 + (1.6 + 2.0 + 0.5),
        1.0 + 0.25 + 0.5,
        -1.0 + (2.6 + 2.0 + 0.5),
    ];
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-5, "{found} and {wanted}");
    }
    assert_eq!(source.why(PAST, 2).base, -1.0 + 1.0 + 0.5);
    assert!(!source.learns_items());
}

/// One head that asks for nothing, so that an event is told the mean of those before it and its
/// own.
fn attention() -> SelfAttention {
    let root = 2.0_f32.sqrt();
    let equal = || dense(2, 2, &[1.0, 0.0, 0.0, 1.0], &[0.0; 2]);
    let norm = || Norm {
        scale: vec![1.0; 2],
        shift: vec![0.0; 2],
    };
    SelfAttention {
        last: 2,
        width: 2,
        items: vec![root, 0.0, 0.0, root, 0.0, 0.0],
        bias: vec![0.0, 0.25, -1.0],
        positions: vec![0.0, 0.0, 1.0, 1.0],
        blocks: vec![Block {
            heads: 1,
            norm: norm(),
            query: dense(2, 2, &[0.0; 4], &[0.0; 2]),
            key: equal(),
            value: equal(),
            output: dense(2, 2, &[2.0, 0.0, 0.0, 2.0], &[0.0, 1.0]),
            inner_norm: norm(),
            inner: stack(vec![equal(), equal()]),
        }],
        norm: Norm {
            scale: vec![1.0, 2.0],
            shift: vec![0.5, 0.0],
        },
    }
}

#[test]
fn attention_by_hand() {
    let source = Source::SelfAttention(attention());
    source.check().unwrap();
    // What goes in is (0, 2) and then (2, 0) + (1, 1); normed, (−1, 1) and (1, −1). The first event
    // is told of itself and becomes (0, 2) + (−2, 3); the second of both, and becomes (3, 1) +
    // (0, 1). Inside (0, 1) and (1, 0) are added, which gives (−2, 6) and (4, 2), in the end
    // (−0.5, 2) and (1.5, −2).
    let root = 2.0_f32.sqrt();
    let found = scores(&source, PAST);
    let wanted = [1.5 * root, 0.25 - 2.0 * root, -1.0];
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-3, "{found} and {wanted}");
    }
    let why = source.why(PAST, 1);
    assert_eq!(why.base, 0.25);
    let wanted = [(1, 2.0 * root), (3, -4.0 * root)];
    for ((place, by), (at, wanted)) in why.events.iter().zip(wanted) {
        assert!(*place == at && (by - wanted).abs() < 1e-3, "{why:?}");
    }
    let nobody = History {
        items: &[],
        weights: &[],
    };
    assert_eq!(scores(&source, nobody), [0.0, 0.25, -1.0]);
    assert!(!source.learns_items());
}

#[test]
fn networks_whose_parts_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.recommender");
    let refused = |source: Source| {
        let saved = Recommender {
            learner: "some".to_owned(),
            parameters: "{}".to_owned(),
            items: (0..source.n_items())
                .map(|at| Arc::from(at.to_string()))
                .collect(),
            source,
            seed: 0,
            events: 1,
        };
        saved.save(&path).unwrap();
        Recommender::load(&path).unwrap_err().to_string()
    };
    let broken = |change: &dyn Fn(&mut NeuralCollaborative)| {
        let mut network = network();
        change(&mut network);
        refused(Source::NeuralCollaborative(network))
    };
    let lines = broken(&|network| network.first.truncate(4));
    assert!(lines.contains("one line of each kind an item"), "{lines}");
    let wide = broken(&|network| network.width = 1);
    assert!(wide.contains("not as wide as a past"), "{wide}");
    let number = broken(&|network| network.product[1] = f32::NAN);
    assert!(number.contains("cannot hold NaN"), "{number}");
    let last = broken(&|network| network.last.layers[0].inputs = 3);
    assert!(last.contains("layer"), "{last}");
    let fading = broken(&|network| network.recency.decay = 0.0);
    assert!(fading.contains("share of 0"), "{fading}");

    let broken = |change: &dyn Fn(&mut SelfAttention)| {
        let mut network = attention();
        change(&mut network);
        refused(Source::SelfAttention(network))
    };
    let heads = broken(&|network| network.blocks[0].heads = 3);
    assert!(heads.contains("3 heads cannot share 2"), "{heads}");
    let layer = broken(&|network| network.blocks[0].key = dense(2, 1, &[0.0; 2], &[0.0]));
    assert!(layer.contains("not as wide as an item"), "{layer}");
    let places = broken(&|network| network.last = 3);
    assert!(places.contains("one vector a place"), "{places}");
    let none = broken(&|network| network.blocks.clear());
    assert!(none.contains("no block"), "{none}");
    let norm = broken(&|network| network.norm.scale[1] = f32::NAN);
    assert!(norm.contains("a norm cannot hold NaN"), "{norm}");
    let number = broken(&|network| network.positions[1] = f32::INFINITY);
    assert!(number.contains("cannot hold inf"), "{number}");

    let user = stack(vec![dense(2, 2, &[0.0; 4], &[0.0; 2])]);
    let short = TwoTower::new(HALVED, user.clone(), None, vec![Some(vec![1.0, 2.0])]);
    let short = refused(Source::TwoTower(short));
    assert!(short.contains("one vector an item"), "{short}");
    let endless = TwoTower::new(
        HALVED,
        user,
        None,
        vec![Some(vec![1.0, f32::INFINITY, 0.0])],
    );
    let endless = refused(Source::TwoTower(endless));
    assert!(endless.contains("cannot hold inf"), "{endless}");
}
