//! The program as its users run it: the built binary on folders of its own.

mod check;
mod journey;
mod program;
mod public_data;
mod serving;
