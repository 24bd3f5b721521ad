//! Contextual bandits: which of some actions to take in a context, learning from what comes of it.
//!
//! Every action has a linear model of its reward (ridge regression, kept as sums, so that parts
//! learnt apart can be merged). What is chosen is drawn from [`Distribution`], the probability of
//! every action, and that probability is what is logged: it is what makes it possible to say later
//! what another policy would have been worth.
//!
//! What holds: the probabilities are exact given the seed and the key of the request; they add up
//! to 1; with an `epsilon` above 0 every action has at least `epsilon / actions`; the same outcomes
//! in the same order give the same bits.

mod arm;
mod policy;
mod slate;
#[cfg(test)]
mod tests;

pub use arm::{Arm, BanditError};
pub use policy::{Algorithm, Bandit, BanditSpec, Chosen, Distribution};
pub use slate::{Shown, explore_slate};
