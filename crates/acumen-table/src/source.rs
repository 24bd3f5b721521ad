//! A file as a stream of events.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::limits::ID_BYTES_MAX;
use acumen_base::{Diagnostic, Event, EventType, Place, Time};

use crate::cell::Block;
use crate::error::TableError;
use crate::field::{self, Refusal};
use crate::file::FileReader;
use crate::mapping::Mapping;
use crate::plan::{EventPlan, KnownReading, plan};

/// A record, or one event of it, that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRecord {
    /// The file, and the line of the record (in Parquet its row, from 1).
    pub place: Place,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The record as it was written; from Parquet, the columns that were read, as JSON.
    pub original: String,
}

/// The events of some records.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The events, in the order of the records and, within a record, of the mapping.
    pub events: Vec<Event>,
    /// What was not taken.
    pub rejected: Vec<RejectedRecord>,
    /// Records (Parquet) or bytes (CSV, NDJSON) that are read so far.
    pub done: u64,
    /// Records or bytes in all, where that is known.
    pub total: Option<u64>,
}

/// A file that is read as events, [`crate::RECORDS_PER_BATCH`] records at a time.
pub struct EventSource {
    path: PathBuf,
    file: FileReader,
    events: Vec<EventPlan>,
    received_at: Time,
    buffer: String,
}

impl EventSource {
    /// Opens a file and checks the mapping against it and the declared types of events; the
    /// events are marked as received at `received_at`.
    ///
    /// Gives every problem at once: a file that cannot be read, an unknown event type, field or
    /// column, a required field that is not mapped, a column of a type that cannot be converted.
    /// NDJSON does not say beforehand which columns it has: there, a column that is missing shows
    /// as rejected records.
    pub fn open(
        path: &Path,
        mapping: &Mapping,
        types: &[Arc<EventType>],
        received_at: Time,
    ) -> Result<EventSource, Vec<Diagnostic>> {
        let mut file =
            FileReader::open(path, mapping.source.format).map_err(|problem| vec![problem])?;
        let plan = plan(path, file.columns(), mapping, types)?;
        file.want(Arc::clone(&plan.columns)).map_err(|error| {
            let help = "check that the file is whole";
            vec![Diagnostic::new("unreadable_file", error.to_string(), help)]
        })?;
        Ok(EventSource {
            path: path.to_owned(),
            file,
            events: plan.events,
            received_at,
            buffer: String::new(),
        })
    }

    /// Records (Parquet) or bytes (CSV, NDJSON) in all, where that is known.
    pub fn total(&self) -> Option<u64> {
        self.file.total()
    }

    /// The events of the next records, or `None` at the end of the file.
    ///
    /// After an error the file cannot be read any further; what was given before stands.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, TableError> {
        let Some(mut block) = self.file.next_block()? else {
            return Ok(None);
        };
        let mut batch = Batch {
            events: Vec::with_capacity(block.len),
            rejected: std::mem::take(&mut block.malformed),
            done: block.done,
            total: self.file.total(),
        };
        for row in 0..block.len {
            for plan in &self.events {
                match build(plan, &block, row, self.received_at, &mut self.buffer) {
                    Ok(Some(event)) => batch.events.push(event),
                    Ok(None) => {}
                    Err(refusal) => batch.rejected.push(self.reject(plan, &block, row, refusal)),
                }
            }
        }
        batch.rejected.sort_by_key(|rejected| rejected.place.line);
        Ok(Some(batch))
    }

    fn reject(
        &self,
        plan: &EventPlan,
        block: &Block,
        row: usize,
        (problem, help): Refusal,
    ) -> RejectedRecord {
        RejectedRecord {
            place: Place {
                file: self.path.display().to_string(),
                line: u32::try_from(block.lines.of(row)).unwrap_or(u32::MAX),
                column: 0,
            },
            message: format!("{}: {problem}", plan.kind.name),
            help: help.to_owned(),
            original: block.original(row),
        }
    }
}

/// The event of a record; `None` where its condition does not hold.
fn build(
    plan: &EventPlan,
    block: &Block,
    row: usize,
    received_at: Time,
    buffer: &mut String,
) -> Result<Option<Event>, Refusal> {
    if let Some((column, value)) = &plan.when
        && !field::is_equal(block.columns[*column].cell(row), value)
    {
        return Ok(None);
    }
    let missing = |what: &str| (format!("the {what} is missing"), "fill it in");
    let event_time = plan.time.read(block, row)?;
    let event_time = event_time.ok_or_else(|| missing("time"))?;
    let known_at = match &plan.known_at {
        KnownReading::Delay(delay) => event_time + *delay,
        KnownReading::Column(reading) => {
            let known_at = reading.read(block, row)?;
            known_at.ok_or_else(|| missing("instant at which it became known"))?
        }
    };
    if !field::fill(&plan.id, block, row, buffer)? {
        return Err(missing("id"));
    }
    field::refuse_long(buffer, ID_BYTES_MAX)?;
    let id = Arc::from(buffer.as_str());
    let mut values = Vec::with_capacity(plan.fields.len());
    for field in &plan.fields {
        values.push(field.read(block, row, buffer)?);
    }
    Ok(Some(Event {
        kind: Arc::clone(&plan.kind),
        id,
        event_time,
        known_at,
        received_at,
        values,
    }))
}
