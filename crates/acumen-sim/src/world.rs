//! Worlds: one module each.

pub mod payments;
