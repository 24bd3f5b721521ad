//! What a use case declares of its value, before it is checked.

use std::sync::Arc;

use acumen_base::{Currency, EventType, Span};
use serde::{Deserialize, Serialize};

/// What the decisions of a use case are worth.
#[derive(Clone, Debug)]
pub struct ValueSpec {
    /// The use case.
    pub use_case: String,
    /// The currency of the totals.
    pub currency: Currency,
    /// The type of event that is decided on; formulas read its fields as `<type>.<field>`.
    pub event: Arc<EventType>,
    /// The actions, mildest first.
    pub actions: Vec<String>,
    /// What they are worth; a cell that is not declared is worth nothing.
    pub cells: Vec<CellSpec>,
    /// What would have been done without us; `None`: the mildest action.
    pub baseline: Option<String>,
    /// The actions after which the truth cannot be seen, such as the one that blocks.
    pub hides_truth: Vec<String>,
    /// Where the truth comes from.
    pub truth: TruthSource,
    /// How long after the event a decision without a positive event counts as negative.
    pub negative_after: Span,
    /// How long after the event a positive event still corrects it; not before `negative_after`.
    pub closes: Span,
}

/// What one action is worth under one truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellSpec {
    /// The action.
    pub action: String,
    /// Under which truth.
    pub when: When,
    /// A CEL expression that gives money, such as `-order.amount`.
    pub formula: String,
}

/// The truth under which a formula counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The positive event arrived.
    Positive,
    /// It did not.
    Negative,
    /// Always: added to the formula of whichever truth it was.
    Any,
}

/// Where the truth comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TruthSource {
    /// From what happened: hidden where an action hides it.
    #[default]
    Observed,
    /// From a simulator, which knows also what would have happened.
    KnownToSimulator,
}
