//! What explanations may say, and what a person can change.

use super::tree::Node;
use super::types::ExplainDecl;
use super::walk::Walk;

/// Reads `explain`: `{actionable: […], says: {…}}`.
pub(super) fn explain(walk: &mut Walk, node: &Node) -> ExplainDecl {
    let Some(mut group) = walk.group(node, "`explain`") else {
        return ExplainDecl::default();
    };
    let actionable = group.get("actionable");
    let says = group.get("says");
    group.finish(walk);
    ExplainDecl {
        actionable: actionable.map(|node| walk.texts(node)).unwrap_or_default(),
        says: says.map(|node| sentences(walk, node)).unwrap_or_default(),
    }
}

/// Names of features or columns, which may hold dots, each with its sentence.
fn sentences(walk: &mut Walk, node: &Node) -> Vec<(String, String)> {
    let mut read = Vec::new();
    for (key, value) in walk.entries(node) {
        if let Some(text) = walk.text(value) {
            read.push((key.text.clone(), text));
        }
    }
    read
}
