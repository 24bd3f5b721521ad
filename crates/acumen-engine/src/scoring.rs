//! Each key of an entity scored: by the live model, at an origin or now.

mod answer;
mod batch;
mod cache;
mod live;
mod online;
mod run;

pub use answer::ValueAnswer;
pub use batch::{BatchOptions, BatchOutcome, score_all};
pub(crate) use cache::{ScoreCache, Ticket};
pub(crate) use live::LiveModel;
pub use live::Scored;
pub(crate) use online::OnlineScores;
pub use online::StoredScore;
pub use run::Coverage;
