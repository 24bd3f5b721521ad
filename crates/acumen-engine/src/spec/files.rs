//! Listing and reading the files of a project.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use acumen_base::{Diagnostic, Place};

use super::tree::{self, Node};

/// A file that has been read.
pub(super) struct File {
    /// As the user would name it.
    pub(super) name: String,
    /// Its name without the folder and the ending.
    pub(super) stem: String,
    bytes: Vec<u8>,
}

impl File {
    /// Reads a file; `None` where it cannot be, with the reason among `found`.
    pub(super) fn read(path: &Path, found: &mut Vec<Diagnostic>) -> Option<File> {
        let name = shown(path);
        match std::fs::read(path) {
            Ok(bytes) => Some(File {
                stem: path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                name,
                bytes,
            }),
            Err(error) => {
                found.push(unreadable(name, &error));
                None
            }
        }
    }

    pub(super) fn parse(&self, found: &mut Vec<Diagnostic>) -> Option<Node> {
        tree::parse(&self.name, &self.bytes, found)
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// The YAML files of a folder in order of name, read; a folder that is not there has none.
pub(super) fn yaml_files(folder: &Path, found: &mut Vec<Diagnostic>) -> Vec<File> {
    let paths = entries(folder, found);
    let is_yaml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|end| end == "yaml" || end == "yml")
    };
    let paths = paths.into_iter().filter(is_yaml);
    paths.filter_map(|path| File::read(&path, found)).collect()
}

/// The folders of a folder in order of name.
pub(super) fn folders(folder: &Path, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let paths = entries(folder, found);
    paths.into_iter().filter(|path| path.is_dir()).collect()
}

fn entries(folder: &Path, found: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            found.push(unreadable(shown(folder), &error));
            return Vec::new();
        }
    };
    let paths = listed.filter_map(Result::ok).map(|entry| entry.path());
    let hidden = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('.')
    };
    let mut paths: Vec<PathBuf> = paths.filter(|path| !hidden(path)).collect();
    paths.sort();
    paths
}

fn unreadable(file: String, error: &std::io::Error) -> Diagnostic {
    let message = format!("cannot be read: {error}");
    let mut diagnostic = Diagnostic::new("unreadable", message, "check that it is there and yours");
    diagnostic.place = Place {
        file,
        line: 0,
        column: 0,
    };
    diagnostic
}

/// A path as the user would name it.
pub(super) fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}
