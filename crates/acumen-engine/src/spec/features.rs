//! Declared features. What an operator makes of its keys is `acumen-feature`'s to check.

use acumen_base::Span;

use super::tree::{Key, Node};
use super::types::FeatureDecl;
use super::walk::Walk;

/// The operator of a feature that only names aggregations.
const AGGREGATIONS_OPERATOR: &str = "aggregate";
/// The operator of a feature that is an expression.
const EXPRESSION_OPERATOR: &str = "derived";

/// Reads `features`; `prefix` stands before each name (`customer.` in the catalogue).
pub(super) fn features(walk: &mut Walk, prefix: &str, node: &Node) -> Vec<FeatureDecl> {
    walk.each(node, |walk, key, value| feature(walk, prefix, key, value))
}

fn feature(walk: &mut Walk, prefix: &str, key: &Key, node: &Node) -> Option<FeatureDecl> {
    let mut group = walk.group(node, format!("feature `{}`", key.text))?;
    let operator = group.get("operator");
    let of = group.get("of");
    let by = group.get("by");
    let window = group.get("window");
    let aggregations = group.get("aggregations");
    let rest: Vec<&(Key, Node)> = group.rest().collect();

    let is_expression = rest.iter().any(|(key, _)| key.text == "cel");
    let operator = match operator {
        Some(node) => walk.text(node)?,
        None if is_expression => EXPRESSION_OPERATOR.to_owned(),
        None if aggregations.is_some() => AGGREGATIONS_OPERATOR.to_owned(),
        None => {
            let message = format!("feature `{}` has no `operator`", key.text);
            let help = "add `operator: …`, or `aggregations: […]`, or `cel: \"…\"`";
            walk.problem_at_key(key, "missing_key", message, help);
            return None;
        }
    };
    let windows = window.map(|node| windows(walk, node)).unwrap_or_default();
    let params = rest.into_iter();
    Some(FeatureDecl {
        name: format!("{prefix}{}", key.text),
        operator,
        of: of.and_then(|node| walk.text(node)),
        by: by.map(|node| walk.texts(node)).unwrap_or_default(),
        windows,
        aggregations: aggregations
            .map(|node| walk.texts(node))
            .unwrap_or_default(),
        params: params
            .map(|(key, value)| (key.text.clone(), walk.json(value)))
            .collect(),
    })
}

fn windows(walk: &mut Walk, node: &Node) -> Vec<Span> {
    let mut windows: Vec<Span> = Vec::new();
    for item in walk.items(node) {
        let Some(window) = walk.span(item) else {
            continue;
        };
        if window <= Span::ZERO {
            walk.problem(
                item,
                "empty_window",
                "a window of no length is empty",
                "write `1m` or more",
            );
        } else if windows.contains(&window) {
            let message = format!("the window {window} stands here a second time");
            walk.problem(item, "duplicate_window", message, "keep one of the two");
        } else {
            windows.push(window);
        }
    }
    windows
}
