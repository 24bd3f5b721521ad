//! CSV files: a line of names, then a record a line.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::limits::EVENT_BYTES_MAX;
use acumen_base::{Diagnostic, Place};
use csv::{ByteRecord, ErrorKind, StringRecord};

use crate::RECORDS_PER_BATCH;
use crate::cell::{Block, ColumnCells, ColumnType, Lines, Originals};
use crate::error::TableError;
use crate::field::Refusal;
use crate::file::{open_file, refuse};
use crate::source::RejectedRecord;

/// An open CSV file.
pub(crate) struct CsvFile {
    path: PathBuf,
    reader: csv::Reader<File>,
    names: Vec<String>,
    wanted: Vec<Option<usize>>,
    total: Option<u64>,
    records: u64,
}

impl CsvFile {
    pub(super) fn open(path: &Path) -> Result<CsvFile, Diagnostic> {
        let (file, total) = open_file(path)?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let headers = reader.headers().map_err(|error| {
            let help = "the first line names the columns, in UTF-8, separated by commas";
            refuse(path, "not_csv", format!("no line of names: {error}"), help)
        })?;
        // Spreadsheets put a byte-order mark before the first name.
        let name = |name: &str| name.trim_start_matches('\u{feff}').trim().to_owned();
        Ok(CsvFile {
            path: path.to_owned(),
            names: headers.iter().map(name).collect(),
            reader,
            wanted: Vec::new(),
            total,
            records: 0,
        })
    }

    pub(super) fn columns(&self) -> Vec<(String, ColumnType)> {
        let names = self.names.iter();
        names.map(|name| (name.clone(), ColumnType::Text)).collect()
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn want(&mut self, wanted: &[String]) {
        let position = |name: &String| self.names.iter().position(|n| n == name);
        self.wanted = wanted.iter().map(position).collect();
    }

    pub(super) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        let mut records = Vec::new();
        let mut lines = Vec::new();
        let mut malformed = Vec::new();
        let mut record = ByteRecord::new();
        while records.len() + malformed.len() < RECORDS_PER_BATCH {
            match self.reader.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => return Err(self.unreadable(error)),
            }
            self.records += 1;
            let line = record.position().map_or(0, csv::Position::line);
            match self.text_record(&record) {
                Ok(text) => {
                    records.push(text);
                    lines.push(line);
                }
                Err((message, help)) => malformed.push(RejectedRecord {
                    place: self.place(line),
                    message,
                    help: help.to_owned(),
                    original: shown(&record),
                }),
            }
        }
        if records.is_empty() && malformed.is_empty() {
            return Ok(None);
        }
        let records = Arc::new(records);
        let column = |position: &Option<usize>| match position {
            Some(column) => ColumnCells::Csv {
                records: Arc::clone(&records),
                column: *column,
            },
            None => ColumnCells::Missing,
        };
        Ok(Some(Block {
            columns: self.wanted.iter().map(column).collect(),
            len: records.len(),
            lines: Lines::Each(lines),
            texts: Originals::Csv(Arc::clone(&records)),
            malformed,
            done: self.reader.position().byte(),
        }))
    }

    fn text_record(&self, record: &ByteRecord) -> Result<StringRecord, Refusal> {
        let (found, declared) = (record.len(), self.names.len());
        if found != declared {
            return Err((
                format!("the record has {found} fields, and the first line names {declared}"),
                "quote a field that holds a comma, and leave missing fields empty",
            ));
        }
        if record.as_slice().len() > EVENT_BYTES_MAX {
            return Err((
                format!("the record is longer than {EVENT_BYTES_MAX} bytes"),
                "check that every quoted field is closed",
            ));
        }
        StringRecord::from_byte_record(record.clone()).map_err(|error| {
            let field = error.utf8_error().field();
            let name = self.names.get(field).map_or("?", String::as_str);
            (
                format!("`{name}` is not UTF-8"),
                "save the file as UTF-8 and read it again",
            )
        })
    }

    fn place(&self, line: u64) -> Place {
        Place {
            file: self.path.display().to_string(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: 0,
        }
    }

    fn unreadable(&self, error: csv::Error) -> TableError {
        let text = error.to_string();
        TableError::Read {
            path: self.path.clone(),
            done: self.records,
            source: match error.into_kind() {
                ErrorKind::Io(error) => Box::new(error),
                _ => text.into(),
            },
        }
    }
}

/// A record that could not be read, as far as it can be shown.
fn shown(record: &ByteRecord) -> String {
    let fields: Vec<String> = record
        .iter()
        .map(|field| String::from_utf8_lossy(field).into_owned())
        .collect();
    let line = fields.join(",");
    line.chars().take(EVENT_BYTES_MAX).collect()
}
