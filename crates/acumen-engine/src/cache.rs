//! Rows that have been read once, kept by column, so that a question about all of the past takes
//! no replay.
//!
//! Beside the log lies, for each use case, a copy of what a replay of the log gives: the rows of
//! the decided events with their fields, and what was said and done about them. It holds a prefix
//! of the log and the state of the features behind it: what was logged since is replayed from
//! there. It can be deleted at any time; the log gives it back (ADR 8).

mod facts;
mod fill;
mod packed;
mod part;
mod store;

pub(crate) use facts::{Made, Said};
pub(crate) use fill::{Reach, prepare};
pub(crate) use part::Part;
pub(crate) use store::Prepared;
