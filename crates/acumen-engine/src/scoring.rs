//! Each key of an entity scored: by the live model, at an origin or now.

mod batch;
mod live;
mod run;

pub use batch::{BatchOptions, BatchOutcome, score_all};
pub(crate) use live::LiveModel;
pub use live::Scored;
pub use run::Coverage;
