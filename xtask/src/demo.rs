//! `cargo xtask demo`: from a clean clone to live decisions.

use crate::command::{Outcome, run};
use crate::setup;

/// Builds the program and runs its own demo with the same arguments.
pub(crate) fn demo(arguments: &[String]) -> Outcome {
    setup::compiler()?;
    println!("building acumen (release)");
    run("cargo", &["build", "--release", "--package", "acumen"])?;
    let mut all = vec![
        "run",
        "--release",
        "--quiet",
        "--package",
        "acumen",
        "--",
        "demo",
    ];
    all.extend(arguments.iter().map(String::as_str));
    run("cargo", &all)
}
