//! Rows into an Arrow stream, for the engine that asked for them.

use std::io::Write;

use acumen_base::{Columns, Time};
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;

use crate::error::TableError;
use crate::stream::NAME;
use crate::write::rows::RowShape;

/// Writes rows block by block, with the columns of [`RowWriter`](crate::RowWriter).
pub struct RowStream<W: Write> {
    shape: RowShape,
    writer: StreamWriter<W>,
}

impl<W: Write> RowStream<W> {
    /// Begins a stream of rows with these columns.
    pub fn begin(output: W, columns: &Columns) -> Result<RowStream<W>, TableError> {
        let shape = RowShape::new(columns);
        let writer = StreamWriter::try_new(output, &shape.schema).map_err(failed)?;
        Ok(RowStream { shape, writer })
    }

    /// Appends rows as [`RowWriter::write`](crate::RowWriter::write) does.
    pub fn write<Id: AsRef<str>>(
        &mut self,
        ids: &[Id],
        times: &[Time],
        values: &[f64],
    ) -> Result<(), TableError> {
        let Some(arrays) = self.shape.arrays(NAME.as_ref(), ids, times, values)? else {
            return Ok(());
        };
        let schema = std::sync::Arc::clone(&self.shape.schema);
        let batch = RecordBatch::try_new(schema, arrays).map_err(failed)?;
        self.writer.write(&batch).map_err(failed)
    }

    /// Ends the stream.
    pub fn finish(mut self) -> Result<(), TableError> {
        self.writer.finish().map_err(failed)
    }
}

fn failed(source: arrow_schema::ArrowError) -> TableError {
    TableError::Write {
        path: NAME.into(),
        source: Box::new(source),
    }
}
