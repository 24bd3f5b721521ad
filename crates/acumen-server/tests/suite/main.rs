//! The server as its clients meet it: over a socket.

mod bad_input;
mod client;
mod operations;
mod routes;
mod running;
