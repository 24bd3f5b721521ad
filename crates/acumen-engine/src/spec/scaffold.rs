//! `acumen new`: a small use case that is correct as it stands, to be changed into one's own.

use std::io;
use std::path::{Path, PathBuf};

use super::USE_CASE_FILE;
use super::walk::is_name;

/// Why no folder was made.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The name cannot be one.
    #[error(
        "`{0}` cannot be the name of a use case: use small letters, digits, `-` and `_`, a letter first"
    )]
    BadName(String),
    /// There is something already.
    #[error("{} is there already: choose another name, or remove it first", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

const USE_CASE: &str = include_str!("scaffold/usecase.yaml");
const README: &str = include_str!("scaffold/README.md");
const TEST: &str = include_str!("scaffold/first_order.yaml");

/// Makes `usecases/NAME` under a project's root, and gives the folder.
///
/// # Errors
/// Where the name cannot be one, the folder is there, or it cannot be written; nothing that is
/// there is ever overwritten.
pub fn scaffold(name: &str, root: &Path) -> Result<PathBuf, ScaffoldError> {
    if !is_name(&name.replace('-', "_")) {
        return Err(ScaffoldError::BadName(name.to_owned()));
    }
    let folder = root.join("usecases").join(name);
    if folder.exists() {
        return Err(ScaffoldError::Exists(folder));
    }
    let tests = folder.join("tests");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ScaffoldError::Write { path, source }
    };
    std::fs::create_dir_all(&tests).map_err(failed(&tests))?;
    for (path, text) in [
        (folder.join(USE_CASE_FILE), USE_CASE),
        (folder.join("README.md"), README),
        (tests.join("first_order.yaml"), TEST),
    ] {
        std::fs::write(&path, text.replace("NAME", name)).map_err(failed(&path))?;
    }
    Ok(folder)
}
