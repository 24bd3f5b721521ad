//! Policies as a caller meets them: compiled from specs, asked about events, replayed.

mod compiling;
mod deadlines;
mod explaining;
mod exploring;
mod fixtures;
mod precedence;
mod replaying;
mod switching;
