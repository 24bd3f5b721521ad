//! A fitted source of candidates, of any kind.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::in_context::InContext;
use super::matrix_factorization::Factors;
use super::neural_collaborative_filtering::NeuralCollaborative;
use super::popular::Popular;
use super::recurrent::Recurrent;
use super::self_attention::SelfAttention;
use super::sequential_content::SequentialContent;
use super::table::Table;
use super::two_tower::TwoTower;
use super::{Attributes, History};

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
    /// A tower over a past and one over an item.
    TwoTower(TwoTower),
    /// A network over a past and an item.
    NeuralCollaborative(NeuralCollaborative),
    /// Self-attention over the newest events.
    SelfAttention(SelfAttention),
    /// What many touched, by what is said of the moment.
    InContext(InContext),
    /// What words say of the words that follow them.
    SequentialContent(SequentialContent),
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
            Source::SequentialContent(content) => content.n_items(),
            Source::Popular(popular) => popular.n_items(),
            Source::Recurrent(network) => network.bias.len(),
            Source::TwoTower(towers) => towers.n_items(),
            Source::NeuralCollaborative(network) => network.bias.len(),
            Source::SelfAttention(network) => network.bias.len(),
            Source::InContext(by_word) => by_word.anywhere().n_items(),
        }
    }

    /// The source for a moment of which something is said, each by name and word: of one that goes
    /// by that another, of all others itself.
    pub fn at(&self, said: &[(Arc<str>, Arc<str>)]) -> &Source {
        match self {
            Source::InContext(by_word) => by_word.at(said),
            _ => self,
        }
    }

    /// What of a moment it goes by, if it does.
    pub fn goes_by<'a>(
        &self,
        said: &'a [(Arc<str>, Arc<str>)],
    ) -> Option<&'a (Arc<str>, Arc<str>)> {
        match self {
            Source::InContext(by_word) => by_word.of(said),
            _ => None,
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
            Source::SequentialContent(content) => content.score(history, scores),
            Source::Popular(popular) => popular.score(history, scores),
            Source::Recurrent(network) => network.score(history, scores),
            Source::TwoTower(towers) => towers.score(history, scores),
            Source::NeuralCollaborative(network) => network.score(history, scores),
            Source::SelfAttention(network) => network.score(history, scores),
            Source::InContext(by_word) => by_word.anywhere().score(history, scores),
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
            Source::SequentialContent(content) => (0.0, content.contributions(history, item)),
            Source::Popular(popular) => popular.contributions(history, item),
            Source::Recurrent(network) => network.contributions(history, item),
            Source::TwoTower(towers) => towers.contributions(history, item),
            Source::NeuralCollaborative(network) => network.contributions(history, item),
            Source::SelfAttention(network) => network.contributions(history, item),
            Source::InContext(by_word) => return by_word.anywhere().why(history, item),
        };
        Why { base, events }
    }

    /// Whether it knows items by what they are like, and so can be told of those that came after
    /// its training.
    pub fn learns_items(&self) -> bool {
        match self {
            Source::Content(_) | Source::SequentialContent(_) => true,
            Source::TwoTower(towers) => towers.learns_items(),
            _ => false,
        }
    }

    /// Adds items that came after training, where it [learns items](Source::learns_items).
    pub fn extend(&mut self, attributes: &Attributes) {
        match self {
            Source::Content(content) => content.extend(attributes),
            Source::SequentialContent(content) => content.extend(attributes),
            Source::TwoTower(towers) => towers.extend(attributes),
            _ => {}
        }
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
            Source::SequentialContent(content) => content.check(),
            Source::Recurrent(network) => network.check(),
            Source::TwoTower(towers) => towers.check(),
            Source::NeuralCollaborative(network) => network.check(),
            Source::SelfAttention(network) => network.check(),
            Source::Popular(popular) => popular.check(),
            Source::InContext(by_word) => by_word.check(),
        };
        checked.map_err(BrokenSource)
    }
}
