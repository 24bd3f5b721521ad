//! The laws that can be read off the tree.

mod marks;
mod members;
mod words;

use std::path::{Path, PathBuf};

use crate::command::{Outcome, output, root};

/// Checks all of them and reports every breach at once.
pub(crate) fn tidy() -> Outcome {
    let tree = Tree::read()?;
    let mut breaches = members::check(&tree);
    breaches.extend(words::check(&tree));
    breaches.extend(marks::check(&tree));
    if breaches.is_empty() {
        println!("tidy: {} files keep the laws", tree.files.len());
        return Ok(());
    }
    Err(format!(
        "{}\n{} breaches",
        breaches.join("\n"),
        breaches.len()
    ))
}

/// The text files that git tracks or would track.
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<(PathBuf, String)>,
}

impl Tree {
    fn read() -> Result<Tree, String> {
        let root = root();
        let listed = output(
            "git",
            &["ls-files", "--cached", "--others", "--exclude-standard"],
        )?;
        let text = |path: &str| {
            Some((
                PathBuf::from(path),
                std::fs::read_to_string(root.join(path)).ok()?,
            ))
        };
        let files = listed.lines().filter_map(text).collect();
        Ok(Tree { files, root })
    }

    /// The Rust files below a folder.
    fn rust<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a Path, &'a str)> {
        self.files.iter().filter_map(move |(path, text)| {
            let rust = path.extension().is_some_and(|e| e == "rs") && path.starts_with(folder);
            rust.then_some((path.as_path(), text.as_str()))
        })
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|(p, _)| p == Path::new(path))
            .map(|(_, text)| text.as_str())
    }
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_keeps_the_laws() {
        super::tidy().unwrap();
    }
}
