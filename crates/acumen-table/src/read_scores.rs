//! Scores that [`write_scores`](crate::write_scores) wrote.

use std::fs::File;
use std::path::Path;

use acumen_base::Time;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMillisecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::TableError;
use crate::file::contained;
use crate::write::Scores;

/// Reads a file of scores.
///
/// # Errors
/// Where it cannot be read, or is of other columns.
pub fn read_scores(path: &Path) -> Result<Scores, TableError> {
    let mut scores = Scores::default();
    let read = contained(|| {
        let text = |error: parquet::errors::ParquetError| error.to_string();
        let file = File::open(path).map_err(|error| error.to_string())?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(text)?;
        for batch in reader.build().map_err(text)? {
            let batch = batch.map_err(|error| error.to_string())?;
            take(&mut scores, &batch).ok_or("it holds other columns than scores")?;
        }
        Ok(())
    });
    read.map_err(|source| TableError::Read {
        path: path.to_owned(),
        done: scores.ids.len() as u64,
        source: source.into(),
    })?;
    Ok(scores)
}

/// Adds a batch; `None` where a column is missing or of another type.
fn take(scores: &mut Scores, batch: &RecordBatch) -> Option<()> {
    let numbers = |name: &str| {
        let column = batch.column_by_name(name)?;
        let column = column.as_primitive_opt::<Float64Type>()?;
        Some(column.iter().collect::<Vec<Option<f64>>>())
    };
    let texts = |name: &str| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        let texts = column.iter().map(|text| text.map(str::to_owned));
        Some(texts.collect::<Vec<Option<String>>>())
    };
    let (schema, ids) = (batch.schema(), batch.columns().first()?);
    scores.key.clone_from(schema.fields().first()?.name());
    let ids = ids.as_string_opt::<i32>()?.iter();
    scores
        .ids
        .extend(ids.map(|id| id.unwrap_or_default().into()));
    scores.value.extend(numbers("value")?);
    scores.low.extend(numbers("low")?);
    scores.high.extend(numbers("high")?);
    scores.alive.extend(numbers("probability_alive")?);
    scores.purchases.extend(numbers("expected_purchases")?);
    scores.segment.extend(texts("segment")?);
    scores.reason.extend(texts("reason")?);
    let origins = batch.column_by_name("origin")?;
    let origins = origins.as_primitive_opt::<TimestampMillisecondType>()?;
    if !origins.is_empty() {
        scores.origin = Time(origins.value(0));
        let version = texts("model_version")?.into_iter().flatten().next();
        scores.version = version.unwrap_or_default();
    }
    Some(())
}
