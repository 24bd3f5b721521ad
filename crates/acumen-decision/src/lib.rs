//! Predictions into decisions: rules, layers with time budgets, score bands, fallback.
//!
//! A [`PolicySpec`] says what a use case decides; [`Policy::compile`] checks all of it at once and
//! compiles its expressions. [`Policy::decide`] turns an event, its row and the [`State`] that
//! governs (lists, rule modes, deployed members) into a [`Decision`](acumen_base::Decision) that
//! carries everything that is needed to explain it and to make it again.
//!
//! # How the action is chosen
//!
//! 1. Layers run in order. A layer starts only if its deadline, counted from receipt, has not
//!    passed; it ends the decision early where its `final_when` holds or a final rule fired.
//!    The models of a layer may run beside each other; one that is late is left behind. Under
//!    load the deepest layers of models are left out first.
//! 2. The deployed ensemble makes one probability of what the members said, or, without one, the
//!    mean of their calibrated values by weight; the knots turn that probability into a score,
//!    which is rounded to a whole number and falls into one band.
//! 3. The most severe of the band's action and the effects of the rules that fired is taken.
//!    Severity is the order of the bands by score. Where no member answered, the declared
//!    fallback stands in for the band.
//! 4. A rule that is final wins outright, whatever is more severe: that is what an allow list is.
//!    Of several final rules the first one in the layer's order wins.
//! 5. A rule that is a shadow, that is rolled out to a share of which this event is none, or that a
//!    list suppresses for this event, is recorded with that and changes nothing.
//! 6. A declared share of one action is replaced by a milder one (never where a final rule
//!    spoke), and the probability of what was done is recorded.
//!
//! # Invariants
//!
//! Every decision names an action. A rule on a missing value does not fire. What clock, chance and
//! concurrency decided stands in the record, so that [`Policy::replay`] gives the same bits.
//!
//! Where a use case ranks instead, [`ranking`] makes the list, and a [`bandit`] explores.
//!
//! It does not know how a model was fitted, what an action costs, or where records are kept.

pub use acumen_base::Problem;

mod asked;
pub mod bandit;
mod bands;
mod beside;
mod blend;
mod breaker;
mod checks;
mod choice;
mod compile;
mod condition;
mod course;
mod differences;
mod explain;
mod explanation;
mod frame;
mod guard;
mod onlookers;
mod policy;
pub mod ranking;
mod reasons;
mod spec;
mod state;
mod what_if;

pub use beside::{Pool, Seat, beside};
pub use condition::{Condition, Past, Reads};
pub use differences::differences;
pub use explanation::{
    Additivity, AttributionLine, BandLine, Explanation, ModelLine, NearRule, RuleLine, RuleOutcome,
};
pub use policy::{Policy, Request};
pub use reasons::driver_in_words;
pub use spec::{
    ActionSpec, EnsembleSpec, ExploreSpec, LayerSpec, ListSpec, PolicySpec, RuleSpec, linear_knots,
};
pub use state::{ControlError, State};
pub use what_if::{Change, EVALUATIONS_MAX, Lever, WhatIf};
