//! Unfinished marks, sleeps in tests, long files, and paths of one machine.

use super::{Tree, code};

/// Lines after which a file is no longer about one thing.
const LINES_MAX: usize = 800;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    // Written in halves so that this file keeps its own law.
    let unfinished = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "#[ig".to_owned() + "nore",
    ];
    let sleep = "thread::sl".to_owned() + "eep";
    for (path, text) in tree.rust("") {
        if text.lines().count() > LINES_MAX {
            breaches.push(format!("{}: over {LINES_MAX} lines", path.display()));
        }
        for (number, line) in text.lines().enumerate() {
            let place = || format!("{}:{}", path.display(), number + 1);
            if let Some(mark) = unfinished.iter().find(|mark| line.contains(mark.as_str())) {
                breaches.push(format!("{}: `{mark}`: finish it or file it", place()));
            }
            if code(line).contains(&sleep) && path.iter().any(|part| part == "tests") {
                breaches.push(format!(
                    "{}: a test waits for a condition, not for time",
                    place()
                ));
            }
        }
    }
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE",
    ] {
        if !tree.root.join(name).exists() {
            breaches.push(format!("{name} is missing"));
        }
    }
    breaches
}
