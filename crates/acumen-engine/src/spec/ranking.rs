//! Use cases that answer with a list: which items, in which order, for whoever asks.

mod check;
mod columns;
mod decl;
mod ensembles;
mod read;
#[cfg(test)]
mod tests;

pub use decl::{
    BanditDecl, CapDecl, ContextDecl, FeedbackDecl, GroupDecl, ItemsDecl, Outcome, RankingDecl,
    StagesDecl,
};
pub use ensembles::EnsembleOfMany;

pub(crate) use columns::{SAYS, columns as candidate_columns, is_amount, is_compared};
pub(crate) use decl::CATEGORY_NUMBERS;

pub(super) use check::{BANDIT_DOCS, EDITORIAL_DOCS, check};
pub(super) use read::{decide, is_ranking, read};
