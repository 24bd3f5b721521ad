//! No code depends on which use case runs: the words of use cases stay out of the crates.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Tree, code};

/// Words of particular businesses, beside the names of the folders under `usecases/`.
const DOMAIN: [&str; 5] = ["payment", "chargeback", "merchant", "churn", "cardholder"];

/// Where they may stand: worlds are about one business each, and measurements name their data.
const ALLOWED: [&str; 3] = [
    "crates/acumen-sim/src/world",
    "crates/acumen-sim/src/world.rs",
    "crates/acumen-prove",
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut words: BTreeSet<String> = DOMAIN.iter().map(|&word| word.to_owned()).collect();
    for (path, _) in &tree.files {
        let mut parts = path.iter();
        if parts.next().is_some_and(|first| first == "usecases") {
            words.extend(parts.next().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    let mut breaches = Vec::new();
    for (path, text) in tree.rust("crates") {
        if ALLOWED.iter().any(|folder| path.starts_with(folder)) || is_test(path) {
            continue;
        }
        let shipped = text.split("#[cfg(test)]").next().unwrap_or(text);
        for (number, line) in shipped.lines().enumerate() {
            let line = code(line).to_lowercase();
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                let place = format!("{}:{}", path.display(), number + 1);
                breaches.push(format!(
                    "{place}: `{word}` belongs to a use case, not to the code"
                ));
            }
        }
    }
    breaches
}

fn is_test(path: &Path) -> bool {
    path.iter()
        .any(|part| part == "tests" || part == "tests.rs")
}
