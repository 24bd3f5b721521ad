//! A forest of boosted trees as it is trained, exchanged and explained.

use serde::{Deserialize, Serialize};

/// What the margin means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Objective {
    /// `binary:logistic`: the probability is the logistic function of the margin.
    #[serde(rename = "binary:logistic")]
    BinaryLogistic,
    /// `reg:squarederror`: the margin is the value.
    #[serde(rename = "reg:squarederror")]
    SquaredError,
    /// `reg:tweedie`: the margin is the logarithm of the value, which is 0 or above and whose
    /// variance is its mean to a power.
    #[serde(rename = "reg:tweedie")]
    Tweedie {
        /// The power, between 1 (Poisson) and 2 (gamma).
        variance_power: f32,
    },
    /// `reg:gamma`: the margin is the logarithm of the value, which is above 0.
    #[serde(rename = "reg:gamma")]
    Gamma,
    /// The margin is the logarithm of the value, which is 0 or above: of a model that has no
    /// objective of XGBoost.
    #[serde(rename = "log value")]
    LogValue,
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

/// A forest that is not one: which tree and node, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tree {tree}, node {node}: {problem}")]
pub struct BrokenForest {
    /// Which tree, from 0.
    pub tree: usize,
    /// Which of its nodes, from 0.
    pub node: usize,
    /// What is wrong there.
    pub problem: String,
}

/// Ordinals from here on are not categories, as in XGBoost: every set sends them left.
pub const CATEGORY_ORDINAL_MAX: f32 = 16_777_216.0;

impl Node {
    /// Whether it is a leaf.
    pub fn is_leaf(&self) -> bool {
        self.left == 0
    }

    /// Whether a value goes left; the reference that every faster evaluation must agree with.
    pub fn goes_left(&self, value: f32) -> bool {
        match &self.categories {
            _ if value.is_nan() => self.default_left,
            None => value < self.threshold,
            Some(_) if !(0.0..CATEGORY_ORDINAL_MAX).contains(&value) => true,
            Some(right) => right.binary_search(&(value as u32)).is_err(),
        }
    }
}

impl Tree {
    /// What the tree adds to the margin of a row.
    pub fn value(&self, row: &[f32]) -> f32 {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let left = node.goes_left(row[node.feature as usize]);
            node = &self.nodes[if left { node.left } else { node.right } as usize];
        }
        node.value
    }

    /// How many splits lie on the longest path.
    pub fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut open = vec![(0_usize, 0_usize)];
        while let Some((index, depth)) = open.pop() {
            let node = &self.nodes[index];
            deepest = deepest.max(depth);
            if !node.is_leaf() {
                open.push((node.left as usize, depth + 1));
                open.push((node.right as usize, depth + 1));
            }
        }
        deepest
    }
}

impl Objective {
    /// A margin as a probability or a value.
    pub fn transform(self, margin: f32) -> f64 {
        match self {
            Objective::BinaryLogistic => 1.0 / (1.0 + (-f64::from(margin)).exp()),
            Objective::SquaredError => f64::from(margin),
            Objective::Tweedie { .. } | Objective::Gamma | Objective::LogValue => {
                f64::from(margin).exp()
            }
        }
    }

    /// Whether it predicts a probability.
    pub fn is_binary(self) -> bool {
        self == Objective::BinaryLogistic
    }

    /// The name in XGBoost's parameters and in ours.
    pub fn name(self) -> &'static str {
        match self {
            Objective::BinaryLogistic => "binary:logistic",
            Objective::SquaredError => "reg:squarederror",
            Objective::Tweedie { .. } => "reg:tweedie",
            Objective::Gamma => "reg:gamma",
            Objective::LogValue => "log value",
        }
    }
}

impl Forest {
    /// The margin of an empty forest, in `f32` as XGBoost computes it.
    pub fn base_margin(&self) -> f32 {
        let base = self.base_score as f32;
        match self.objective {
            Objective::BinaryLogistic => -(1.0 / base - 1.0).ln(),
            Objective::SquaredError => base,
            Objective::Tweedie { .. } | Objective::Gamma | Objective::LogValue => base.ln(),
        }
    }

    /// Whether every tree is a tree over columns that exist; everything else relies on it.
    pub fn check(&self) -> Result<(), BrokenForest> {
        let base_is_valid = match self.objective {
            Objective::BinaryLogistic => self.base_score > 0.0 && self.base_score < 1.0,
            Objective::SquaredError => self.base_score.is_finite(),
            Objective::Tweedie { .. } | Objective::Gamma | Objective::LogValue => {
                self.base_score.is_finite() && self.base_score > 0.0
            }
        };
        if !base_is_valid {
            let problem = format!(
                "a base score of {} is not possible for {}",
                self.base_score,
                self.objective.name()
            );
            return Err(BrokenForest {
                tree: 0,
                node: 0,
                problem,
            });
        }
        for (tree, Tree { nodes }) in self.trees.iter().enumerate() {
            if nodes.is_empty() {
                let problem = "the tree has no nodes".into();
                return Err(BrokenForest {
                    tree,
                    node: 0,
                    problem,
                });
            }
            let mut is_child = vec![false; nodes.len()];
            for (node, at) in nodes.iter().enumerate() {
                self.check_node(at, node, &mut is_child)
                    .map_err(|problem| BrokenForest {
                        tree,
                        node,
                        problem,
                    })?;
            }
        }
        Ok(())
    }

    fn check_node(&self, node: &Node, index: usize, is_child: &mut [bool]) -> Result<(), String> {
        if node.is_leaf() {
            return match node.value.is_finite() {
                true => Ok(()),
                false => Err(format!("a leaf cannot hold {}", node.value)),
            };
        }
        if node.feature as usize >= self.n_features {
            return Err(format!(
                "it splits on column {}, but rows have {} columns",
                node.feature, self.n_features
            ));
        }
        if !node.threshold.is_finite() {
            return Err(format!("its threshold is {}", node.threshold));
        }
        if let Some(right) = &node.categories
            && !right.is_sorted_by(|a, b| a < b)
        {
            return Err("its categories are not sorted".into());
        }
        for child in [node.left, node.right] {
            // Children after their parent, each the child of one: that makes it a tree.
            match is_child.get_mut(child as usize) {
                Some(seen) if child as usize > index && !*seen => *seen = true,
                _ => return Err(format!("{child} cannot be its child")),
            }
        }
        Ok(())
    }
}
