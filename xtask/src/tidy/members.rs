//! Dependency direction: a crate depends only on members above it, a stage only on the nouns, and
//! what trains networks on the models besides.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Tree;
use crate::command::output;

/// Crates between the nouns and the engine, which know nothing of each other.
const STAGES: [&str; 6] = [
    "acumen-event",
    "acumen-feature",
    "acumen-model",
    "acumen-decision",
    "acumen-value",
    "acumen-table",
];

/// What trains networks: it gives models, and may know what they are.
const DEEP: &str = "acumen-deep";

/// What a stage may depend on.
const NOUNS: [&str; 2] = ["acumen-base", "acumen-expr"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let metadata = match output(
        "cargo",
        &[
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ],
    ) {
        Ok(text) => text,
        Err(error) => return vec![error],
    };
    let metadata: Value = match serde_json::from_str(&metadata) {
        Ok(value) => value,
        Err(error) => return vec![format!("cargo metadata is not JSON: {error}")],
    };
    let order = declared_order(tree);
    let place: BTreeMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(i, n)| (n.as_str(), i))
        .collect();
    let mut breaches = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        breaches.extend(direction(name, package, &place));
        let manifest = order.iter().find(|n| *n == name).map(|n| manifest_path(n));
        let manifest = manifest.and_then(|path| tree.text(&path));
        if manifest.is_some_and(|text| !text.contains("[lints]\nworkspace = true")) {
            breaches.push(format!(
                "{name}: its Cargo.toml lacks `[lints] workspace = true`"
            ));
        }
        let listed = tree
            .text("ARCHITECTURE.md")
            .is_some_and(|t| t.contains(&format!("`{name}`")));
        if !listed && name != "xtask" {
            breaches.push(format!("{name}: ARCHITECTURE.md does not say what it is"));
        }
    }
    breaches
}

fn direction(name: &str, package: &Value, place: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut breaches = Vec::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let on = dependency["name"].as_str().unwrap_or_default();
        let (Some(mine), Some(theirs)) = (place.get(name), place.get(on)) else {
            continue;
        };
        if theirs >= mine {
            breaches.push(format!(
                "{name} depends on {on}, which stands below it in `members`"
            ));
        }
        if STAGES.contains(&name) && !NOUNS.contains(&on) {
            breaches.push(format!("{name} is a stage and may not depend on {on}"));
        }
        if name == DEEP && on != "acumen-model" && !NOUNS.contains(&on) {
            breaches.push(format!(
                "{name} may depend on acumen-model and the nouns, not on {on}"
            ));
        }
    }
    breaches
}

fn manifest_path(name: &str) -> String {
    if name == "xtask" {
        "xtask/Cargo.toml".into()
    } else {
        format!("crates/{name}/Cargo.toml")
    }
}

/// The members in the order of the root manifest, which is the order of the data.
fn declared_order(tree: &Tree) -> Vec<String> {
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let members = manifest
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let lines = members.unwrap_or_default().lines();
    lines
        .map(|line| line.trim().trim_matches(|c| c == '"' || c == ','))
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("crates/").to_owned())
        .collect()
}
