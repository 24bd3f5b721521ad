//! A forest in which what is unusual stands alone after few splits (Liu, Ting and Zhou 2008,
//! "Isolation forest").
//!
//! Each tree parts a few rows by chance until each is alone or the tree is deep enough. Rows that
//! are rare and different end early. With `h` the length of a row's path (a leaf of several rows
//! counts for the splits that would have parted them, section 2) and `c` the usual length,
//!
//! ```text
//! s = 2^(−E[h] / c)      margin = ln(s / (1 − s)) = −ln(2^(E[h] / c) − 1)
//! ```
//!
//! so that the logistic function of the margin gives the anomaly score `s` in (0, 1) back, and an
//! ordinary calibration makes it a probability.

use serde::{Deserialize, Serialize};

mod planes;
mod scorer;
mod straight;

pub use planes::Term;
pub(crate) use planes::is_beneath;
pub(crate) use scorer::IsolationScorer;

/// Trees that isolate, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IsolationForest {
    /// How many columns a row has.
    pub n_features: usize,
    /// How many times its oldest trees were replaced since it was first fitted.
    pub generation: u32,
    /// The trees.
    pub trees: Vec<IsolationTree>,
}

/// One tree: its nodes in the order node, left subtree, right subtree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IsolationTree {
    /// The nodes.
    pub nodes: Vec<IsolationNode>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationNode {
    /// How many of the tree's rows ended here.
    Leaf(u32),
    /// A column and a threshold: a value below goes left, and a missing one where the flag says.
    Below(u32, f32, bool),
    /// A category column and its sorted ordinals that go right, and whether missing goes left.
    Among(u32, Box<[u32]>, bool),
    /// A plane through several columns: what lies on it or beneath goes left.
    Plane(Vec<Term>),
}

/// A forest that is not one: which tree, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("isolation tree {tree}: {problem}")]
pub struct BrokenIsolation {
    /// Which tree, from 0.
    pub tree: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Where a node stands in its tree, and what it says of path lengths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// The children, 0 for a leaf.
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) depth: u32,
    /// Rows of the tree that came here.
    pub(crate) rows: u64,
    /// The mean length of their paths, as a share of the usual length.
    pub(crate) length: f64,
}

impl IsolationForest {
    /// Whether it is what it says; everything else relies on it.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check(&self) -> Result<(), BrokenIsolation> {
        if self.trees.is_empty() {
            let problem = "there are no trees".to_owned();
            return Err(BrokenIsolation { tree: 0, problem });
        }
        for (tree, found) in self.trees.iter().enumerate() {
            let checked = found.places().and_then(|_| {
                let mut nodes = found.nodes.iter();
                nodes.try_for_each(|node| node.check(self.n_features))
            });
            checked.map_err(|problem| BrokenIsolation { tree, problem })?;
        }
        match self
            .trees
            .iter()
            .position(|tree| self.is_oblique() && tree.is_straight())
        {
            Some(tree) => {
                let problem = "it has splits on one column, and others have planes".to_owned();
                Err(BrokenIsolation { tree, problem })
            }
            None => Ok(()),
        }
    }

    /// Whether its splits are planes through several columns.
    pub fn is_oblique(&self) -> bool {
        let mut nodes = self.trees.iter().flat_map(|tree| &tree.nodes);
        nodes.any(|node| matches!(node, IsolationNode::Plane(_)))
    }
}

impl IsolationTree {
    /// Whether it splits, and on one column at a time.
    fn is_straight(&self) -> bool {
        let straight = |node: &IsolationNode| {
            matches!(node, IsolationNode::Below(..) | IsolationNode::Among(..))
        };
        self.nodes.iter().any(straight)
    }

    /// Where every node stands.
    ///
    /// # Errors
    /// Where the nodes are no tree of at least two rows.
    pub(crate) fn places(&self) -> Result<Vec<Place>, String> {
        let mut places = vec![Place::default(); self.nodes.len()];
        // The node behind each split is its left child; right ones wait for the left subtree.
        let mut waiting: Vec<Option<usize>> = vec![None];
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(parent) = waiting.pop() else {
                return Err(format!("node {index} belongs to no split"));
            };
            if let Some(parent) = parent {
                let above = &mut places[parent];
                let child = if above.left == 0 {
                    &mut above.left
                } else {
                    &mut above.right
                };
                *child = index as u32;
                places[index].depth = above.depth + 1;
            }
            if !matches!(node, IsolationNode::Leaf(_)) {
                waiting.extend([Some(index); 2]);
            }
        }
        if !waiting.is_empty() {
            return Err("a split has no children".to_owned());
        }
        self.measure(&mut places);
        match places[0].rows {
            0 | 1 => Err("it was grown on fewer than two rows".to_owned()),
            _ => Ok(places),
        }
    }

    /// Adds up rows and path lengths from the leaves, which stand behind their splits.
    fn measure(&self, places: &mut [Place]) {
        let rows = |node: &IsolationNode| match node {
            IsolationNode::Leaf(rows) => u64::from(*rows),
            _ => 0,
        };
        let usual = usual_length(self.nodes.iter().map(rows).sum());
        for index in (0..places.len()).rev() {
            let at = places[index];
            let (rows, length) = match self.nodes[index] {
                IsolationNode::Leaf(rows) => {
                    let below = usual_length(u64::from(rows));
                    (u64::from(rows), (f64::from(at.depth) + below) / usual)
                }
                _ => {
                    let (left, right) = (places[at.left as usize], places[at.right as usize]);
                    let total = left.rows + right.rows;
                    let sum = left.rows as f64 * left.length + right.rows as f64 * right.length;
                    (total, sum / total.max(1) as f64)
                }
            };
            (places[index].rows, places[index].length) = (rows, length);
        }
    }
}

impl IsolationNode {
    fn check(&self, n_features: usize) -> Result<(), String> {
        let columns: Vec<u32> = match self {
            IsolationNode::Leaf(_) => Vec::new(),
            IsolationNode::Below(column, threshold, _) if threshold.is_finite() => vec![*column],
            IsolationNode::Below(_, threshold, _) => {
                return Err(format!("a threshold is {threshold}"));
            }
            IsolationNode::Among(column, right, _) if right.is_sorted_by(|a, b| a < b) => {
                vec![*column]
            }
            IsolationNode::Among(..) => return Err("its categories are not sorted".to_owned()),
            IsolationNode::Plane(terms) if terms.iter().all(Term::is_finite) => {
                terms.iter().map(|term| term.column).collect()
            }
            IsolationNode::Plane(_) => return Err("a plane is not finite".to_owned()),
        };
        match columns
            .iter()
            .find(|column| **column as usize >= n_features)
        {
            Some(column) => Err(format!(
                "it splits on column {column}, but rows have {n_features} columns"
            )),
            None => Ok(()),
        }
    }
}

/// The usual number of splits that part so many rows: `c(n)` of the paper, the mean length of an
/// unsuccessful search in a binary search tree.
pub(crate) fn usual_length(rows: u64) -> f64 {
    if rows < 2 {
        return 0.0;
    }
    let harmonic: f64 = (1..rows).map(|i| 1.0 / i as f64).sum();
    2.0 * harmonic - 2.0 * (rows - 1) as f64 / rows as f64
}

/// The margin of a mean path length, which is a share of the usual one and above 0.
pub(crate) fn margin_of_length(length: f64) -> f64 {
    -(length * std::f64::consts::LN_2).exp_m1().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_length_is_the_papers() {
        assert_eq!(usual_length(1), 0.0);
        assert_eq!(usual_length(2), 1.0);
        // Its approximation by the logarithm, at the paper's 256 rows.
        let paper = 2.0 * (255.0_f64.ln() + 0.577_215_664_9) - 2.0 * 255.0 / 256.0;
        assert!((usual_length(256) - paper).abs() < 0.005, "{paper}");
    }

    #[test]
    fn the_usual_length_scores_one_half_and_shorter_is_higher() {
        assert!(margin_of_length(1.0).abs() < 1e-12);
        assert!(margin_of_length(0.5) > 0.0 && margin_of_length(1.5) < 0.0);
        for length in [0.05_f64, 0.4, 1.0, 3.0] {
            let score = 2_f64.powf(-length);
            let back = 1.0 / (1.0 + (-margin_of_length(length)).exp());
            assert!((score - back).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        use IsolationNode::{Among, Below, Leaf, Plane};
        let problem = |nodes: Vec<IsolationNode>| {
            let forest = IsolationForest {
                n_features: 2,
                generation: 0,
                trees: vec![IsolationTree { nodes }],
            };
            forest.check().map_err(|broken| broken.problem)
        };
        let below = |column| Below(column, 0.5, true);
        assert_eq!(problem(vec![below(0), Leaf(1), Leaf(4)]), Ok(()));
        for (nodes, said) in [
            (vec![], "no children"),
            (vec![below(0), Leaf(3)], "no children"),
            (vec![Leaf(3), Leaf(3)], "belongs to no split"),
            (vec![Leaf(1)], "fewer than two rows"),
            (vec![below(2), Leaf(1), Leaf(1)], "column 2"),
            (
                vec![Below(0, f32::NAN, true), Leaf(1), Leaf(1)],
                "threshold is NaN",
            ),
            (
                vec![Among(0, [3, 2].into(), true), Leaf(1), Leaf(1)],
                "not sorted",
            ),
            (
                vec![
                    Plane(vec![Term {
                        column: 0,
                        weight: f32::NAN,
                        center: 0.0,
                        salt: None,
                    }]),
                    Leaf(1),
                    Leaf(1),
                ],
                "not finite",
            ),
        ] {
            let found = problem(nodes).unwrap_err();
            assert!(found.contains(said), "{found}");
        }
    }
}
