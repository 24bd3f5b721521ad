//! Decisions and later events into outcomes and money.
//!
//! A [`ValueSpec`] says what each action is worth under each truth; [`Valuation::compile`] checks
//! it. A [`Ledger`] takes decisions and the positive events that follow them, settles each
//! decision once its truth is known, and keeps running [`Totals`].
//!
//! [`experiment`] compares arms at any time; [`off_policy`] says what another policy would have been worth, from what one that explored did.
//!
//! # When the truth is known
//!
//! A decision is *open* at first. A positive event settles it as positive. Without one it settles
//! as negative at its event time plus `negative_after`; a positive event that comes later still
//! corrects it, until the event time plus `closes`. A finding, such as that of a review, settles it
//! either way at once, and the latest word counts.
//!
//! An action may hide the truth: what is blocked cannot turn out badly. Such a decision is
//! *censored* instead of negative: it stays open for good, and what it saved is estimated from the
//! share that was let through (inverse propensity weighting; Horvitz and Thompson, "A
//! Generalization of Sampling Without Replacement From a Finite Universe", 1952). Where a
//! simulator tells the truth of everything, [`TruthSource::KnownToSimulator`] says so, and the
//! totals carry it.
//!
//! # Invariants
//!
//! Every decision is open or settled: `open + settled = decided` at any time. Money is added in
//! whole minor units of one currency; an amount of another is converted at the rate that was known
//! when it was decided, and where none was, its decision settles without a value and is counted so.
//!
//! It does not know where decisions and events come from, or what an action does.

pub mod experiment;
mod ledger;
pub mod off_policy;
mod saved;
mod spec;
#[cfg(test)]
mod tests;
mod totals;
mod valuation;

pub use acumen_base::Problem;
pub use ledger::Ledger;
pub use saved::LedgerError;
pub use spec::{CellSpec, TruthSource, ValueSpec, When};
pub use totals::{ActionTotals, Cell, Explored, Interventions, RuleTotals, Totals};
pub use valuation::{Rates, Valuation};
