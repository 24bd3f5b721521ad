//! The cells of a block of records, whatever file they came from.

use std::sync::Arc;

use acumen_base::Time;
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use csv::StringRecord;
use serde_json::Value as Json;

use crate::source::RejectedRecord;

/// What the cells of a column hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Int,
    Float,
    Bool,
    Text,
    /// Instants.
    Time,
    /// Days, or readings of a clock without its zone.
    NaiveTime,
    /// A type that is not read, by its name.
    Unreadable(String),
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
    /// Milliseconds since 1970-01-01, of UTC or of a clock that the mapping knows.
    Time {
        millis: i64,
        is_utc: bool,
    },
    /// A list, a map, or bytes.
    Unreadable,
}

/// The cells of one column.
pub(crate) enum ColumnCells {
    Int(Vec<i64>, Nulls),
    Float(Vec<f64>, Nulls),
    Bool(Vec<bool>, Nulls),
    Time {
        millis: Vec<i64>,
        is_utc: bool,
        nulls: Nulls,
    },
    Text(Texts, Nulls),
    Csv {
        records: Arc<Vec<StringRecord>>,
        column: usize,
    },
    Json(Vec<Json>),
    Data(Vec<Datum>),
    /// A column that the file does not have, of a format that does not say which it has.
    Missing,
}

/// Texts as they lie in the file's pages.
pub(crate) enum Texts {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    Owned(Vec<String>),
    Dictionary {
        keys: Vec<usize>,
        words: Vec<String>,
    },
}

/// Which cells are null.
pub(crate) struct Nulls(Option<ArrayRef>);

impl Nulls {
    pub(crate) fn of(array: &ArrayRef) -> Nulls {
        Nulls((array.null_count() > 0).then(|| Arc::clone(array)))
    }

    fn holds(&self, row: usize) -> bool {
        self.0.as_ref().is_some_and(|array| array.is_null(row))
    }
}

impl Texts {
    fn get(&self, row: usize) -> &str {
        match self {
            Texts::Small(array) => array.value(row),
            Texts::Large(array) => array.value(row),
            Texts::View(array) => array.value(row),
            Texts::Owned(texts) => &texts[row],
            Texts::Dictionary { keys, words } => &words[keys[row]],
        }
    }
}

impl ColumnCells {
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            ColumnCells::Int(_, nulls)
            | ColumnCells::Float(_, nulls)
            | ColumnCells::Bool(_, nulls)
            | ColumnCells::Text(_, nulls)
            | ColumnCells::Time { nulls, .. }
                if nulls.holds(row) =>
            {
                Cell::Missing
            }
            ColumnCells::Int(values, _) => Cell::Int(values[row]),
            ColumnCells::Float(values, _) => Cell::Float(values[row]),
            ColumnCells::Bool(values, _) => Cell::Bool(values[row]),
            ColumnCells::Text(texts, _) => Cell::Text(texts.get(row)),
            ColumnCells::Time { millis, is_utc, .. } => Cell::Time {
                millis: millis[row],
                is_utc: *is_utc,
            },
            ColumnCells::Csv { records, column } => match records[row].get(*column) {
                None | Some("") => Cell::Missing,
                Some(text) => Cell::Text(text),
            },
            ColumnCells::Json(values) => json_cell(&values[row]),
            ColumnCells::Data(values) => values[row].cell(),
            ColumnCells::Missing => Cell::Missing,
        }
    }
}

/// A value of a database's row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Missing,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Time { millis: i64, is_utc: bool },
    Unreadable,
}

impl Datum {
    fn cell(&self) -> Cell<'_> {
        match self {
            Datum::Missing => Cell::Missing,
            Datum::Int(value) => Cell::Int(*value),
            Datum::Float(value) => Cell::Float(*value),
            Datum::Bool(value) => Cell::Bool(*value),
            Datum::Text(text) => Cell::Text(text),
            Datum::Time { millis, is_utc } => Cell::Time {
                millis: *millis,
                is_utc: *is_utc,
            },
            Datum::Unreadable => Cell::Unreadable,
        }
    }

    /// Its kind and value as bytes: different values, different bytes.
    pub(crate) fn write_canonical(&self, bytes: &mut Vec<u8>) {
        let (kind, value) = match self {
            Datum::Missing => (0, 0),
            Datum::Int(value) => (1, value.cast_unsigned()),
            Datum::Float(value) => (2, value.to_bits()),
            Datum::Bool(value) => (3, u64::from(*value)),
            Datum::Text(text) => (4, text.len() as u64),
            Datum::Time { millis, .. } => (5, millis.cast_unsigned()),
            Datum::Unreadable => (6, 0),
        };
        bytes.push(kind);
        bytes.extend_from_slice(&value.to_le_bytes());
        if let Datum::Text(text) = self {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn json_cell(value: &Json) -> Cell<'_> {
    match value {
        Json::Null => Cell::Missing,
        Json::Bool(value) => Cell::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cell::Int(whole),
            (None, Some(decimal)) => Cell::Float(decimal),
            (None, None) => Cell::Unreadable,
        },
        Json::String(text) => Cell::Text(text),
        Json::Array(_) | Json::Object(_) => Cell::Unreadable,
    }
}

impl Cell<'_> {
    /// The cell as JSON, for the text of a rejected record.
    fn to_json(self) -> Json {
        match self {
            Cell::Missing => Json::Null,
            Cell::Int(value) => value.into(),
            // JSON has no NaN: it is written as a text rather than lost.
            Cell::Float(value) if !value.is_finite() => value.to_string().into(),
            Cell::Float(value) => value.into(),
            Cell::Bool(value) => value.into(),
            Cell::Text(text) => text.into(),
            Cell::Time { millis, .. } => Time(millis).to_string().into(),
            Cell::Unreadable => "(not readable)".into(),
        }
    }
}

/// Some records, column by column.
pub(crate) struct Block {
    /// The wanted columns, in the order in which they were asked for.
    pub(crate) columns: Vec<ColumnCells>,
    /// How many records.
    pub(crate) len: usize,
    /// Where each record stands: its line, or its row from 1.
    pub(crate) lines: Lines,
    /// The texts of the records, where the file has texts.
    pub(crate) texts: Originals,
    /// What could not even be read as a record.
    pub(crate) malformed: Vec<RejectedRecord>,
    /// Records, or bytes, that are read so far.
    pub(crate) done: u64,
}

/// Where the records of a block stand.
pub(crate) enum Lines {
    /// One after the other, from here.
    From(u64),
    /// As listed.
    Each(Vec<u64>),
}

impl Lines {
    pub(crate) fn of(&self, row: usize) -> u64 {
        match self {
            Lines::From(first) => first + row as u64,
            Lines::Each(lines) => lines[row],
        }
    }
}

/// The records as they were written.
pub(crate) enum Originals {
    /// Columnar: shown as JSON of the columns that were read.
    Columns(Arc<[String]>),
    Lines(Vec<String>),
    Csv(Arc<Vec<StringRecord>>),
}

impl Block {
    /// The record as it was written.
    pub(crate) fn original(&self, row: usize) -> String {
        match &self.texts {
            Originals::Lines(lines) => lines[row].clone(),
            Originals::Csv(records) => csv_line(&records[row]),
            Originals::Columns(names) => {
                let cells = names.iter().zip(&self.columns);
                let object: serde_json::Map<String, Json> = cells
                    .map(|(name, column)| (name.clone(), column.cell(row).to_json()))
                    .collect();
                Json::Object(object).to_string()
            }
        }
    }
}

/// A record as a line, quoted where it has to be.
pub(crate) fn csv_line(record: &StringRecord) -> String {
    let quoted = record.iter().map(|field| {
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    });
    quoted.collect::<Vec<String>>().join(",")
}
