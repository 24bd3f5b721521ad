//! An Arrow stream of records, as another engine hands it over.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::sync::Arc;

use acumen_base::Diagnostic;
use arrow_ipc::reader::StreamReader;

use crate::cell::{Block, ColumnType};
use crate::error::TableError;
use crate::file::arrow;

/// What the stream is called where something is wrong with it.
pub(crate) const NAME: &str = "the Arrow stream";

/// An open stream.
pub(crate) struct ArrowStream {
    reader: StreamReader<BufReader<Box<dyn Read + Send>>>,
    wanted: Arc<[String]>,
    done: u64,
}

impl ArrowStream {
    pub(crate) fn open(input: Box<dyn Read + Send>) -> Result<ArrowStream, Diagnostic> {
        let opened = StreamReader::try_new_buffered(input, None);
        let reader = opened.map_err(|error| {
            let message = format!("{NAME} cannot be read: {error}");
            let help = "hand over the streaming form of Arrow's IPC format, not its file form";
            Diagnostic::new("not_arrow", message, help)
        })?;
        Ok(ArrowStream {
            reader,
            wanted: Arc::new([]),
            done: 0,
        })
    }

    pub(crate) fn columns(&self) -> Vec<(String, ColumnType)> {
        let schema = self.reader.schema();
        let fields = schema.fields().iter();
        let column =
            |f: &Arc<arrow_schema::Field>| (f.name().clone(), arrow::column_type(f.data_type()));
        fields.map(column).collect()
    }

    pub(crate) fn described(&self) -> BTreeMap<String, String> {
        let schema = self.reader.schema();
        let fields = schema.fields().iter();
        fields
            .map(|f| (f.name().clone(), f.data_type().to_string()))
            .collect()
    }

    pub(crate) fn want(&mut self, wanted: Arc<[String]>) {
        self.wanted = wanted;
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        let next = self.reader.next().transpose();
        let next = next.map_err(|error| TableError::Read {
            path: NAME.into(),
            done: self.done,
            source: Box::new(error),
        })?;
        let Some(batch) = next else {
            return Ok(None);
        };
        Ok(Some(arrow::block(&batch, &self.wanted, &mut self.done)))
    }
}
