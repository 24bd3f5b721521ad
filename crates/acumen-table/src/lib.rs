//! Columnar and text files into events, and rows and decisions into files.
//!
//! [`EventSource`] reads Parquet, CSV or NDJSON through a declared [`Mapping`] into events, in
//! batches of bounded size; [`RowWriter`] and [`write_decisions`] write Parquet that other engines
//! read as it is.
//!
//! # Invariants
//!
//! * One bad record costs that record: it is rejected with its place, its reason and its text,
//!   and the good ones are taken. A file that cannot be read any further is an error.
//! * Everything that is wrong with a mapping is reported at once, before the first record.
//! * Amounts never pass through an inexact number: a decimal number has to be a whole count of
//!   minor units.
//! * A file that is written is complete or not there: it is renamed when it is finished.
//!
//! It does not know what an event means, where state is kept, or what a log is.

mod address;
mod amount;
mod cell;
mod database;
mod declared;
mod error;
mod field;
mod file;
mod instant;
mod mapping;
mod objects;
mod order;
mod plan;
mod read_scores;
mod reader;
mod source;
mod stream;
mod template;
mod write;

pub use address::Environment;
pub use declared::SourceDecl;
pub use error::{SourceError, TableError};
pub use mapping::{
    Accuracy, After, Condition, CurrencySource, EventMapping, Format, KnownAt, Mapping, Scalar,
    Source, SourceFormat, Test, TimeSource, TimeUnit,
};
pub use order::sorted_by_known_at;
pub use read_scores::read_scores;
pub use reader::{Opening, SourceReader};
pub use source::{Batch, EventSource, RejectedRecord};
pub use template::{Piece, Template, TemplateError};
pub use write::{RowStream, RowWriter, Scores, write_decisions, write_scores};

/// Records that are read at once.
pub const RECORDS_PER_BATCH: usize = 8_192;

#[cfg(test)]
mod tests;
