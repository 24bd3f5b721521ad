//! How trees lie in memory, and how they are put there.

use super::{CompiledForest, SLOT_LEFT};
use crate::forest::Tree;

/// Trees that are walked in lockstep.
pub(super) const LANES: usize = 8;
/// Deeper trees are not padded to complete ones: 256 nodes are 2 KB a tree.
pub(super) const DEPTH_PADDED_MAX: usize = 8;

/// One split in eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedNode {
    /// Which slot of the row is compared; the high bit marks a category split.
    pub(super) slot: u32,
    /// A slot of at least this goes right; of a category split, which set.
    pub(super) key: i32,
}

/// A node of a deep tree; the right child follows the left one, and 0 marks a leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeepNode {
    pub(super) split: PackedNode,
    pub(super) left: u32,
    pub(super) value: f32,
}

/// Up to [`LANES`] consecutive trees.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The depth that they are padded to, 0 for deep trees.
    pub(super) depth: usize,
    /// How many trees it holds.
    pub(super) trees: usize,
    /// Where its nodes and leaves start, or its deep roots.
    pub(super) first: usize,
}

const GOES_LEFT: PackedNode = PackedNode {
    slot: SLOT_LEFT,
    key: i32::MAX,
};

impl CompiledForest {
    /// Lays trees out as complete binary trees: node 1 is the root, the children of `i` are
    /// `2i` and `2i + 1`, and after `depth` steps `i − 2^depth` is the leaf.
    pub(super) fn push_padded(&mut self, trees: &[Tree], depth: usize) {
        let size = 1 << depth;
        let first = self.nodes.len();
        self.nodes.resize(first + size * LANES, GOES_LEFT);
        self.leaves.resize(first + size * LANES, 0.0);
        for (lane, tree) in trees.iter().enumerate() {
            let start = first + lane * size;
            let mut open = vec![(0_usize, 1_usize)];
            while let Some((index, at)) = open.pop() {
                let node = &tree.nodes[index];
                if at >= size {
                    self.leaves[start + at - size] = node.value;
                } else if node.is_leaf() {
                    // What goes left at every padding node ends at the leftmost leaf below.
                    open.push((index, 2 * at));
                } else {
                    self.nodes[start + at] = self.pack(node);
                    open.push((node.left as usize, 2 * at));
                    open.push((node.right as usize, 2 * at + 1));
                }
            }
        }
        self.blocks.push(Block {
            depth,
            trees: trees.len(),
            first,
        });
    }

    /// Lays trees out node by node, siblings side by side, the roots first.
    pub(super) fn push_deep(&mut self, trees: &[Tree]) {
        let first = self.deep.len();
        let empty = DeepNode {
            split: GOES_LEFT,
            left: 0,
            value: 0.0,
        };
        self.deep.resize(first + trees.len(), empty);
        for (lane, tree) in trees.iter().enumerate() {
            let mut open = vec![(0_usize, first + lane)];
            while let Some((index, at)) = open.pop() {
                let node = &tree.nodes[index];
                if node.is_leaf() {
                    self.deep[at].value = node.value;
                    continue;
                }
                let left = self.deep.len();
                self.deep.resize(left + 2, empty);
                self.deep[at].split = self.pack(node);
                self.deep[at].left = left as u32;
                open.push((node.left as usize, left));
                open.push((node.right as usize, left + 1));
            }
        }
        self.blocks.push(Block {
            depth: 0,
            trees: trees.len(),
            first,
        });
    }
}
