//! `cargo xtask prove NAME`: one measurement, side by side with its peer.

use crate::command::{Outcome, run, run_with};
use crate::setup;

/// Sets up the peers and runs the measurement in a release build.
pub(crate) fn prove(arguments: &[String]) -> Outcome {
    setup::compiler()?;
    let python = match arguments {
        [] => String::new(),
        _ => setup::peers()?,
    };
    run(
        "cargo",
        &["build", "--release", "--quiet", "--package", "acumen"],
    )?;
    let mut all = vec![
        "run",
        "--release",
        "--quiet",
        "--package",
        "acumen-prove",
        "--",
    ];
    all.extend(arguments.iter().map(String::as_str));
    run_with("cargo", &all, &[("ACUMEN_PEERS_PYTHON", &python)])
}
