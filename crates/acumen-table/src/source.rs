//! Records as a stream of events.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use acumen_base::limits::ID_BYTES_MAX;
use acumen_base::{Diagnostic, Event, EventType, Place, Time};

use crate::cell::{Block, ColumnType};
use crate::database::TableReader;
use crate::error::TableError;
use crate::field::{self, Refusal};
use crate::file::FileReader;
use crate::mapping::{EventMapping, Mapping};
use crate::plan::{EventPlan, KnownReading, Plan, plan};
use crate::stream::{self, ArrowStream};

/// A record, or one event of it, that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRecord {
    /// The file, and the line of the record (in Parquet and tables its row, from 1).
    pub place: Place,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The record as it was written; from columns, those that were read, as JSON.
    pub original: String,
}

/// The events of some records.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The events, in the order of the records and, within a record, of the mapping.
    pub events: Vec<Event>,
    /// What was not taken.
    pub rejected: Vec<RejectedRecord>,
    /// Records of guests: without the id that the mapping names.
    pub guests: u64,
    /// Records of which no condition of the mapping holds, so that they give no event.
    pub unmatched: u64,
    /// Records (Parquet, tables) or bytes (CSV, NDJSON) that are read so far.
    pub done: u64,
    /// Records or bytes in all, where that is known.
    pub total: Option<u64>,
}

impl Batch {
    /// Adds what another one holds.
    pub(crate) fn take(&mut self, other: Batch) {
        self.events.extend(other.events);
        self.rejected.extend(other.rejected);
        self.guests += other.guests;
        self.unmatched += other.unmatched;
        self.done = other.done;
        self.total = other.total;
    }
}

/// What a block can come from.
pub(crate) enum BlockReader {
    File(FileReader),
    Table(Box<TableReader>),
    Stream(Box<ArrowStream>),
}

impl BlockReader {
    fn columns(&self) -> Option<Vec<(String, ColumnType)>> {
        match self {
            BlockReader::File(file) => file.columns(),
            BlockReader::Table(table) => Some(table.columns()),
            BlockReader::Stream(stream) => Some(stream.columns()),
        }
    }

    /// The columns with their types, as the file or the database names them; none, where it does
    /// not say beforehand.
    pub(crate) fn described(&self) -> BTreeMap<String, String> {
        match self {
            BlockReader::File(file) => file.described(),
            BlockReader::Table(table) => table.described(),
            BlockReader::Stream(stream) => stream.described(),
        }
    }

    fn want(&mut self, wanted: Arc<[String]>) -> Result<(), TableError> {
        match self {
            BlockReader::File(file) => file.want(wanted),
            BlockReader::Table(table) => table.want(&wanted),
            BlockReader::Stream(stream) => {
                stream.want(wanted);
                Ok(())
            }
        }
    }

    fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        match self {
            BlockReader::File(file) => file.next_block(),
            BlockReader::Table(table) => table.next_block(),
            BlockReader::Stream(stream) => stream.next_block(),
        }
    }

    fn total(&self) -> Option<u64> {
        match self {
            BlockReader::File(file) => file.total(),
            BlockReader::Table(_) | BlockReader::Stream(_) => None,
        }
    }
}

/// Records that are read as events, [`crate::RECORDS_PER_BATCH`] at a time.
pub struct EventSource {
    name: String,
    reader: BlockReader,
    plan: Plan,
    received_at: Time,
    buffer: String,
    /// The block that was read ahead, to see what its times look like.
    ahead: Option<Result<Option<Block>, TableError>>,
}

impl EventSource {
    /// Opens a file and checks the mapping against it and the declared types of events; the
    /// events are marked as received at `received_at`.
    ///
    /// Gives every problem at once: a file that cannot be read, an unknown event type, field or
    /// column, a required field that is not mapped, a column of a type that cannot be converted,
    /// times without a zone. NDJSON does not say beforehand which columns it has: there, a column
    /// that is missing shows as rejected records.
    pub fn open(
        path: &Path,
        mapping: &Mapping,
        types: &[Arc<EventType>],
        received_at: Time,
    ) -> Result<EventSource, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let file =
            FileReader::open(path, mapping.source.format).map_err(|problem| vec![problem])?;
        let reader = BlockReader::File(file);
        EventSource::over(name, reader, &mapping.events, types, received_at)
    }

    /// The same over an Arrow stream (the streaming form of Arrow's IPC format).
    pub fn of_stream(
        input: Box<dyn std::io::Read + Send>,
        mapping: &Mapping,
        types: &[Arc<EventType>],
        received_at: Time,
    ) -> Result<EventSource, Vec<Diagnostic>> {
        let opened = ArrowStream::open(input).map_err(|problem| vec![problem])?;
        let reader = BlockReader::Stream(Box::new(opened));
        let name = stream::NAME.to_owned();
        EventSource::over(name, reader, &mapping.events, types, received_at)
    }

    /// The same over whatever gives blocks, under the name that its problems are given.
    pub(crate) fn over(
        name: String,
        mut reader: BlockReader,
        mapping: &[EventMapping],
        types: &[Arc<EventType>],
        received_at: Time,
    ) -> Result<EventSource, Vec<Diagnostic>> {
        let plan = plan(&name, reader.columns(), mapping, types)?;
        reader.want(Arc::clone(&plan.columns)).map_err(|error| {
            let help = "check that it is whole and can be reached";
            vec![Diagnostic::new("unreadable_file", error.to_string(), help)]
        })?;
        let ahead = reader.next_block();
        if let Ok(Some(first)) = &ahead {
            let problems = plan.naive_times(&name, first);
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        Ok(EventSource {
            name,
            reader,
            plan,
            received_at,
            buffer: String::new(),
            ahead: Some(ahead),
        })
    }

    /// Records (Parquet) or bytes (CSV, NDJSON) in all, where that is known.
    pub fn total(&self) -> Option<u64> {
        self.reader.total()
    }

    /// The columns that are read, with their types as the file or the database names them.
    pub(crate) fn columns_read(&self) -> BTreeMap<String, String> {
        let mut columns = self.reader.described();
        columns.retain(|column, _| self.plan.columns.contains(column));
        columns
    }

    /// The table that is read, where it is one.
    pub(crate) fn table(&self) -> Option<&TableReader> {
        match &self.reader {
            BlockReader::Table(table) => Some(table),
            BlockReader::File(_) | BlockReader::Stream(_) => None,
        }
    }

    /// The events of the next records, or `None` at the end.
    ///
    /// After an error nothing can be read any further; what was given before stands.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, TableError> {
        let next = match self.ahead.take() {
            Some(block) => block,
            None => self.reader.next_block(),
        };
        let Some(mut block) = next? else {
            return Ok(None);
        };
        let mut batch = Batch {
            events: Vec::with_capacity(block.len),
            rejected: std::mem::take(&mut block.malformed),
            done: block.done,
            total: self.reader.total(),
            ..Batch::default()
        };
        for row in 0..block.len {
            self.record(&block, row, &mut batch);
        }
        batch.rejected.sort_by_key(|rejected| rejected.place.line);
        Ok(Some(batch))
    }

    /// Adds what one record gives.
    fn record(&mut self, block: &Block, row: usize, batch: &mut Batch) {
        let (mut guest, mut matched) = (false, false);
        for plan in &self.plan.events {
            if !plan
                .when
                .iter()
                .all(|condition| condition.holds(block, row))
            {
                continue;
            }
            matched = true;
            if plan.is_guest(block, row) {
                guest = true;
                continue;
            }
            match build(plan, block, row, self.received_at, &mut self.buffer) {
                Ok(event) => batch.events.push(event),
                Err(refusal) => batch.rejected.push(self.reject(plan, block, row, refusal)),
            }
        }
        batch.guests += u64::from(guest);
        batch.unmatched += u64::from(!matched);
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
                file: self.name.clone(),
                line: u32::try_from(block.lines.of(row)).unwrap_or(u32::MAX),
                column: 0,
            },
            message: format!("{}: {problem}", plan.kind.name),
            help: help.to_owned(),
            original: block.original(row),
        }
    }
}

/// The event of a record.
fn build(
    plan: &EventPlan,
    block: &Block,
    row: usize,
    received_at: Time,
    buffer: &mut String,
) -> Result<Event, Refusal> {
    let missing = |what: &str| (format!("the {what} is missing"), "fill it in");
    let of =
        |what: &'static str| move |(problem, help): Refusal| (format!("{what}: {problem}"), help);
    let event_time = plan.time.read(block, row).map_err(of("the time"))?;
    let event_time = event_time.ok_or_else(|| missing("time"))?;
    let known_at = match &plan.known_at {
        KnownReading::Delay(delay) => event_time + *delay,
        KnownReading::Column(reading) => {
            let known_at = reading.read(block, row).map_err(of("known_at"))?;
            known_at.ok_or_else(|| missing("instant at which it became known"))?
        }
    };
    if !field::fill(&plan.id, block, row, buffer).map_err(of("the id"))? {
        return Err(missing("id"));
    }
    field::refuse_long(buffer, ID_BYTES_MAX).map_err(of("the id"))?;
    let id = Arc::from(buffer.as_str());
    let mut values = Vec::with_capacity(plan.fields.len());
    for field in &plan.fields {
        values.push(field.read(block, row, buffer)?);
    }
    Ok(Event {
        kind: Arc::clone(&plan.kind),
        id,
        event_time,
        known_at,
        received_at,
        values,
    })
}
