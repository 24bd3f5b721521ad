//! Models of the sum that follows an origin: trained, compared, and asked.

mod candidates;
mod evaluate;
mod paged;
mod train;

pub use evaluate::{Tenth, ValueEvaluation, evaluate_values};
pub use paged::report_values;
pub(crate) use train::train_values;
