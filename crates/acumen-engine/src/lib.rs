//! A use case folder into a checked plan, and everything that runs it.

pub mod spec;
