//! A forest of boosted trees as it is trained, exchanged and explained.

use serde::{Deserialize, Serialize};

/// What the margin means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// `binary:logistic`: the probability is the logistic function of the margin.
    #[serde(rename = "binary:logistic")]
    BinaryLogistic,
    /// `reg:squarederror`: the margin is the value.
    #[serde(rename = "reg:squarederror")]
    SquaredError,
}

/// One node; a leaf has `left == 0` (the root is nobody's child).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The column that it splits on.
    pub feature: u32,
    /// A value below it goes left (`value < threshold`).
    pub threshold: f32,
    /// For a category column: the sorted ordinals that go right (XGBoost's convention).
    pub categories: Option<Box<[u32]>>,
    /// Where a missing value goes.
    pub default_left: bool,
    /// The left child, 0 for a leaf.
    pub left: u32,
    /// The right child, 0 for a leaf.
    pub right: u32,
    /// What a leaf adds to the margin (already shrunk by the learning rate).
    pub value: f32,
    /// By how much the split lowered the loss.
    pub gain: f32,
    /// The sum of the second derivatives of the rows that reached the node.
    pub cover: f32,
}

/// One tree; node 0 is the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// Trees whose leaves add up to a margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    /// What the margin means.
    pub objective: Objective,
    /// The global bias as a probability or value, as XGBoost defines it.
    pub base_score: f64,
    /// How many columns a row has.
    pub n_features: usize,
    /// The trees.
    pub trees: Vec<Tree>,
}

impl Node {
    /// Whether it is a leaf.
    pub fn is_leaf(&self) -> bool {
        self.left == 0
    }
}
