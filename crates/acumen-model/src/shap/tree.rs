//! What an explanation needs of a tree and does not depend on the row.

use super::{FEW_LANES, LANES, Pass};
use crate::forest::{Node, Tree};
use crate::quadrature::gauss_legendre;

#[derive(Clone, Debug)]
pub(super) struct ExplainedTree {
    /// The root comes first, and subtrees lie together; no split is a tree of one leaf.
    pub(super) splits: Vec<Split>,
    pub(super) passes: Passes,
    /// The mean value of the rows that the tree was trained on.
    pub(super) expected: f64,
}

/// Quadrature nodes and weights on (0, 1).
#[derive(Clone, Debug)]
pub(super) enum Passes {
    /// All in one pass.
    Few(Pass<FEW_LANES>),
    /// `LANES` at a time.
    Many(Vec<Pass<LANES>>),
}

/// A node that splits, and the shares of cover along its path.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) node: Node,
    /// What lies to the left and to the right.
    pub(super) branches: [Branch; 2],
    /// How many splits lie above.
    pub(super) depth: u32,
    /// The depth of the nearest split above on the same column.
    pub(super) ancestor: Option<u32>,
    /// The share of cover that the splits above on the same column let through.
    pub(super) share_above: f64,
    /// The same with this split, to the left and to the right.
    pub(super) share: [f64; 2],
}

/// What lies below a split.
#[derive(Clone, Copy, Debug)]
pub(super) enum Branch {
    Leaf(f64),
    Split(u32),
}

/// A split above, as the splits below see it.
#[derive(Clone, Copy)]
struct Step {
    feature: u32,
    share: f64,
}

/// A node that is still to be visited.
struct Open {
    node: u32,
    /// How it was reached, with the split above and the side of it.
    from: Option<(Step, usize, usize)>,
    depth: usize,
    /// The share of all rows that come here.
    reached: f64,
}

impl ExplainedTree {
    pub(super) fn new(tree: &Tree) -> ExplainedTree {
        let mut explained = ExplainedTree {
            splits: Vec::new(),
            passes: Passes::Many(Vec::new()),
            expected: 0.0,
        };
        let mut columns = 0;
        // Depth first; a path is cut back to the depth of the node that is visited next.
        let mut path: Vec<Step> = Vec::new();
        let mut stack = vec![Open {
            node: 0,
            from: None,
            depth: 0,
            reached: 1.0,
        }];
        while let Some(open) = stack.pop() {
            path.truncate(open.depth.saturating_sub(1));
            path.extend(open.from.map(|(step, ..)| step));
            let node = &tree.nodes[open.node as usize];
            let value = f64::from(node.value);
            let index = explained.splits.len();
            if let Some((_, above, side)) = open.from {
                explained.splits[above].branches[side] = match node.is_leaf() {
                    true => Branch::Leaf(value),
                    false => Branch::Split(index as u32),
                };
            }
            if node.is_leaf() {
                columns = columns.max(distinct_columns(&path));
                explained.expected += open.reached * value;
                continue;
            }
            let ratio = cover_ratio(tree, node);
            let split = Split::new(node, &path, ratio);
            for (side, child) in [node.left, node.right].into_iter().enumerate() {
                let step = Step {
                    feature: node.feature,
                    share: split.share[side],
                };
                stack.push(Open {
                    node: child,
                    from: Some((step, index, side)),
                    depth: open.depth + 1,
                    reached: open.reached * ratio[side],
                });
            }
            explained.splits.push(split);
        }
        explained.passes = passes(columns);
        explained
    }
}

impl Split {
    fn new(node: &Node, path: &[Step], ratio: [f64; 2]) -> Split {
        let ancestor = path.iter().rposition(|step| step.feature == node.feature);
        let share_above = ancestor.map_or(1.0, |depth| path[depth].share);
        Split {
            node: node.clone(),
            branches: [Branch::Leaf(0.0); 2], // until they are visited
            depth: path.len() as u32,
            ancestor: ancestor.map(|depth| depth as u32),
            share_above,
            share: ratio.map(|ratio| ratio * share_above),
        }
    }
}

/// The quadrature of a polynomial of degree `columns − 1`: half as many nodes.
fn passes(columns: usize) -> Passes {
    let nodes = columns.div_ceil(2);
    if nodes <= FEW_LANES {
        let (at, weights) = gauss_legendre(FEW_LANES);
        return Passes::Few((lanes(&at), lanes(&weights)));
    }
    let (at, weights) = gauss_legendre(nodes.next_multiple_of(LANES));
    let chunks = at.chunks(LANES).zip(weights.chunks(LANES));
    let chunks = chunks.map(|(at, weights)| (lanes(at), lanes(weights)));
    Passes::Many(chunks.collect())
}

fn lanes<const N: usize>(list: &[f64]) -> [f64; N] {
    std::array::from_fn(|lane| list[lane])
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
