//! What is wrong with a declared value, before it is known in which file it stands.

use std::fmt;

use crate::diagnostic::nearest;

/// One thing that is wrong with a spec; the caller knows the file and turns it into a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted path of the value in the spec, such as `rules.stolen_card.when`.
    pub key: String,
    /// The byte at which it lies within that value; 0 where the whole value is meant.
    pub offset: usize,
    /// What is wrong, naming the value.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// A problem of a whole value.
    pub fn new(
        key: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        Problem {
            key: key.into(),
            offset: 0,
            message: message.into(),
            help: help.into(),
        }
    }

    /// A name that is none of the valid ones; `what` says what it should be, such as `an action`.
    pub fn unknown<'a>(
        key: impl Into<String>,
        wrong: &str,
        what: &str,
        valid: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        Problem::new(
            key,
            format!("`{wrong}` is not {what}"),
            did_you_mean(wrong, valid),
        )
    }
}

/// The nearest valid name, or all of them, as a sentence.
pub fn did_you_mean<'a>(wrong: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.into_iter().collect();
    match nearest(wrong, valid.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if valid.is_empty() => "none is declared".to_owned(),
        None => format!("declared are {}", valid.join(", ")),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
