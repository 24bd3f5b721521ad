//! The demonstration: a world's events, streamed over HTTP at a server in this process, and what
//! comes of them.

pub(crate) mod beside;
mod clock;
mod latency;
mod panel;
mod signals;
mod stream;
mod tally;
mod world;

pub(crate) use clock::StreamClock;
pub(crate) use panel::{Panel, View};
pub(crate) use signals::Stop;
pub(crate) use stream::{Stream, Target, lock};
pub(crate) use tally::{Judge, Tally};
pub(crate) use world::{Future, History};
