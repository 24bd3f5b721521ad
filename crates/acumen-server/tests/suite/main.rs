//! The server as its clients meet it: over a socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod client;
mod lists;
mod operations;
mod routes;
mod rules;
mod running;
mod updates;
mod values;
