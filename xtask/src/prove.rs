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
    // Both at once: alone, each would want other features of what they share, and rebuild it.
    let both = ["build", "--release", "--quiet", "--package", "acumen"];
    run(
        "cargo",
        &[&both[..], &["--package", "acumen-prove"]].concat(),
    )?;
    let program = built("acumen-prove")?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run_with(&program, &arguments, &[("ACUMEN_PEERS_PYTHON", &python)])
}

/// A program of the release build, in the target folder that this one is in.
fn built(name: &str) -> Result<String, String> {
    let own = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let target = own
        .ancestors()
        .nth(2)
        .ok_or("this program is in no folder")?;
    Ok(target.join("release").join(name).display().to_string())
}
