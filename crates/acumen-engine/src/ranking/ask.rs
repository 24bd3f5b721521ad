//! What is asked of a use case that ranks, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::Time;
use acumen_decision::ranking::Measured;
use acumen_decision::ranking::Refusals;
use serde::{Deserialize, Serialize};

/// A request for a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankRequest {
    /// Who asks, where they said who they are.
    pub visitor: Option<String>,
    /// The visit, where nobody said who they are or did something before they did.
    pub session: Option<String>,
    /// How many items, 1 to 100; 10 unless given.
    pub n: Option<usize>,
    /// What was done in the last seconds and has not been sent as events yet, the oldest first.
    pub events: Vec<RequestEvent>,
    /// Items that are not wanted in this list.
    pub exclude: Vec<String>,
    /// Attributes that items must have: one of the values of each.
    pub filters: BTreeMap<String, Vec<String>>,
    /// How much the items of the list should differ, from 0 to just below 1, in place of what is
    /// declared.
    pub diversity: Option<f32>,
    /// What is known of the moment, such as the device or the weather, by the names that
    /// `feedback.context` declares.
    pub context: BTreeMap<String, serde_json::Value>,
    /// Whether each item says why it is there.
    pub explain: bool,
}

/// Something that was just done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestEvent {
    /// The item.
    pub item: String,
    /// What was done, as feedback names it.
    pub kind: String,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankAnswer {
    /// By which feedback names it.
    pub id: String,
    /// When.
    pub at: Time,
    /// The items, the first first.
    pub items: Vec<RankedItem>,
    /// How much the list has of what it is made for.
    pub objectives: Measured,
    /// Which ensemble made it, where there are several.
    pub ensemble: Option<EnsembleLine>,
    /// What each source did.
    pub sources: Vec<SourceLine>,
    /// What each stage took.
    pub stages: Vec<StageLine>,
    /// Whether the candidates had been kept from an earlier request.
    pub cached: bool,
    /// Whether no source but the fallback answered.
    pub fallback: bool,
    /// Items that could not be shown, by reason.
    pub left_out: Refusals,
    /// Why the list is shorter than asked for, where it is.
    pub short_because: Option<String>,
}

/// The ensemble that made a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnsembleLine {
    /// Its name.
    pub name: String,
    /// The probability with which it was chosen.
    pub propensity: f64,
    /// All of them, where an explanation was asked for.
    pub arms: Vec<ArmLine>,
}

/// An ensemble that may make a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmLine {
    /// Its name.
    pub name: String,
    /// The probability with which it is chosen.
    pub probability: f64,
    /// What a list of it is expected to bring, in the unit of the rewards.
    pub expected: f64,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankedItem {
    /// Its id.
    pub item: Arc<str>,
    /// Its place, from 1.
    pub place: usize,
    /// Its merit: the weighed sum of all objectives but diversity.
    pub score: f32,
    /// The probability with which it stands there, given those before it.
    pub propensity: f64,
    /// Whether chance put it there.
    pub explored: bool,
    /// What it is like, in words, where an explanation was asked for.
    pub attributes: Vec<(String, Arc<str>)>,
    /// Why it is there, where that was asked for.
    pub why: Option<ItemWhy>,
}

/// Why an item is in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemWhy {
    /// What each source added to its relevance, the most first.
    pub sources: Vec<(String, f32)>,
    /// The past events that speak for it most, with the source that says so.
    pub because: Vec<Because>,
    /// What of all that is known of it moved the ranker most, the most first; empty where none
    /// orders the list.
    pub moved_by: Vec<Moved>,
    /// What novelty added.
    pub novelty: f32,
    /// What business value added.
    pub business_value: f32,
    /// What it lost because the visitor was shown it lately.
    pub fatigue: f32,
    /// How many places diversity, caps and chance moved it up (above 0) or down.
    pub moved: i64,
    /// In words.
    pub words: String,
}

/// A past event that speaks for an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Because {
    /// The item of the event.
    pub item: Arc<str>,
    /// The source that says so.
    pub source: String,
    /// Its share of what that source says of the item.
    pub share: f32,
}

/// What is known of an item, and by how much that moved it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// The column.
    pub name: String,
    /// Its value; NaN where that is not known.
    pub value: f32,
    /// By how much it moved the ranker's score, in the ranker's own unit (a Shapley value).
    pub by: f32,
}

/// What a source did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceLine {
    /// Its name.
    pub name: String,
    /// Its version, where one is deployed.
    pub version: Option<String>,
    /// What it weighed in the blend.
    pub weight: f32,
    /// `answered`, `cached`, `late`, `failed` or `not deployed`.
    pub status: &'static str,
    /// Microseconds.
    pub took_us: u64,
}

/// What a stage took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StageLine {
    /// Its name.
    pub name: &'static str,
    /// Microseconds.
    pub took_us: u64,
    /// What it may take.
    pub budget_us: u64,
}

/// Items that are like one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimilarAnswer {
    /// The item.
    pub item: Arc<str>,
    /// Those that are like it, the most alike first.
    pub items: Vec<SimilarItem>,
    /// Why there are none, where there are none.
    pub short_because: Option<String>,
}

/// An item that is like another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimilarItem {
    /// Its id.
    pub item: Arc<str>,
    /// The blended score.
    pub score: f32,
}
