//! What lies where in a data folder: one folder is one tenant in one environment.

use std::path::{Path, PathBuf};

/// A data folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at a path; nothing is created.
    pub fn new(root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into() }
    }

    /// Its path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The event log.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Verified pictures of the state.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// The state where the log begins, once it has been trimmed.
    pub fn base(&self) -> PathBuf {
        self.root.join("base")
    }

    /// What was refused.
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// The trials of searches for parameters.
    pub fn searches(&self) -> PathBuf {
        self.root.join("searches")
    }

    /// The rows of a use case, read once and kept; the log gives them back.
    pub fn rows(&self, use_case: &str) -> PathBuf {
        self.root.join("rows").join(use_case)
    }

    /// The scores of a use case, a folder a date.
    pub fn scores(&self, use_case: &str) -> PathBuf {
        self.root.join("scores").join(use_case)
    }

    /// The latest scores of a use case, to be answered at once; its scores give them back.
    pub fn online(&self, use_case: &str) -> PathBuf {
        self.root.join("online").join(use_case)
    }

    /// Where the server listens that holds the folder; left behind by one that was killed.
    pub fn server(&self) -> PathBuf {
        self.root.join("server")
    }

    /// Model versions.
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }
}
