//! Rows, decisions and scores into Parquet, and rows into Arrow streams.

mod decisions;
mod output;
mod rows;
mod scores;
mod stream;

pub use decisions::write_decisions;
pub use rows::RowWriter;
pub use scores::{Scores, write_scores};
pub use stream::RowStream;
