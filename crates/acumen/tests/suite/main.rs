//! The program as its users run it: the built binary on folders of its own.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod check;
mod demo;
mod ingesting;
mod journey;
mod outside;
mod program;
mod public_data;
mod rules;
mod serving;
mod updates;
