//! Each key of an entity scored: by the live model, at an origin or now.

mod live;

pub(crate) use live::LiveModel;
pub use live::Scored;
