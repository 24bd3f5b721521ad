//! What can keep the engine from opening or from doing a job.

use std::path::PathBuf;

use acumen_base::{Diagnostic, Problem};
use acumen_decision::ControlError;
use acumen_event::LogError;
use acumen_model::{ArtifactError, StoreError, TrainingError};

use crate::plan::Plan;

/// Why the engine did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The project has problems that its author must mend.
    #[error("{}", list(.0))]
    Spec(Vec<Diagnostic>),
    /// A rule that is tried out has problems, each at its offset.
    #[error("{}", told(.0))]
    Rule(Vec<Problem>),
    /// The log refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A model version could not be stored or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A model version is damaged.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A file could not be read or written.
    #[error(transparent)]
    Table(#[from] acumen_table::TableError),
    /// A model could not be trained.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// An edit was refused.
    #[error(transparent)]
    Control(ControlError),
    /// There is no such use case, model, decision or entity.
    #[error("{0}")]
    NotFound(String),
    /// There is not enough of something to go on.
    #[error("{0}")]
    NotEnough(String),
    /// It takes longer than there was time: asked again it goes on.
    #[error("{0}")]
    NotReady(String),
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine is closing or has failed.
    #[error("{0}")]
    Closed(String),
}

impl EngineError {
    /// No such use case, with the nearest one.
    pub fn unknown_use_case(name: &str, plan: &Plan) -> EngineError {
        let refusal = crate::refusal::Refusal::unknown("use case", name, plan.names());
        EngineError::NotFound(refusal.to_string())
    }
}

fn list(problems: &[Diagnostic]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("{}\n{} problem(s) to mend", lines.join("\n"), lines.len())
}

/// Problems of a text that stands in no file.
fn told(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let Problem {
            key,
            offset,
            message,
            help,
        } = problem;
        format!("{key}, at byte {offset}: {message}\n  help: {help}")
    });
    lines.collect::<Vec<_>>().join("\n")
}
