//! Declared sources: what is read again and again, each time only what is new.

use std::sync::Arc;

use acumen_base::{Diagnostic, EventType, Place};

use crate::address::password;
use crate::mapping::{EventMapping, Format};
use crate::plan::plan;

/// A source as a project declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDecl {
    /// Its name, which is its file's.
    pub name: String,
    /// Where it is declared, for what is wrong with it.
    pub place: Place,
    /// What it is and where it lies, as declared: `${NAME}` is filled in when it is read.
    pub read: String,
    /// The table of a database.
    pub table: Option<String>,
    /// The column of the table that only grows; without it the whole table is read each time.
    pub watermark: Option<String>,
    /// The format of objects whose names do not say it.
    pub format: Option<Format>,
    /// How its records become events.
    pub events: Vec<EventMapping>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
    /// Files of a folder, or objects under a prefix.
    Objects,
}

impl Kind {
    /// What an address is of, by how it begins.
    pub(crate) fn of(address: &str) -> Kind {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|b| address.starts_with(b));
        if begins(&["postgres:", "postgresql:"]) {
            Kind::Postgres
        } else if begins(&["sqlite:"]) {
            Kind::Sqlite
        } else {
            Kind::Objects
        }
    }
}

impl SourceDecl {
    /// A problem of this source, where it is declared.
    pub(crate) fn problem(
        &self,
        code: &'static str,
        message: impl std::fmt::Display,
        help: impl Into<String>,
    ) -> Diagnostic {
        let message = format!("source `{}`: {message}", self.name);
        let mut problem = Diagnostic::new(code, message, help);
        problem.place = self.place.clone();
        problem
    }

    /// Checks what can be known without reaching the source: the events against their declared
    /// types, and the keys against each other. Gives every problem.
    pub fn check(&self, types: &[Arc<EventType>]) -> Vec<Diagnostic> {
        let mut problems = plan("", None, &self.events, types)
            .err()
            .unwrap_or_default();
        let mut problem = |code, message: &str, help: &str| {
            problems.push(Diagnostic::new(code, message, help));
        };
        if password(&self.read).is_some_and(|password| !password.contains("${")) {
            problem(
                "secret_in_file",
                "a password stands in the file",
                "write `${NAME}`, and set that variable where the command runs",
            );
        }
        // An address that is all variable may be of any kind: it shows when it is read.
        if !self.read.starts_with("${") {
            let database = Kind::of(&self.read) != Kind::Objects;
            if database && self.table.is_none() {
                let help = "add `table: orders`, or `schema.orders`";
                problem("missing_key", "a database needs the name of a table", help);
            }
            if !database && (self.table.is_some() || self.watermark.is_some()) {
                let message = "`table` and `watermark` are of databases";
                let help = "remove them: of files and objects every new one is read, once";
                problem("unknown_key", message, help);
            }
        }
        for problem in &mut problems {
            problem.message = format!("source `{}`: {}", self.name, problem.message);
            problem.place = self.place.clone();
        }
        problems
    }
}
