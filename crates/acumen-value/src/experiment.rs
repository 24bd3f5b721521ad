//! Experiments: who is in which arm, whether the arms are what they should be, and what the
//! difference between them is, at any time.
//!
//! Assignment is a hash, so that it needs no memory and is the same everywhere. A result may be
//! looked at as often as one likes: intervals are confidence sequences, which hold at all times
//! together, and not at one that was fixed before.
//!
//! What is kept of an arm are sums ([`Moments`], [`RatioMoments`]): they add up over days and
//! slices, and history can be read again.

mod assignment;
mod confidence;
mod moments;
mod sample_ratio;
#[cfg(test)]
mod tests;

pub use assignment::{Assignment, AssignmentError, growthbook_hash};
pub use confidence::{ConfidenceSequence, Difference};
pub use moments::{Moments, RatioMoments};
pub use sample_ratio::{SampleRatio, sample_ratio};
