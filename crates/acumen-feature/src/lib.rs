//! Events into rows, through operators with a write side and a read side.
//!
//! A [`Pipeline`] is compiled from a [`PipelineSpec`] and fed the log in order, one event at a
//! time ([`Pipeline::step`]) or many ([`Pipeline::step_many`]); both give the same rows, bit for
//! bit, and there is no other way to a row, live, replayed or in training.
//!
//! # What a row reads
//!
//! A row of event x at time t reads the events of `(t - w, t]` that stand before x in the log,
//! which is ordered by (`known_at`, position), plus x itself unless the feature excludes it. Rows
//! are read from the state before x and x is added by value, so that a row does not depend on
//! whether x may be applied. An event that became known later than its type allows is counted and
//! never applied; its row is read of the state as it is, which may have forgotten what no event
//! in time could ask for. A late event in time reads, and is read, exactly.
//!
//! A value whose operand is missing is missing (NaN) and counted, never zero: where the current
//! event lacks the operand, or its key; where no rate is known for its currency; where a number
//! is beyond [`OPERAND_UNITS_MAX`]. An empty window has a count and a sum of 0.
//!
//! # Numbers
//!
//! Money is summed in minor units of the base currency, other numbers in millionths, all in
//! integers: no result depends on an order of addition. Columns of money are in major units.
//!
//! # State
//!
//! It is either integers that add or a bounded set of events, so that the states of two parts of
//! a log merge ([`Pipeline::merge`]); it is saved and loaded whole, and refused by a pipeline of
//! another definition. Parts have to be merged within the time in which outcomes close, and where
//! a `where` reads columns of a key, all events of that key have to be in one part.
//!
//! It does not know what rows are for, nor where events come from; it reads no clock.

mod adopt;
mod batch;
mod builder;
mod compile;
mod condition;
mod derive;
mod entity;
mod gather;
mod history;
mod neighbourhood;
mod occurrences;
mod operand;
pub mod operator;
mod outcome;
mod pass;
mod pipeline;
mod plan;
mod problem;
mod rates;
mod reader;
mod ring;
mod snapshot;
mod spec;
mod state;
mod stateless;
mod unite;
mod windows;

pub use batch::Block;
pub use entity::{entity_id, id_fields};
pub use neighbourhood::{Neighbourhood, Reached};
pub use operand::{NUMBER_UNITS, OPERAND_UNITS_MAX};
pub use operator::{OPERATORS, Operator};
pub use pass::{EVENTS, Pass, passes};
pub use pipeline::{Applied, Counters, EntityValue, Pipeline};
pub use problem::Problem;
pub use snapshot::{STATE_VERSION, StateError};
pub use spec::{
    Entity, FeatureSpec, Operand, OutcomeSpec, Param, PipelineSpec, Rates, Verdicts, ViewSpec,
};
