//! What can go wrong with a world.

use std::io;

use acumen_base::Diagnostic;

/// Why a world could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The parameters make no world.
    #[error("the parameters make no world:\n{}", list(.0))]
    Parameters(Vec<Diagnostic>),
    /// The events could not be written.
    #[error("the events could not be written")]
    Events(#[source] io::Error),
    /// The truth could not be written.
    #[error("the truth could not be written")]
    Truth(#[source] io::Error),
}

fn list(problems: &[Diagnostic]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
