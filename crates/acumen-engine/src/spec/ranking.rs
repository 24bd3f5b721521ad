//! Use cases that answer with a list: which items, in which order, for whoever asks.

mod check;
mod decl;
mod read;

pub use decl::{
    BanditDecl, CapDecl, FeedbackDecl, GroupDecl, ItemsDecl, Outcome, RankingDecl, StagesDecl,
};

pub(super) use check::{BANDIT_DOCS, check};
pub(super) use read::{decide, is_ranking, read};
