//! Bytes and records into a durable, ordered, deduplicated log.
//!
//! * [`Decoder`] turns JSON into typed [`Event`](acumen_base::Event)s, or says everything that is
//!   wrong with it; [`Quarantine`] keeps what was refused until someone mends it.
//! * [`Log`] keeps every [`Record`](acumen_base::Record) in order, in checksummed segments.
//!   A record is acknowledged only behind [`Log::commit`] or [`SyncHandle::sync`].
//! * [`LogReader`] and [`Records`] read it again, from any position, beside the writer.
//! * [`Seen`] knows which event ids the log holds; [`Snapshots`] keep derived state, and allow the
//!   log behind them to be trimmed.
//!
//! Positions count records 0, 1, 2, … without a gap. An event is read with the type that it was
//! written with; [`conform`] reads it as today's.
//!
//! A crash in the middle of a write leaves a torn end: it is cut off when the log is opened.
//! Damage that whole records follow is an error that names file, byte and position; only salvage
//! mode reads on behind it. After a failed write or sync nothing is acknowledged any more.
//!
//! This crate knows nothing of features, models or decisions' meaning, starts no thread and reads
//! no clock.

mod bytes;
mod codec;
mod decode;
mod error;
mod log;
mod quarantine;
mod reader;
mod schema;
mod seen;
mod segment;
mod snapshots;
mod summary;
mod sync;

pub use decode::{DecodeLimits, Decoder, Item, Items, Problem, Rejected};
pub use error::LogError;
pub use log::{Durability, LOG_BUFFER_BYTES_MAX, Log, LogOptions, Recovery, Trimmed};
pub use quarantine::{
    Counters, QUARANTINE_BYTES_MAX, QUARANTINED_ORIGINAL_BYTES_MAX, Quarantine, Quarantined,
};
pub use reader::{LogReader, Records};
pub use schema::conform;
pub use seen::{Freshness, Seen, SeenError};
pub use snapshots::{Latest, Snapshot, Snapshots};
pub use sync::SyncHandle;
