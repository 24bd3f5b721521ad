//! What is wrong with a record, all of it at once.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code, such as `unknown_field`.
    pub code: String,
    /// What is wrong, naming the value.
    pub message: String,
    /// Which field, dotted within a group.
    pub field: Option<String>,
    /// What to do.
    pub help: String,
}

/// A record that was not taken, and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Every problem, in the order of the record; never empty.
    pub problems: Vec<Problem>,
    /// The bytes that were sent.
    #[serde(skip)]
    pub original: Vec<u8>,
}

impl Problem {
    pub(crate) fn new(
        code: &str,
        field: Option<&str>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        Problem {
            code: code.into(),
            message: message.into(),
            field: field.map(str::to_owned),
            help: help.into(),
        }
    }
}

impl Rejected {
    pub(crate) fn new(problems: Vec<Problem>, original: &[u8]) -> Rejected {
        Rejected {
            problems,
            original: original.to_owned(),
        }
    }

    /// A rejection for one reason, by whoever refuses a record after it was decoded.
    pub fn because(
        code: &str,
        field: Option<&str>,
        message: impl Into<String>,
        help: impl Into<String>,
        original: &[u8],
    ) -> Rejected {
        Rejected::new(vec![Problem::new(code, field, message, help)], original)
    }

    /// The code of the first problem.
    pub fn code(&self) -> &str {
        self.problems.first().map_or("rejected", |p| &p.code)
    }

    /// What is wrong: the messages of all problems.
    pub fn message(&self) -> String {
        let messages: Vec<&str> = self.problems.iter().map(|p| p.message.as_str()).collect();
        messages.join("; ")
    }

    /// The field of the first problem.
    pub fn field(&self) -> Option<&str> {
        self.problems.first()?.field.as_deref()
    }

    /// What to do about the first problem.
    pub fn help(&self) -> &str {
        self.problems.first().map_or("", |p| &p.help)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", problem.message)?;
            if !problem.help.is_empty() {
                write!(f, "\n  help: {}", problem.help)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Rejected {}
