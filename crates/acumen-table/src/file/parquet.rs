//! Parquet files.

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::Diagnostic;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::RECORDS_PER_BATCH;
use crate::cell::{Block, ColumnType};
use crate::error::TableError;
use crate::file::{arrow, open_file, refuse};

/// An open Parquet file: read column by column, only those that are wanted.
pub(crate) struct ParquetFile {
    path: PathBuf,
    columns: Vec<(String, ColumnType)>,
    described: BTreeMap<String, String>,
    total: u64,
    builder: Option<ParquetRecordBatchReaderBuilder<File>>,
    reader: Option<ParquetRecordBatchReader>,
    wanted: Arc<[String]>,
    done: u64,
}

impl ParquetFile {
    pub(super) fn open(path: &Path) -> Result<ParquetFile, Diagnostic> {
        let (file, _) = open_file(path)?;
        let opened = contained(|| {
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())
        });
        let builder = opened.map_err(|error| {
            let help = "check that the file is whole: a Parquet file ends with its description";
            refuse(
                path,
                "not_parquet",
                format!("not a Parquet file: {error}"),
                help,
            )
        })?;
        let fields = builder.schema().fields().iter();
        let described = fields.clone();
        let described = described.map(|f| (f.name().clone(), f.data_type().to_string()));
        let columns = fields.map(|f| (f.name().clone(), arrow::column_type(f.data_type())));
        let rows = builder.metadata().file_metadata().num_rows();
        Ok(ParquetFile {
            path: path.to_owned(),
            columns: columns.collect(),
            described: described.collect(),
            total: u64::try_from(rows).unwrap_or(0),
            builder: Some(builder),
            reader: None,
            wanted: Arc::new([]),
            done: 0,
        })
    }

    pub(super) fn columns(&self) -> Vec<(String, ColumnType)> {
        self.columns.clone()
    }

    pub(super) fn described(&self) -> BTreeMap<String, String> {
        self.described.clone()
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn want(&mut self, wanted: Arc<[String]>) -> Result<(), TableError> {
        let Some(builder) = self.builder.take() else {
            return Ok(());
        };
        let is_wanted = |(_, (name, _)): &(usize, &(String, _))| wanted.contains(name);
        let columns = self.columns.iter().enumerate().filter(is_wanted);
        let roots = columns.map(|(index, _)| index);
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_projection(mask);
        let builder = builder.with_batch_size(RECORDS_PER_BATCH);
        let built = contained(|| builder.build().map_err(|error| error.to_string()));
        let reader = built.map_err(|error| self.unreadable(error))?;
        self.reader = Some(reader);
        self.wanted = wanted;
        Ok(())
    }

    fn unreadable(&self, source: String) -> TableError {
        TableError::Read {
            path: self.path.clone(),
            done: self.done,
            source: source.into(),
        }
    }

    pub(super) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        let Some(mut reader) = self.reader.take() else {
            return Ok(None);
        };
        let next = contained(|| reader.next().transpose().map_err(|error| error.to_string()));
        let Some(batch) = next.map_err(|error| self.unreadable(error))? else {
            return match self.done == self.total {
                true => Ok(None),
                false => Err(self.unreadable(format!("it promises {} records", self.total))),
            };
        };
        self.reader = Some(reader);
        Ok(Some(arrow::block(&batch, &self.wanted, &mut self.done)))
    }
}

/// Runs the reader, which panics on some damaged files: one bad file must not end the process.
/// What panicked is not used again.
pub(crate) fn contained<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let damaged = || Err("the file is damaged".to_owned());
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| damaged())
}
