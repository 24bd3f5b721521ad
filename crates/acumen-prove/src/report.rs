//! Tables for people, and how a measurement ends.

use std::fmt;

use serde_json::{Value, json};

/// The figures of a measurement, or why there are none.
pub(crate) type Outcome = Result<Value, Failure>;

/// Why a measurement could not be made.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// With a message.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Failure(text)
    }
}

/// Every problem of a list, one a line.
pub(crate) fn all(problems: impl IntoIterator<Item = impl fmt::Display>) -> Failure {
    let lines: Vec<String> = problems.into_iter().map(|p| p.to_string()).collect();
    Failure(lines.join("\n"))
}

/// What is said where something from outside is absent.
pub(crate) fn skipped(why: &str) -> Value {
    println!("skipped: {why}");
    json!({ "skipped": why })
}

/// Prints lines with their columns aligned; the first is the head.
pub(crate) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        println!("{}", line.join("  ").trim_end());
        if number == 0 {
            let total = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
            println!("{}", "-".repeat(total));
        }
    }
}

/// One line of a table.
pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}
