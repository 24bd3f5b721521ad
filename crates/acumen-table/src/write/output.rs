//! A Parquet file that is complete or not there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::error::TableError;

/// Writes beside the file that is wanted, and renames at the end; dropped before that, it leaves
/// nothing behind.
pub(super) struct Output {
    path: PathBuf,
    partial: PathBuf,
    schema: Arc<Schema>,
    writer: Option<ArrowWriter<File>>,
}

impl Output {
    /// Begins a file with these columns and notes.
    pub(super) fn create(
        path: &Path,
        schema: Arc<Schema>,
        notes: Vec<KeyValue>,
    ) -> Result<Output, TableError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("acumen ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(notes))
            .build();
        let mut output = Output {
            path: path.to_owned(),
            partial,
            schema: Arc::clone(&schema),
            writer: None,
        };
        let file = File::create(&output.partial).map_err(|error| output.failed(error))?;
        let writer = ArrowWriter::try_new(file, schema, Some(properties));
        output.writer = Some(writer.map_err(|error| output.failed(error))?);
        Ok(output)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends rows, column by column.
    pub(super) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), TableError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|error| self.failed(error))?;
        match &mut self.writer {
            Some(writer) => writer.write(&batch).map_err(|error| self.failed(error)),
            None => Ok(()),
        }
    }

    /// Ends the file, waits until it is on the disk, and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), TableError> {
        if let Some(writer) = self.writer.take() {
            let file = writer.into_inner().map_err(|error| self.failed(error))?;
            file.sync_all().map_err(|error| self.failed(error))?;
        }
        fs::rename(&self.partial, &self.path).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: impl std::error::Error + Send + Sync + 'static) -> TableError {
        TableError::Write {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove, and nothing to say about that.
        let _ = fs::remove_file(&self.partial);
    }
}
