//! What somebody may want next: recommenders, learnt from who did what with which item, and when.
//!
//! ```text
//! Interactions ──learner──▶ Source ──score(History)──▶ one score an item ──▶ Candidates
//! (user, item,    ▲                    the user's events, as they are
//!  time, weight)  Attributes           at the moment of the request
//! ```
//!
//! A source keeps no users. It reads the events of the user who asks, so that somebody who came a
//! minute ago is served as well as anybody else, and the event of a second ago counts. A training
//! job, a batch and a request thus score by one code path.
//!
//! What holds for every source: the same interactions, parameters and seed give the same bytes at
//! any number of threads; saved and loaded it scores the same bits; a score is a base plus one
//! contribution for each past event ([`Source::why`]).
//!
//! Weights say how much an event tells. One below 0 tells that an item is not wanted: no learner
//! takes it for interest; the sources that are sums over events score what is like it lower, and the
//! networks leave it out.
//!
//! It does not know what a user or an item is, what may be shown, or what is done with a score.

use std::fmt;

use acumen_base::Seed;

use crate::learner::{ParamDoc, ParamProblem, Params, Progress};

pub mod attributes;
pub mod candidates;
pub mod content;
pub mod file;
pub mod interactions;
pub mod item_similarity;
pub mod matrix_factorization;
pub mod neural_collaborative_filtering;
pub mod open;
pub mod popular;
pub mod proposal;
pub mod recency;
pub mod recurrent;
pub mod self_attention;
pub mod sequential_content;
pub mod sequential_cooccurrence;
pub mod source;
pub mod table;
pub mod two_tower;
pub mod vocabulary;

mod derived;
mod ease;
mod in_context;
mod least_squares;
mod quantised;
mod scratch;
mod segments;
mod succession;
mod sweep;
#[cfg(test)]
mod tests;
mod top;
mod wide;
mod worded;

pub use attributes::Attributes;
pub use candidates::{Candidates, candidates, put_forward};
pub use content::ContentLearner;
pub use file::{Recommender, RecommenderError};
pub use in_context::InContext;
pub use interactions::{
    ContextColumn, History, InteractionColumns, Interactions, InteractionsError,
};
pub use item_similarity::ItemSimilarity;
pub use matrix_factorization::MatrixFactorization;
pub use neural_collaborative_filtering::NeuralCollaborative;
pub use open::Open;
pub use popular::PopularLearner;
pub use proposal::Proposal;
pub use recency::Recency;
pub use recurrent::Recurrent;
pub use self_attention::SelfAttention;
pub use sequential_content::SequentialContentLearner;
pub use sequential_cooccurrence::SequentialCooccurrence;
pub use source::{BrokenSource, Source, Why};
pub use two_tower::{ItemTower, TwoTower};
pub use vocabulary::Vocabulary;

/// Every recommender of this crate.
pub static RECOMMENDERS: &[&dyn RecommendLearner] = &[
    &MatrixFactorization,
    &ItemSimilarity,
    &SequentialCooccurrence,
    &ContentLearner,
    &SequentialContentLearner,
    &PopularLearner,
];

/// What turns interactions into a source of candidates.
pub trait RecommendLearner: Sync {
    /// The name that a specification uses, such as `matrix_factorization`.
    fn name(&self) -> &'static str;
    /// Other names of it.
    fn aliases(&self) -> &'static [&'static str];
    /// What it is, for people.
    fn doc(&self) -> &'static str;
    /// Its parameters.
    fn params(&self) -> &'static [ParamDoc];
    /// Checks parameters.
    ///
    /// # Errors
    /// Every problem, not only the first.
    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>>;
}

/// A recommender with parameters that were found to be valid.
pub trait CheckedRecommender: fmt::Debug + Send + Sync {
    /// Learns a source; `progress` is called after every round of a learner that has rounds.
    ///
    /// # Errors
    /// Where the interactions cannot teach anything, or what is needed besides is not there.
    fn fit(
        &self,
        data: &RecommendData<'_>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError>;

    /// All parameters with their values, defaults included.
    fn params_json(&self) -> serde_json::Value;
}

/// What a recommender learns from.
#[derive(Clone, Copy, Debug)]
pub struct RecommendData<'a> {
    /// Who did what with which item, and when.
    pub interactions: &'a Interactions,
    /// What the items are like, where that is known.
    pub attributes: Option<&'a Attributes>,
}

impl<'a> RecommendData<'a> {
    /// What all items are like.
    ///
    /// # Errors
    /// Where that is not known of any, or of others.
    pub(crate) fn attributes_of_all(&self) -> Result<&'a Attributes, RecommendError> {
        let attributes = self.attributes.ok_or(RecommendError::NoAttributes)?;
        let (known, items) = (attributes.n_items(), self.interactions.n_items());
        match known == items {
            true => Ok(attributes),
            false => Err(RecommendError::Items {
                attributes: known,
                items,
            }),
        }
    }
}

/// Why a recommender cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    /// There is nothing to learn from.
    #[error(
        "there are no interactions with a weight above 0; widen the training window or check the \
         weights of the events"
    )]
    NoInterest,
    /// Attributes are needed.
    #[error("this source needs attributes of the items, and none are given; declare some")]
    NoAttributes,
    /// An attribute that no item has.
    #[error("no item has the attribute `{0}`; name one of those that are declared")]
    NoAttribute(String),
    /// Events say nothing of this.
    #[error("no event says anything of `{0}`; name what `feedback.context` declares")]
    NoContext(String),
    /// Attributes of other items.
    #[error("there are attributes of {attributes} items, but interactions with {items}")]
    Items {
        /// Items that have attributes.
        attributes: usize,
        /// Items of the interactions.
        items: usize,
    },
    /// Too many items for a dense method.
    #[error(
        "`ease` inverts a matrix of items × items and is meant for up to {most} items, not \
         {items}; take `method: cosine`"
    )]
    TooManyItems {
        /// Items of the interactions.
        items: usize,
        /// How many there may be.
        most: usize,
    },
    /// A matrix that cannot be inverted.
    #[error("the matrix of items × items cannot be inverted; raise `regularisation`, which is {0}")]
    Singular(f64),
    /// Training went astray.
    #[error(
        "the numbers of the network grew beyond bounds in epoch {epoch}; lower `learning_rate`"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// No threads.
    #[error(transparent)]
    Threads(#[from] crate::learner::FitError),
}

/// The recommender of this crate with a name or alias.
///
/// # Errors
/// The nearest name, where there is one.
pub fn recommender(name: &str) -> Result<&'static dyn RecommendLearner, Option<&'static str>> {
    let names = |learner: &&'static dyn RecommendLearner| {
        std::iter::once(learner.name()).chain(learner.aliases().iter().copied())
    };
    let found = RECOMMENDERS.iter().copied();
    let mut found = found.filter(|learner| names(learner).any(|known| known == name));
    found.next().ok_or_else(|| {
        let known = RECOMMENDERS.iter().flat_map(names);
        acumen_base::nearest(name, known)
    })
}
