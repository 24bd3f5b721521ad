//! Every learner that a use case may name.

use acumen_model::{LEARNERS, Learner};

/// The learners of all crates, in the order in which they are documented.
pub fn learners() -> Vec<&'static dyn Learner> {
    [LEARNERS, acumen_deep::LEARNERS].concat()
}

/// Their names and aliases.
pub(crate) fn learner_names() -> Vec<&'static str> {
    let names =
        |learner: &'static dyn Learner| learner.aliases().iter().copied().chain([learner.name()]);
    learners().into_iter().flat_map(names).collect()
}
