//! Events into rows, through operators with a write side and a read side.

mod batch;
mod compile;
mod derive;
mod entity;
mod gather;
mod history;
mod occurrences;
mod operand;
pub mod operator;
mod outcome;
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
mod windows;

pub use batch::Block;
pub use operand::{NUMBER_UNITS, OPERAND_UNITS_MAX};
pub use operator::{OPERATORS, Operator};
pub use pipeline::{Applied, Counters, EntityValue, Pipeline};
pub use problem::Problem;
pub use snapshot::{STATE_VERSION, StateError};
pub use spec::{Entity, FeatureSpec, Operand, OutcomeSpec, Param, PipelineSpec, Rates, ViewSpec};
