//! Lists: what may be shown to whoever asks, in which order, and why.
//!
//! ```text
//! item events ─────▶ Catalogue ─┐
//! feedback ──┬─────▶ Visitors ──┼─▶ Ranker: context ─ candidates ─ ranking ─ post-processing ─▶ list
//!            ├─────▶ Sights ────┘          ▲ sources beside each other       │
//!            └─────▶ Lists ─▶ bandit       │                                 │
//! log ──train──▶ sources ──────────────────┘                      Listing ◀──┘ (a record of the log)
//! ```
//!
//! A [`Shelf`](shelf::Shelf) is written by whoever applies the log, in its order, and read by
//! requests on their own threads: a list waits for no event, and every event that was acknowledged
//! before the request is in it. The same shelf, filled from the log, is what training reads.

mod ask;
mod asking;
mod catalogue;
mod choosing;
mod features;
mod heard;
mod judge;
mod kept;
mod listing;
mod lists;
mod moment;
mod off_policy;
pub(crate) mod order;
mod ordering;
mod parts;
mod picks;
mod places;
mod serve;
pub(crate) mod shelf;
mod shown;
mod sights;
mod similar;
mod sources;
mod telling;
mod train;
mod visitors;
mod why;
mod wish;

pub use acumen_decision::ranking::Measured;
pub use ask::{
    ArmLine, Because, EnsembleLine, ItemWhy, Moved, RankAnswer, RankRequest, RankedItem,
    RequestEvent, SimilarAnswer, SimilarItem, SourceLine, StageLine,
};
pub use lists::Told;
pub use off_policy::{PolicyEvaluation, evaluate_policy};
pub use ordering::RankerFigures;
pub(crate) use serve::Ranker;
pub use shelf::RankingStatus;
pub(crate) use shelf::{SavedChoices, SavedShelf, Shelf};
pub(crate) use sights::SavedSights;
pub(crate) use train::train_sources;
pub use train::{RankingTable, SourceFigures, judge_sources};
pub use wish::ITEMS_MAX;
