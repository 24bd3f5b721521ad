//! `cargo xtask test`: what a newcomer and CI both run.

use crate::command::{Outcome, run, run_with};
use crate::setup;

/// Sets up what is missing, then runs every check; the quick ones first.
pub(crate) fn test(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(format!(
            "`cargo xtask test` takes no arguments, not `{unknown}`"
        ));
    }
    setup::compiler()?;
    step("format");
    run("cargo", &["fmt", "--all", "--check"])
        .map_err(|error| format!("{error}\nhelp: `cargo fmt --all` mends it"))?;
    step("tidy");
    crate::tidy::tidy()?;
    step("lints");
    run(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    step("documentation");
    let deny = [("RUSTDOCFLAGS", "-D warnings")];
    run_with(
        "cargo",
        &["doc", "--workspace", "--no-deps", "--quiet"],
        &deny,
    )?;
    step("licences");
    setup::cargo_deny()?;
    run(
        "cargo",
        &[
            "deny",
            "--offline",
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ],
    )?;
    step("tests");
    setup::outside()?;
    run("cargo", &["test", "--workspace"])?;
    println!("\nall checks passed");
    Ok(())
}

fn step(name: &str) {
    println!("\n── {name}");
}
