//! Why a command failed: one message, said so that the reader knows what to do.

use std::fmt;
use std::path::Path;

use acumen_base::Diagnostic;
use acumen_engine::{EngineError, Refusal};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It said so itself: nothing more is printed.
    Reported,
    /// This is why.
    Because(String),
}

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure for a reason.
    pub(crate) fn because(reason: impl Into<String>) -> Failure {
        Failure::Because(reason.into())
    }

    /// A file that could not be read or written.
    pub(crate) fn file(action: &str, path: &Path, error: &std::io::Error) -> Failure {
        Failure::Because(format!("cannot {action} {}: {error}", path.display()))
    }

    /// Problems of files, all of them.
    pub(crate) fn problems(problems: &[Diagnostic]) -> Failure {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::Because(lines.join("\n"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Reported => Ok(()),
            Failure::Because(reason) => f.write_str(reason),
        }
    }
}

/// Says an error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        source = cause.source();
    }
    text
}

macro_rules! from_error {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::Because(chain(&error))
            }
        }
    )+};
}

from_error!(
    EngineError,
    Refusal,
    acumen_event::LogError,
    acumen_model::StoreError,
    acumen_table::TableError,
    acumen_engine::spec::ScaffoldError,
    acumen_sim::world::SimulateError,
);
