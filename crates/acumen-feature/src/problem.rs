//! What is wrong with a declaration, said so that its author can mend it.

use std::fmt;

use acumen_base::nearest;

/// One problem of a spec; [`crate::Pipeline::compile`] reports all of them at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The feature, view, outcome or other declaration that is wrong.
    pub feature: String,
    /// Which of its keys: `operator`, `window`, `of`, `cel`, …
    pub key: String,
    /// What is wrong, naming the value.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The byte offset within an expression.
    pub offset: Option<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}: {}", self.feature, self.key, self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Help for a wrong name: the nearest valid one, or all of them.
pub(crate) fn suggest<'a>(wrong: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.into_iter().collect();
    match nearest(wrong, valid.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if valid.is_empty() => "none is declared".to_owned(),
        None => format!("one of: {}", valid.join(", ")),
    }
}
