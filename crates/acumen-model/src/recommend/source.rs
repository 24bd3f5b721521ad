//! A fitted source of candidates, of any kind.

use serde::{Deserialize, Serialize};

use super::History;
use super::content::Content;
use super::matrix_factorization::Factors;
use super::popular::Popular;
use super::recurrent::Recurrent;
use super::table::Table;

/// What was learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// Vectors of items.
    Factors(Factors),
    /// What each item says of every other.
    Table(Table),
    /// Attributes of items.
    Content(Content),
    /// What many touched.
    Popular(Popular),
    /// A recurrent network.
    Recurrent(Recurrent),
}

/// Why an item has the score that it has: `base + Σ contributions`, to within rounding.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// What the score is without any history.
    pub base: f32,
    /// What past events add, by their place in the history; those left out add nothing.
    pub events: Vec<(usize, f32)>,
}

/// A source whose parts do not fit each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BrokenSource(pub String);

impl Source {
    /// How many items it knows, numbered from 0.
    pub fn n_items(&self) -> usize {
        match self {
            Source::Factors(factors) => factors.n_items(),
            Source::Table(table) => table.n_items(),
            Source::Content(content) => content.n_items(),
            Source::Popular(popular) => popular.n_items(),
            Source::Recurrent(network) => network.bias.len(),
        }
    }

    /// The scores of all items for a user with this history; larger is better, and their unit is
    /// the source's own.
    ///
    /// # Panics
    /// If the history names an item that is not known, or `scores` is not as long as there are
    /// items.
    pub fn score(&self, history: History<'_>, scores: &mut [f32]) {
        assert_eq!(scores.len(), self.n_items(), "one score an item");
        match self {
            Source::Factors(factors) => factors.score_all(&factors.fold_in(history), scores),
            Source::Table(table) => table.score(history, scores),
            Source::Content(content) => content.score(history, scores),
            Source::Popular(popular) => popular.score(history, scores),
            Source::Recurrent(network) => network.score(history, scores),
        }
    }

    /// Why an item has its score for a user with this history.
    ///
    /// # Panics
    /// If an item is not known.
    pub fn why(&self, history: History<'_>, item: u32) -> Why {
        let (base, events) = match self {
            Source::Factors(factors) => (0.0, factors.contributions(history, item)),
            Source::Table(table) => (0.0, table.contributions(history, item)),
            Source::Content(content) => (0.0, content.contributions(history, item)),
            Source::Popular(popular) => popular.contributions(history, item),
            Source::Recurrent(network) => network.contributions(history, item),
        };
        Why { base, events }
    }

    /// Whether its parts fit each other.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), BrokenSource> {
        let checked = match self {
            Source::Factors(factors) => factors.check(),
            Source::Table(table) => table.check(),
            Source::Content(content) => content.check(),
            Source::Recurrent(network) => network.check(),
            Source::Popular(popular) => popular.check(),
        };
        checked.map_err(BrokenSource)
    }
}
