//! Use cases that answer with a list: which items, in which order, for whoever asks.

mod check;
mod columns;
mod decl;
mod read;
#[cfg(test)]
mod tests;

pub use decl::{
    BanditDecl, CapDecl, FeedbackDecl, GroupDecl, ItemsDecl, Outcome, RankingDecl, StagesDecl,
};

pub(crate) use columns::{SAYS, columns as candidate_columns, is_amount, is_compared};

pub(super) use check::{BANDIT_DOCS, check};
pub(super) use read::{decide, is_ranking, read};
