//! Every learner that a use case may name.

use acumen_model::recommend::{RECOMMENDERS, RecommendLearner};
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

/// The recommenders of all crates, in the order in which they are documented.
pub fn recommenders() -> Vec<&'static dyn RecommendLearner> {
    [RECOMMENDERS, acumen_deep::RECOMMENDERS].concat()
}

/// The recommender with a name or alias.
pub(crate) fn recommender(name: &str) -> Option<&'static dyn RecommendLearner> {
    let is_called = |learner: &&'static dyn RecommendLearner| {
        learner.name() == name || learner.aliases().contains(&name)
    };
    recommenders().into_iter().find(is_called)
}

/// The names and aliases of the recommenders.
pub(crate) fn recommender_names() -> Vec<&'static str> {
    let names = |learner: &'static dyn RecommendLearner| {
        learner.aliases().iter().copied().chain([learner.name()])
    };
    recommenders().into_iter().flat_map(names).collect()
}
