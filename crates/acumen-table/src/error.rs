//! What can fail after a file was opened.

use std::path::PathBuf;

use acumen_base::Diagnostic;

/// A file that could not be read or written any further.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Reading failed: the file is cut off, damaged, or cannot be reached any more.
    #[error("cannot read `{}` after {done} records: {source}; check that the file is whole", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// How many records were read before.
        done: u64,
        /// What the reader said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A database went away, or refused, while it was read.
    #[error(
        "source `{source_name}`: the database went away after {done} rows: {reason}; what was read \
         is kept, and the next run goes on from there"
    )]
    Database {
        /// The declared source.
        source_name: String,
        /// How many rows were read before.
        done: u64,
        /// What the database, or the connection to it, said.
        reason: String,
    },
    /// Writing failed.
    #[error("cannot write `{}`: {source}; check the folder and the space on the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A block of rows is not of the declared shape.
    #[error("cannot write `{}`: {problem}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
}

impl TableError {
    /// The same of a file that people know by another name.
    pub(crate) fn of(self, name: &str) -> TableError {
        match self {
            TableError::Read { done, source, .. } => TableError::Read {
                path: name.into(),
                done,
                source,
            },
            other => other,
        }
    }
}

/// Why what comes next of a source could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not as the mapping needs it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Diagnostic>),
    /// It could not be read any further.
    #[error(transparent)]
    Table(#[from] TableError),
}
