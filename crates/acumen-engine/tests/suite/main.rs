//! The engine as those who use it meet it: scenarios over one small use case.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
mod backtesting;
mod challenging;
mod drilling;
mod durability;
mod editing;
mod ensembles;
mod files;
mod home;
mod ingesting;
mod learning;
mod live;
mod moments;
mod ordering;
mod ranking;
mod regulars;
mod retention;
mod reviewing;
mod scheduling;
mod scoring;
mod searching;
mod sharing;
mod shop;
mod sights;
mod thresholds;
mod trouble;
mod updating;
mod valuing;
mod wares;
mod why;
