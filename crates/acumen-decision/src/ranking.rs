//! From what several sources say of candidates to the list that is shown.
//!
//! ```text
//! standardised scores ──blend──▶ relevance ┐
//!                        novelty, value ───┴─▶ merit ──pick, one by one──▶ the list
//!                                                        ▲
//!                                    likeness (diversity), caps
//! ```
//!
//! Everything here is a pure function of numbers: the same slate, knobs and limits give the same
//! list. What holds, whatever the numbers: a list has no candidate twice and none that was turned
//! away, and no group of it has more members than its cap.
//!
//! It does not know where scores come from, or what an item is.

mod admission;
mod blend;
mod caps;
mod diversity;
mod drawn;
mod pick;
#[cfg(test)]
mod tests;
mod weights;

pub use admission::{Asked, Refusals, TurnedAway, admit};
pub use blend::{Blended, blend};
pub use caps::Caps;
pub use diversity::{Diversity, diverse};
pub use drawn::{Chance, Draws, rank_drawn, take};
pub use pick::{Likeness, Measured, Objectives, Ranked, Ranking, Slate, measure, rank};
pub use weights::{Bounds, Judged, Refitted, refit};

/// What the sources of a ranking weigh at first: collaborative filtering, content, deep or
/// sequential models, and exploration or what is popular.
pub const FIRST_WEIGHTS: [f32; 4] = [0.40, 0.25, 0.25, 0.10];
