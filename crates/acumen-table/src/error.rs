//! What can fail after a file was opened.

use std::path::PathBuf;

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
