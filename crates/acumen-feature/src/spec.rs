//! What is declared: the events, entities, outcomes, features and views of a pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Currency, EventType, Span};
use serde::{Deserialize, Serialize};

/// Everything a [`crate::Pipeline`] is compiled from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineSpec {
    /// The base currency: money columns are in its major units.
    pub currency: Currency,
    /// The event types that may be read.
    pub events: Vec<Arc<EventType>>,
    /// What features are kept of.
    pub entities: Vec<Entity>,
    /// Where exchange rates come from; without it, money in another currency is missing.
    pub rates: Option<Rates>,
    /// What may turn out to be true of an event.
    pub outcomes: Vec<OutcomeSpec>,
    /// The features, each computed once however many views read it.
    pub features: Vec<FeatureSpec>,
    /// The rows that are read.
    pub views: Vec<ViewSpec>,
}

/// Something that features are kept of, such as `customer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// The name in `by`.
    pub name: String,
    /// A field of this name, on any event type, carries the entity's id. Several, joined by `+`,
    /// make an entity of a combination: `customer_id + device_id` is a customer on a device.
    pub field: String,
}

/// Exchange rates, which are events themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// The event type that announces a rate.
    pub event: String,
    /// Its field with the three-letter code of the currency that is converted.
    pub currency: String,
    /// Its field with the major units of the base currency per major unit of that currency.
    pub rate: String,
}

/// What may turn out to be true of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeSpec {
    /// The name that features refer to.
    pub name: String,
    /// The event type it is an outcome of.
    pub of: String,
    /// The event type whose arrival makes it positive.
    pub positive: String,
    /// The field of the positive event that holds the id of the `of` event.
    pub by: String,
    /// How long after the event no positive means negative.
    pub negative_after: Span,
    /// How long after the event a positive is still counted.
    pub closes: Span,
    /// Events that say it either way; the latest word counts.
    pub verdicts: Option<Verdicts>,
}

/// Events that say what an outcome is, such as the findings of a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// The event type.
    pub event: String,
    /// The field that holds the id of the `of` event.
    pub by: String,
    /// The bool field that says whether the outcome is positive.
    pub positive: String,
}

/// One declared feature; it may have many columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureSpec {
    /// The name, first part of its columns' names.
    pub name: String,
    /// One of [`crate::OPERATORS`]; empty with `aggregations` means `aggregate`.
    pub operator: String,
    /// What it is computed of.
    pub of: Operand,
    /// The entities it is kept of; several give one set of columns each.
    pub by: Vec<String>,
    /// Window lengths; [`Span::ALL`] has no beginning.
    pub windows: Vec<Span>,
    /// For `aggregate`: which of count, sum, avg, min, max, stddev.
    pub aggregations: Vec<String>,
    /// Everything else, by name.
    pub params: BTreeMap<String, Param>,
}

/// What a feature is computed of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operand {
    /// Nothing, or what the parameters say.
    None,
    /// Events of a type, or one field (or group of fields) of them.
    Event {
        /// The event type.
        event: String,
        /// The field or the group; none means the events themselves.
        field: Option<String>,
    },
    /// A declared outcome.
    Outcome(String),
    /// The columns of another feature.
    Feature(String),
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Param {
    /// A word or a sentence; also accepted where a span is wanted (`7d`).
    Text(String),
    /// A list of words.
    Texts(Vec<String>),
    /// A whole number.
    Int(i64),
    /// A decimal number.
    Number(f64),
    /// Yes or no.
    Bool(bool),
    /// A length of time.
    Span(Span),
}

/// The row of a use case: read at events of one type, of these features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSpec {
    /// The name, usually that of the use case.
    pub name: String,
    /// The event type at which a row is read.
    pub event: String,
    /// The entity each of whose keys a row may be read for at any time, by [`Pipeline::read`]:
    /// its ids are kept. Then `event` is of no log, and holds the id alone.
    ///
    /// [`Pipeline::read`]: crate::Pipeline::read
    pub each: Option<String>,
    /// The features, in the order of the row.
    pub features: Vec<String>,
}
