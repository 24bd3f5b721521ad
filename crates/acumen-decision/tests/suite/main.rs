//! Policies as a caller meets them: compiled from specs, asked about events, replayed.

mod beside;
mod compiling;
mod deadlines;
mod explaining;
mod exploring;
mod fixtures;
mod onlookers;
mod precedence;
mod replaying;
mod switching;
mod what_if;
