//! Rows, decisions and scores into Parquet.

mod decisions;
mod output;
mod rows;
mod scores;

pub use decisions::write_decisions;
pub use rows::RowWriter;
pub use scores::{Scores, write_scores};
