//! Rows and decisions into Parquet, and rows into Arrow streams.

mod decisions;
mod output;
mod rows;
mod stream;

pub use decisions::write_decisions;
pub use rows::RowWriter;
pub use stream::RowStream;
