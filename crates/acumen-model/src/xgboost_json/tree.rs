//! One tree between the arrays of the file and our nodes.

use super::shape::{FileTree, TreeParameters};
use crate::forest::{Node, Tree};

/// The parent of a root.
const NO_PARENT: i32 = i32::MAX;
/// What XGBoost writes as the threshold of a category split; nothing reads it.
const UNUSED_THRESHOLD: f32 = 1e-45;

/// Reads a tree; nodes that pruning left without a parent are dropped.
pub(super) fn read(file: &FileTree) -> Result<Tree, String> {
    let count = file.left_children.len();
    check_lengths(file, count)?;
    let mut categories = category_sets(file, count)?;
    // Breadth first: children come after their parents, and nothing unreachable comes along.
    let mut order = vec![0_usize];
    let mut nodes: Vec<Node> = Vec::with_capacity(count);
    while let Some(index) = order.get(nodes.len()).copied() {
        let mut node = node(file, index, categories[index].take());
        let children = [file.left_children[index], file.right_children[index]];
        if children != [-1, -1] {
            (node.left, node.right) = (order.len() as u32, order.len() as u32 + 1);
            for child in children {
                match usize::try_from(child) {
                    Ok(child) if child < count && order.len() < count => order.push(child),
                    _ => return Err(format!("node {index} cannot have the child {child}")),
                }
            }
        }
        nodes.push(node);
    }
    Ok(Tree { nodes })
}

fn node(file: &FileTree, index: usize, categories: Option<Box<[u32]>>) -> Node {
    let is_leaf = file.left_children[index] == -1;
    let condition = file.split_conditions[index];
    let statistic = |list: &[f32]| list.get(index).copied().unwrap_or(0.0);
    Node {
        feature: if is_leaf {
            0
        } else {
            file.split_indices[index]
        },
        threshold: if is_leaf || categories.is_some() {
            0.0
        } else {
            condition
        },
        categories,
        default_left: file.default_left[index] != 0,
        left: 0,
        right: 0,
        value: if is_leaf { condition } else { 0.0 },
        gain: statistic(&file.loss_changes),
        cover: statistic(&file.sum_hessian),
    }
}

fn check_lengths(file: &FileTree, count: usize) -> Result<(), String> {
    if count == 0 {
        return Err("it has no nodes".into());
    }
    let optional = |length: usize| if length == 0 { count } else { length };
    let lengths = [
        ("right_children", file.right_children.len()),
        ("split_conditions", file.split_conditions.len()),
        ("split_indices", file.split_indices.len()),
        ("default_left", file.default_left.len()),
        ("split_type", optional(file.split_type.len())),
        ("sum_hessian", optional(file.sum_hessian.len())),
        ("loss_changes", optional(file.loss_changes.len())),
    ];
    match lengths.iter().find(|(_, length)| *length != count) {
        None => Ok(()),
        Some((name, length)) => Err(format!(
            "`{name}` has {length} entries, but `left_children` has {count}"
        )),
    }
}

fn category_sets(file: &FileTree, count: usize) -> Result<Vec<Option<Box<[u32]>>>, String> {
    let mut sets = vec![None; count];
    let kinds = file.categories_nodes.len();
    if file.categories_segments.len() != kinds || file.categories_sizes.len() != kinds {
        return Err("`categories_nodes`, `_segments` and `_sizes` differ in length".into());
    }
    for (position, node) in file.categories_nodes.iter().enumerate() {
        let start = file.categories_segments[position];
        let end = start.saturating_add(file.categories_sizes[position]);
        let (Some(set), Some(slot)) = (file.categories.get(start..end), sets.get_mut(*node)) else {
            return Err(format!("the categories of node {node} are not in the file"));
        };
        let mut set = set.to_vec();
        set.sort_unstable();
        set.dedup();
        *slot = Some(set.into_boxed_slice());
    }
    let missing = file
        .split_type
        .iter()
        .zip(&sets)
        .position(|(kind, set)| *kind == 1 && set.is_none());
    match missing {
        None => Ok(sets),
        Some(node) => Err(format!(
            "node {node} splits on categories, but none are listed"
        )),
    }
}

/// Writes a tree.
pub(super) fn write(tree: &Tree, id: usize, n_features: usize) -> FileTree {
    let nodes = &tree.nodes;
    let child = |node: &Node, child: u32| if node.is_leaf() { -1 } else { child as i32 };
    let mut file = FileTree {
        base_weights: mean_values(nodes),
        default_left: nodes.iter().map(|n| u8::from(n.default_left)).collect(),
        id,
        left_children: nodes.iter().map(|n| child(n, n.left)).collect(),
        loss_changes: nodes.iter().map(|n| n.gain).collect(),
        parents: vec![NO_PARENT; nodes.len()],
        right_children: nodes.iter().map(|n| child(n, n.right)).collect(),
        split_conditions: nodes.iter().map(condition).collect(),
        split_indices: nodes.iter().map(|n| n.feature).collect(),
        split_type: nodes
            .iter()
            .map(|n| u8::from(n.categories.is_some()))
            .collect(),
        sum_hessian: nodes.iter().map(|n| n.cover).collect(),
        tree_param: TreeParameters {
            num_deleted: "0".into(),
            num_feature: n_features.to_string(),
            num_nodes: nodes.len().to_string(),
            size_leaf_vector: "1".into(),
        },
        ..FileTree::default()
    };
    for (index, node) in nodes.iter().enumerate() {
        if !node.is_leaf() {
            file.parents[node.left as usize] = index as i32;
            file.parents[node.right as usize] = index as i32;
        }
        if let Some(set) = &node.categories {
            file.categories_nodes.push(index);
            file.categories_segments.push(file.categories.len());
            file.categories_sizes.push(set.len());
            file.categories.extend_from_slice(set);
        }
    }
    file
}

fn condition(node: &Node) -> f32 {
    match node {
        leaf if leaf.is_leaf() => leaf.value,
        split if split.categories.is_some() => UNUSED_THRESHOLD,
        split => split.threshold,
    }
}

/// The mean of the leaves below each node, weighted by cover.
fn mean_values(nodes: &[Node]) -> Vec<f32> {
    let mut means: Vec<f32> = nodes.iter().map(|node| node.value).collect();
    for (index, node) in nodes.iter().enumerate().rev().filter(|(_, n)| !n.is_leaf()) {
        let (left, right) = (node.left as usize, node.right as usize);
        let (a, b) = (nodes[left].cover, nodes[right].cover);
        let share = if a + b > 0.0 { a / (a + b) } else { 0.5 };
        means[index] = share * means[left] + (1.0 - share) * means[right];
    }
    means
}
