//! Every operator against a naive oracle, and the laws over every operator.

mod laws;
mod log;
mod oracle;
mod passes;
mod problems;
mod spec;
mod together;
