//! Rows into Parquet: the event's id and time, then one column a feature.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Columns, Time};
use arrow_array::{ArrayRef, Float64Array, StringArray, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::file::metadata::KeyValue;

use crate::error::TableError;
use crate::write::output::Output;

/// What rows look like as columns: `event_id`, `event_time`, one `double` a feature.
pub(super) struct RowShape {
    pub(super) schema: Arc<Schema>,
    width: usize,
}

impl RowShape {
    pub(super) fn new(columns: &Columns) -> RowShape {
        let mut fields = vec![
            Field::new("event_id", DataType::Utf8, false),
            time_field("event_time"),
        ];
        let features = columns.list.iter();
        fields.extend(features.map(|c| Field::new(&c.name, DataType::Float64, true)));
        RowShape {
            schema: Arc::new(Schema::new(fields)),
            width: columns.len(),
        }
    }

    /// Rows as arrays; `None` where there are none.
    pub(super) fn arrays<Id: AsRef<str>>(
        &self,
        path: &Path,
        ids: &[Id],
        times: &[Time],
        values: &[f64],
    ) -> Result<Option<Vec<ArrayRef>>, TableError> {
        let rows = ids.len();
        if times.len() != rows || values.len() != rows * self.width {
            let (times, values) = (times.len(), values.len());
            return Err(TableError::Shape {
                path: path.to_owned(),
                problem: format!(
                    "{rows} ids, {times} times and {values} values are not rows of {} columns",
                    self.width
                ),
            });
        }
        if rows == 0 {
            return Ok(None);
        }
        let ids = StringArray::from_iter_values(ids);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids), time_array(times.iter().copied())];
        for column in values.chunks_exact(rows) {
            let values = column.iter().map(|v| (!v.is_nan()).then_some(*v));
            columns.push(Arc::new(values.collect::<Float64Array>()));
        }
        Ok(Some(columns))
    }
}

/// Writes rows block by block; the file appears when it is finished.
///
/// The columns are `event_id` (text), `event_time` (milliseconds, UTC) and one `double` a
/// feature, where missing is null. The fingerprint of the columns stands in the file's metadata
/// as `acumen.columns`.
pub struct RowWriter {
    output: Output,
    shape: RowShape,
}

impl RowWriter {
    /// Begins a file of rows with these columns.
    pub fn create(path: &Path, columns: &Columns) -> Result<RowWriter, TableError> {
        let shape = RowShape::new(columns);
        let fingerprint = format!("{:016x}", columns.fingerprint);
        let notes = vec![KeyValue::new("acumen.columns".to_owned(), fingerprint)];
        Ok(RowWriter {
            output: Output::create(path, Arc::clone(&shape.schema), notes)?,
            shape,
        })
    }

    /// Appends rows: an id and a time for each, and their values column by column (all rows of
    /// the first column, then all of the second, …); NaN is missing.
    pub fn write<Id: AsRef<str>>(
        &mut self,
        ids: &[Id],
        times: &[Time],
        values: &[f64],
    ) -> Result<(), TableError> {
        match self.shape.arrays(self.output.path(), ids, times, values)? {
            Some(columns) => self.output.write(columns),
            None => Ok(()),
        }
    }

    /// Ends the file and gives it its name.
    pub fn finish(self) -> Result<(), TableError> {
        self.output.finish()
    }
}

/// A column of instants.
pub(super) fn time_field(name: &str) -> Field {
    let kind = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    Field::new(name, kind, false)
}

/// Instants as an array of [`time_field`].
pub(super) fn time_array(times: impl Iterator<Item = Time>) -> ArrayRef {
    let millis = TimestampMillisecondArray::from_iter_values(times.map(|time| time.0));
    Arc::new(millis.with_timezone("UTC"))
}
