//! Isolation trees that split on one column at a time, as trees whose leaves add up: they share
//! the fast layout and the exact Shapley values of boosted trees.

use super::{IsolationForest, IsolationNode, IsolationTree};
use crate::forest::{Forest, Node, Objective, Tree};

impl IsolationForest {
    /// The forest whose margin is the sum of the path lengths, each a share of the usual one.
    ///
    /// # Panics
    /// If it does not pass [`IsolationForest::check`], or has planes.
    pub(crate) fn lengths(&self) -> Forest {
        Forest {
            objective: Objective::SquaredError,
            base_score: 0.0,
            n_features: self.n_features,
            trees: self.trees.iter().map(lengths).collect(),
        }
    }
}

fn lengths(tree: &IsolationTree) -> Tree {
    let places = tree.places().expect("a checked tree");
    let node = |(node, place): (&IsolationNode, &super::Place)| {
        let (feature, threshold, categories, default_left) = match node {
            IsolationNode::Leaf(_) => (0, 0.0, None, false),
            IsolationNode::Below(column, threshold, left) => (*column, *threshold, None, *left),
            IsolationNode::Among(column, right, left) => (*column, 0.0, Some(right.clone()), *left),
            IsolationNode::Plane(_) => panic!("a plane has no column of its own"),
        };
        Node {
            feature,
            threshold,
            categories,
            default_left,
            left: place.left,
            right: place.right,
            value: place.length as f32,
            gain: 0.0,
            cover: place.rows as f32,
        }
    };
    Tree {
        nodes: tree.nodes.iter().zip(&places).map(node).collect(),
    }
}
