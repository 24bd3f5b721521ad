//! Files as blocks of cells.

pub(crate) mod arrow;
mod csv;
mod ndjson;
mod parquet;

pub(crate) use parquet::contained;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use acumen_base::Diagnostic;

use crate::cell::{Block, ColumnType};
use crate::error::TableError;
use crate::mapping::Format;

/// An open file of one of the formats.
pub(crate) enum FileReader {
    Parquet(Box<parquet::ParquetFile>),
    Csv(Box<csv::CsvFile>),
    Ndjson(ndjson::NdjsonFile),
}

impl FileReader {
    /// Opens a file; the format is declared, or follows from the name.
    pub(crate) fn open(path: &Path, format: Option<Format>) -> Result<FileReader, Diagnostic> {
        let name = path.display().to_string();
        FileReader::open_named(path, &name, format)
    }

    /// The same of a file that people know by another name.
    pub(crate) fn open_named(
        path: &Path,
        name: &str,
        format: Option<Format>,
    ) -> Result<FileReader, Diagnostic> {
        let Some(format) = format.or_else(|| by_extension(Path::new(name))) else {
            return Err(refuse(
                Path::new(name),
                "unknown_format",
                "its name does not say what it is",
                "name it `.parquet`, `.csv` or `.ndjson`, or write `source: {format: csv}`",
            ));
        };
        let opened = match format {
            Format::Parquet => {
                parquet::ParquetFile::open(path).map(|file| FileReader::Parquet(Box::new(file)))
            }
            Format::Csv => csv::CsvFile::open(path).map(|file| FileReader::Csv(Box::new(file))),
            Format::Ndjson => ndjson::NdjsonFile::open(path).map(FileReader::Ndjson),
        };
        opened.map_err(|mut problem| {
            let path = path.display().to_string();
            problem.message = problem.message.replace(&path, name);
            name.clone_into(&mut problem.place.file);
            problem
        })
    }

    /// The columns with their types as the format names them, where it does.
    pub(crate) fn described(&self) -> BTreeMap<String, String> {
        match self {
            FileReader::Parquet(file) => file.described(),
            FileReader::Csv(file) => {
                let columns = file.columns().into_iter();
                columns.map(|(name, _)| (name, "text".to_owned())).collect()
            }
            FileReader::Ndjson(_) => BTreeMap::new(),
        }
    }

    /// The columns that the file has, where it says so before it is read.
    pub(crate) fn columns(&self) -> Option<Vec<(String, ColumnType)>> {
        match self {
            FileReader::Parquet(file) => Some(file.columns()),
            FileReader::Csv(file) => Some(file.columns()),
            FileReader::Ndjson(_) => None,
        }
    }

    /// Asks for these columns; has to come before the first block.
    pub(crate) fn want(&mut self, wanted: Arc<[String]>) -> Result<(), TableError> {
        match self {
            FileReader::Parquet(file) => file.want(wanted),
            FileReader::Csv(file) => {
                file.want(&wanted);
                Ok(())
            }
            FileReader::Ndjson(file) => {
                file.want(wanted);
                Ok(())
            }
        }
    }

    /// The next records, or `None` at the end.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        match self {
            FileReader::Parquet(file) => file.next_block(),
            FileReader::Csv(file) => file.next_block(),
            FileReader::Ndjson(file) => file.next_block(),
        }
    }

    /// Records (Parquet) or bytes (texts) in all.
    pub(crate) fn total(&self) -> Option<u64> {
        match self {
            FileReader::Parquet(file) => Some(file.total()),
            FileReader::Csv(file) => file.total(),
            FileReader::Ndjson(file) => file.total(),
        }
    }
}

/// Whether a file's name says what it is.
pub(crate) fn is_known(path: &Path) -> bool {
    by_extension(path).is_some()
}

fn by_extension(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_lowercase();
    match extension.as_str() {
        "parquet" | "pq" => Some(Format::Parquet),
        "csv" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        _ => None,
    }
}

/// A file that cannot be opened.
fn refuse(
    path: &Path,
    code: &'static str,
    problem: impl std::fmt::Display,
    help: &str,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code, format!("`{}`: {problem}", path.display()), help);
    diagnostic.place.file = path.display().to_string();
    diagnostic
}

/// Opens the file for reading.
fn open_file(path: &Path) -> Result<(std::fs::File, Option<u64>), Diagnostic> {
    let help = "check the path and that you may read it";
    let unreadable = |error: std::io::Error| refuse(path, "unreadable_file", error, help);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(refuse(
            path,
            "unreadable_file",
            "it is a folder",
            "name a file",
        ));
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}
