//! One stretch of the log as streams of bytes: a column each, so that only what a question reads
//! is fetched.

use std::sync::Arc;

use acumen_base::key::hash64;
use acumen_base::{Event, Value};
use serde::de::DeserializeOwned;

use super::facts::Facts;
use super::packed::{pack, unpack};
use super::store::Source;
use crate::error::EngineError;

/// Which stream holds what, in rows of so many columns and events of so many fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) columns: usize,
    pub(crate) fields: usize,
}

const POSITIONS: usize = 0;
const TIMES: usize = 1;
const IDS: usize = 2;
const NAMES: usize = 3;
const FACTS: usize = 4;
const FIRST: usize = 5;

impl Layout {
    fn column(self, column: usize) -> usize {
        FIRST + column
    }

    fn field(self, field: usize) -> usize {
        FIRST + self.columns + field
    }

    /// How many streams a stretch has.
    pub(super) fn streams(self) -> usize {
        FIRST + self.columns + self.fields
    }
}

/// Rows while they are gathered.
pub(super) struct Gathering {
    layout: Layout,
    events: Vec<(Arc<Event>, u64)>,
    columns: Vec<Vec<f64>>,
    pub(super) facts: Facts,
}

impl Gathering {
    pub(super) fn new(layout: Layout) -> Gathering {
        Gathering {
            layout,
            events: Vec::new(),
            columns: vec![Vec::new(); layout.columns],
            facts: Facts::default(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.facts.is_empty()
    }

    /// Takes in events with their positions, and their rows by column.
    pub(super) fn add(
        &mut self,
        events: impl Iterator<Item = (Arc<Event>, u64)>,
        rows: &[Vec<f64>],
    ) {
        self.events.extend(events);
        for (column, values) in self.columns.iter_mut().zip(rows) {
            column.extend_from_slice(values);
        }
    }

    /// The stretch as streams, with how many rows it has.
    pub(super) fn streams(self) -> (usize, Vec<Vec<u8>>) {
        let events = &self.events;
        let mut streams = Vec::with_capacity(self.layout.streams());
        streams.push(longs(events.iter().map(|(_, position)| *position)));
        streams.push(longs(
            events.iter().map(|(event, _)| event.event_time.0 as u64),
        ));
        streams.push(longs(
            events.iter().map(|(event, _)| hash64(event.id.as_bytes())),
        ));
        let names: Vec<&str> = events.iter().map(|(event, _)| &*event.id).collect();
        streams.push(plain(&names));
        streams.push(plain(&self.facts));
        streams.extend(self.columns.iter().map(|column| pack(column)));
        for field in 0..self.layout.fields {
            let values: Vec<&Value> = events
                .iter()
                .map(|(event, _)| &event.values[field])
                .collect();
            streams.push(plain(&values));
        }
        (events.len(), streams)
    }
}

fn longs(values: impl Iterator<Item = u64>) -> Vec<u8> {
    values.flat_map(u64::to_le_bytes).collect()
}

fn plain(value: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("writing plain values to memory cannot fail")
}

/// One stretch, of which streams are read one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(super) layout: Layout,
    pub(super) rows: usize,
    pub(super) source: Source<'a>,
}

impl Part<'_> {
    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The log position of each event, rising.
    pub(crate) fn positions(&self) -> Result<Vec<u64>, EngineError> {
        self.longs(POSITIONS)
    }

    /// When each event happened, in milliseconds.
    pub(crate) fn times(&self) -> Result<Vec<i64>, EngineError> {
        let times = self.longs(TIMES)?;
        Ok(times.into_iter().map(|time| time as i64).collect())
    }

    /// The hash of each event's id.
    pub(crate) fn ids(&self) -> Result<Vec<u64>, EngineError> {
        self.longs(IDS)
    }

    /// The id of each event.
    pub(crate) fn names(&self) -> Result<Vec<Arc<str>>, EngineError> {
        self.each(NAMES)
    }

    /// What the stretch says beside its rows.
    pub(crate) fn facts(&self) -> Result<Facts, EngineError> {
        self.plain(FACTS)
    }

    /// A column of the rows.
    pub(crate) fn column(&self, column: usize) -> Result<Vec<f64>, EngineError> {
        let bytes = self.source.read(self.layout.column(column))?;
        unpack(&bytes, self.rows).ok_or_else(|| self.source.damaged())
    }

    /// A field of the events.
    pub(crate) fn field(&self, field: usize) -> Result<Vec<Value>, EngineError> {
        self.each(self.layout.field(field))
    }

    /// A value for each row.
    fn each<T: DeserializeOwned>(&self, stream: usize) -> Result<Vec<T>, EngineError> {
        let values: Vec<T> = self.plain(stream)?;
        match values.len() == self.rows {
            true => Ok(values),
            false => Err(self.source.damaged()),
        }
    }

    fn longs(&self, stream: usize) -> Result<Vec<u64>, EngineError> {
        let bytes = self.source.read(stream)?;
        let (longs, rest) = bytes.as_chunks::<8>();
        if longs.len() != self.rows || !rest.is_empty() {
            return Err(self.source.damaged());
        }
        Ok(longs.iter().map(|long| u64::from_le_bytes(*long)).collect())
    }

    fn plain<T: DeserializeOwned>(&self, stream: usize) -> Result<T, EngineError> {
        let bytes = self.source.read(stream)?;
        postcard::from_bytes(&bytes).map_err(|_| self.source.damaged())
    }
}
