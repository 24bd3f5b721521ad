//! Problems that a user can mend: what is wrong, where, and what to do.

use std::fmt;

use serde::Serialize;

/// Where a problem lies in a file; lines and columns count from 1, and 0 is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// One problem that a user can mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable code, such as `unknown_field`.
    pub code: &'static str,
    /// What is wrong, naming the value.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What to do.
    pub help: String,
}

impl Diagnostic {
    /// A problem without a place (the caller that knows the file fills it in).
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Diagnostic {
            code,
            message: message.into(),
            place: Place::default(),
            help: help.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.file.is_empty() {
            write!(f, "{}:", self.place.file)?;
            if self.place.line > 0 {
                write!(f, "{}:{}:", self.place.line, self.place.column)?;
            }
            write!(f, " ")?;
        }
        write!(f, "{}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// The valid name that a wrong one probably meant: within a third of its length in edits.
pub fn nearest<'a>(wrong: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    valid
        .into_iter()
        .map(|name| (edit_distance(wrong, name), name))
        .filter(|(distance, name)| *distance * 3 <= wrong.len().max(name.len()))
        .min()
        .map(|(_, name)| name)
}

fn edit_distance(a: &str, b: &str) -> usize {
    strsim::damerau_levenshtein(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let valid = ["velocity_checks", "geo_velocity", "amount"];
        assert_eq!(nearest("velocity_check", valid), Some("velocity_checks"));
        assert_eq!(nearest("ammount", valid), Some("amount"));
        assert_eq!(nearest("zebra", valid), None);
    }
}
