//! Rows and decisions into Parquet.

mod decisions;
mod output;
mod rows;

pub use decisions::write_decisions;
pub use rows::RowWriter;
