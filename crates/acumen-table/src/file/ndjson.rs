//! NDJSON files: one JSON object a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::limits::EVENT_BYTES_MAX;
use acumen_base::{Diagnostic, Place};
use serde_json::{Map, Value as Json};

use crate::RECORDS_PER_BATCH;
use crate::cell::{Block, ColumnCells, Lines, Originals};
use crate::error::TableError;
use crate::field::Refusal;
use crate::file::open_file;
use crate::source::RejectedRecord;

/// An open NDJSON file.
pub(crate) struct NdjsonFile {
    path: PathBuf,
    reader: BufReader<File>,
    wanted: Arc<[String]>,
    total: Option<u64>,
    line: u64,
    done: u64,
}

impl NdjsonFile {
    pub(super) fn open(path: &Path) -> Result<NdjsonFile, Diagnostic> {
        let (file, total) = open_file(path)?;
        Ok(NdjsonFile {
            path: path.to_owned(),
            reader: BufReader::with_capacity(256 * 1024, file),
            wanted: Arc::new([]),
            total,
            line: 0,
            done: 0,
        })
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn want(&mut self, wanted: Arc<[String]>) {
        self.wanted = wanted;
    }

    pub(super) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        let mut columns: Vec<Vec<Json>> = self.wanted.iter().map(|_| Vec::new()).collect();
        let mut lines = Vec::new();
        let mut texts = Vec::new();
        let mut malformed = Vec::new();
        let mut bytes = Vec::new();
        while texts.len() + malformed.len() < RECORDS_PER_BATCH {
            let is_whole = match self.read_line(&mut bytes) {
                Ok(None) => break,
                Ok(Some(is_whole)) => is_whole,
                Err(error) => return Err(self.unreadable(error)),
            };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            match parse(&bytes, is_whole) {
                Ok((text, object)) => {
                    for (column, name) in columns.iter_mut().zip(self.wanted.iter()) {
                        column.push(value_at(&object, name));
                    }
                    lines.push(self.line);
                    texts.push(text);
                }
                Err((message, help)) => malformed.push(RejectedRecord {
                    place: self.place(),
                    message,
                    help: help.to_owned(),
                    original: String::from_utf8_lossy(&bytes).into_owned(),
                }),
            }
        }
        if texts.is_empty() && malformed.is_empty() {
            return Ok(None);
        }
        Ok(Some(Block {
            columns: columns.into_iter().map(ColumnCells::Json).collect(),
            len: texts.len(),
            lines: Lines::Each(lines),
            texts: Originals::Lines(texts),
            malformed,
            done: self.done,
        }))
    }

    /// Reads a line without its end; gives whether it is whole, or was cut at the limit, or
    /// `None` at the end of the file.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<bool>> {
        bytes.clear();
        let limit = EVENT_BYTES_MAX as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.done += read as u64;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            return Ok(Some(true));
        }
        let is_cut = read as u64 == limit;
        if is_cut {
            self.done += self.reader.skip_until(b'\n')? as u64;
        }
        Ok(Some(!is_cut))
    }

    fn place(&self) -> Place {
        Place {
            file: self.path.display().to_string(),
            line: u32::try_from(self.line).unwrap_or(u32::MAX),
            column: 0,
        }
    }

    fn unreadable(&self, error: io::Error) -> TableError {
        TableError::Read {
            path: self.path.clone(),
            done: self.line,
            source: Box::new(error),
        }
    }
}

fn parse(bytes: &[u8], is_whole: bool) -> Result<(String, Map<String, Json>), Refusal> {
    if !is_whole {
        return Err((
            format!("the line is longer than {EVENT_BYTES_MAX} bytes"),
            "write one event a line",
        ));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err((
            "the line is not UTF-8".into(),
            "save the file as UTF-8 and read it again",
        ));
    };
    match serde_json::from_str(text) {
        Ok(object) => Ok((text.to_owned(), object)),
        Err(error) => Err((
            format!("the line is not a JSON object: {error}"),
            "write one JSON object a line",
        )),
    }
}

/// The value of a key, or of a dotted path into nested objects.
fn value_at(object: &Map<String, Json>, name: &str) -> Json {
    if let Some(value) = object.get(name) {
        return value.clone();
    }
    let Some((first, rest)) = name.split_once('.') else {
        return Json::Null;
    };
    match object.get(first) {
        Some(Json::Object(inner)) => value_at(inner, rest),
        _ => Json::Null,
    }
}
