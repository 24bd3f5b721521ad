//! What an explanation needs of a tree and does not depend on the row.

use super::{LANES, Lanes};
use crate::forest::{Node, Tree};

#[derive(Clone, Debug)]
pub(super) struct ExplainedTree {
    pub(super) splits: Vec<Split>,
    /// Quadrature nodes and weights on (0, 1), `LANES` at a time.
    pub(super) passes: Vec<(Lanes, Lanes)>,
    /// The mean value of the rows that the tree was trained on.
    pub(super) expected: f64,
}

/// A node, and the shares of cover along its path.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) node: Node,
    /// How many splits lie above.
    pub(super) depth: usize,
    /// The depth of the nearest split above on the same column.
    pub(super) ancestor: Option<usize>,
    /// The share of cover that the splits above on the same column let through.
    pub(super) share_above: f64,
    /// The same with this split, to the left and to the right.
    pub(super) share: [f64; 2],
}

/// A split above, as the splits below see it.
#[derive(Clone, Copy)]
struct Step {
    feature: u32,
    share: f64,
}

impl ExplainedTree {
    pub(super) fn new(tree: &Tree) -> ExplainedTree {
        let mut explained = ExplainedTree {
            splits: tree.nodes.iter().map(Split::alone).collect(),
            passes: Vec::new(),
            expected: 0.0,
        };
        let mut columns = 0;
        // Depth first; a path is cut back to the depth of the node that is visited next.
        let mut path: Vec<Step> = Vec::new();
        let mut open = vec![(0_usize, 0_usize, None, 1.0_f64)];
        while let Some((index, depth, step, reached)) = open.pop() {
            path.truncate(depth.saturating_sub(1));
            path.extend(step);
            let node = &tree.nodes[index];
            if node.is_leaf() {
                columns = columns.max(distinct_columns(&path));
                explained.expected += reached * f64::from(node.value);
                continue;
            }
            let ancestor = path.iter().rposition(|step| step.feature == node.feature);
            let share_above = ancestor.map_or(1.0, |depth| path[depth].share);
            let ratio = cover_ratio(tree, node);
            let share = ratio.map(|ratio| ratio * share_above);
            explained.splits[index] = Split {
                node: node.clone(),
                depth,
                ancestor,
                share_above,
                share,
            };
            for (side, child) in [node.left, node.right].into_iter().enumerate() {
                let step = Step {
                    feature: node.feature,
                    share: share[side],
                };
                open.push((child as usize, depth + 1, Some(step), reached * ratio[side]));
            }
        }
        if columns > 0 {
            // A polynomial of degree `columns − 1` needs half as many nodes.
            let count = columns.div_ceil(2).next_multiple_of(LANES);
            let (at, weights) = gauss_legendre(count);
            let lanes = |list: &[f64]| std::array::from_fn(|lane| list[lane]);
            let passes = at.chunks(LANES).zip(weights.chunks(LANES));
            explained.passes = passes
                .map(|(at, weights)| (lanes(at), lanes(weights)))
                .collect();
        }
        explained
    }
}

impl Split {
    fn alone(node: &Node) -> Split {
        Split {
            node: node.clone(),
            depth: 0,
            ancestor: None,
            share_above: 1.0,
            share: [0.0; 2],
        }
    }
}

/// The shares of the rows that go left and right; halves where no row came.
fn cover_ratio(tree: &Tree, node: &Node) -> [f64; 2] {
    let cover = [node.left, node.right].map(|child| f64::from(tree.nodes[child as usize].cover));
    let sum = cover[0] + cover[1];
    if sum > 0.0 {
        cover.map(|cover| cover / sum)
    } else {
        [0.5; 2]
    }
}

fn distinct_columns(path: &[Step]) -> usize {
    let mut features: Vec<u32> = path.iter().map(|step| step.feature).collect();
    features.sort_unstable();
    features.dedup();
    features.len()
}

/// Nodes and weights of Gauss–Legendre quadrature on (0, 1), by Newton's method on the Legendre
/// polynomial; exact for polynomials of degree below `2 · count`.
fn gauss_legendre(count: usize) -> (Vec<f64>, Vec<f64>) {
    let n = count as f64;
    let node = |index: usize| {
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..50 {
            let (value, derivative) = legendre(count, x);
            slope = derivative;
            let step = value / derivative;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        ((x + 1.0) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).unzip()
}

/// The Legendre polynomial of a degree and its derivative, by the three-term recurrence.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=degree {
        let k = k as f64;
        (before, value) = (
            value,
            ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k,
        );
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrature_is_exact_below_twice_its_nodes() {
        for count in [4, 8, 12, 32] {
            let (at, weights) = gauss_legendre(count);
            for power in 0..2 * count {
                let pairs = at.iter().zip(&weights);
                let sum: f64 = pairs.map(|(x, w)| w * x.powi(power as i32)).sum();
                assert!(
                    (sum - 1.0 / (power as f64 + 1.0)).abs() < 1e-13,
                    "{count} {power}"
                );
            }
        }
    }
}
