//! Forests and rows by chance, for property tests.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, Time};
use proptest::prelude::*;

use crate::artifact::{Artifact, ColumnImportance, FORMAT, TrainingWindow};
use crate::calibration::Calibration;
use crate::data::Matrix;
use crate::encoding::Encoding;
use crate::fitted::FittedModel;
use crate::forest::{Forest, Node, Objective, Tree};
use crate::metrics::{BinaryMetrics, Metrics};
use crate::split::{Period, Split};

/// Columns of a sampled forest: two numbers and a category of ordinals 0 to 69.
pub(crate) const COLUMNS: usize = 3;

pub(crate) fn columns() -> Columns {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        unit: String::new(),
        help: String::new(),
    };
    let list = vec![
        column("amount", ColumnKind::Number),
        column("count", ColumnKind::Number),
        column("channel", ColumnKind::Category),
    ];
    Columns::new(list, "a sample")
}

pub(crate) fn leaf(value: f32, cover: f32) -> Node {
    Node {
        feature: 0,
        threshold: 0.0,
        categories: None,
        default_left: false,
        left: 0,
        right: 0,
        value,
        gain: 0.0,
        cover,
    }
}

/// One split on the first column at 0.5.
pub(crate) fn stump() -> Forest {
    let root = Node {
        threshold: 0.5,
        left: 1,
        right: 2,
        gain: 1.0,
        ..leaf(0.0, 10.0)
    };
    Forest {
        objective: Objective::BinaryLogistic,
        base_score: 0.25,
        n_features: COLUMNS,
        trees: vec![Tree {
            nodes: vec![root, leaf(-1.0, 6.0), leaf(2.0, 4.0)],
        }],
    }
}

pub(crate) fn matrix_of(rows: &[Vec<f32>]) -> Matrix {
    Matrix {
        columns: Arc::new(columns()),
        n_rows: rows.len(),
        data: (0..COLUMNS)
            .map(|column| rows.iter().map(|row| row[column]).collect())
            .collect(),
    }
}

/// A forest whose trees are up to `depth` deep, and rows that hit its thresholds.
pub(crate) fn forest_and_rows(depth: usize) -> impl Strategy<Value = (Forest, Vec<Vec<f32>>)> {
    let tree = prop::collection::vec(split(), 0..24).prop_map(move |splits| grow(splits, depth));
    let forest =
        (prop::collection::vec(tree, 0..20), 0.01_f64..0.99).prop_map(|(trees, base)| Forest {
            objective: Objective::BinaryLogistic,
            base_score: base,
            n_features: COLUMNS,
            trees,
        });
    (forest, prop::collection::vec(row(), 1..12))
}

#[derive(Clone, Debug)]
struct Growth {
    pick: usize,
    node: Node,
    values: (f32, f32),
    share: f32,
}

fn threshold() -> impl Strategy<Value = f32> {
    prop_oneof![(-4_i8..5).prop_map(f32::from), -5.0_f32..5.0]
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => (-4_i8..5).prop_map(f32::from),
        1 => prop::sample::select(vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY]),
        1 => -5.0_f32..5.0,
    ]
}

pub(crate) fn row() -> impl Strategy<Value = Vec<f32>> {
    let missing = |values: BoxedStrategy<f32>| prop_oneof![4 => values, 1 => Just(f32::NAN)];
    let ordinal = prop_oneof![
        8 => (0_u8..70).prop_map(f32::from),
        1 => prop::sample::select(vec![-1.0, 500.0, 2.0e9]),
    ];
    (
        missing(number().boxed()),
        missing(number().boxed()),
        missing(ordinal.boxed()),
    )
        .prop_map(|(a, b, c)| vec![a, b, c])
}

fn split() -> impl Strategy<Value = Growth> {
    let categories = prop::collection::btree_set(0_u32..70, 1..6);
    (
        (any::<prop::sample::Index>(), 0..COLUMNS as u32, threshold()),
        (categories, any::<bool>(), 0.05_f32..0.95),
        (-1.0_f32..1.0, -1.0_f32..1.0),
    )
        .prop_map(
            |((pick, feature, threshold), (set, default_left, share), values)| Growth {
                pick: pick.index(1_000),
                node: Node {
                    feature,
                    threshold: if feature == 2 { 0.0 } else { threshold },
                    categories: (feature == 2).then(|| set.into_iter().collect()),
                    default_left,
                    gain: 0.5,
                    ..leaf(0.0, 0.0)
                },
                values,
                share,
            },
        )
}

/// Splits a leaf again and again.
fn grow(splits: Vec<Growth>, depth_max: usize) -> Tree {
    let mut nodes = vec![leaf(0.1, 100.0)];
    let mut depth = vec![0];
    for split in splits {
        let open: Vec<usize> = (0..nodes.len())
            .filter(|i| nodes[*i].is_leaf() && depth[*i] < depth_max)
            .collect();
        if open.is_empty() {
            break;
        }
        let at = open[split.pick % open.len()];
        let (cover, left) = (nodes[at].cover, nodes.len() as u32);
        nodes[at] = Node {
            left,
            right: left + 1,
            cover,
            ..split.node
        };
        nodes.push(leaf(split.values.0, cover * split.share));
        nodes.push(leaf(split.values.1, cover - cover * split.share));
        depth.extend([depth[at] + 1; 2]);
    }
    Tree { nodes }
}

/// An artifact around a forest.
pub(crate) fn artifact_of(forest: Forest) -> Artifact {
    artifact_of_model(FittedModel::Forest(forest))
}

/// An artifact around a model.
pub(crate) fn artifact_of_model(model: FittedModel) -> Artifact {
    let period = |from, to| Period {
        from: Time(from),
        to: Time(to),
    };
    let columns = columns();
    Artifact {
        format: FORMAT,
        use_case: "orders".into(),
        member: "boosted".into(),
        learner: "xgboost".into(),
        parameters: serde_json::json!({"max_depth": 1}),
        encoding: Encoding::of(&columns, &[vec![], vec![], vec![5.0, 9.0]]),
        columns,
        model,
        calibration: Calibration::Logistic,
        intervals: None,
        test_metrics: Metrics::Binary(BinaryMetrics::of(&[0.1, 0.9], &[0.0, 1.0])),
        window: TrainingWindow {
            from: Time(0),
            to: Time(5),
            rows: 10,
            positives: 4,
            stands_for: None,
        },
        split: Split {
            train: period(0, 6),
            validation: period(6, 7),
            calibration: period(7, 8),
            test: period(8, 10),
        },
        importances: vec![ColumnImportance {
            column: "amount".into(),
            total_gain: 1.0,
        }],
        quantiles: Vec::new(),
        seed: 7,
        code: "0.1.0".into(),
        continues: None,
        refit_of: None,
        search: None,
        purchases: None,
        candidates: None,
    }
}
