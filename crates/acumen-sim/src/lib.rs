//! Synthetic worlds with known truth, broken input, and load.
//!
//! Turns a seed into events whose truth is known ([`world`]), a stream of events into the same
//! stream as a bad network would deliver it ([`fault`]), and a rate into an arrival schedule
//! ([`load`]). The same parameters and seed give the same bytes; nothing here reads a clock, a
//! file or the network.
//!
//! It knows nothing of what is made of its events: no features, models or decisions. Words of one
//! business stand only below [`world`].

pub mod fault;
pub mod load;
pub mod wire;
pub mod world;
