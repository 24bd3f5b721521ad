//! Lists that were shown, as the log keeps them.

use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::value::Value;

/// A list that was given to somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// By which feedback names it.
    pub id: String,
    /// The use case that made it.
    pub use_case: String,
    /// When.
    pub at: Time,
    /// For whom, where they said who they are.
    pub visitor: Option<String>,
    /// In which visit.
    pub session: Option<String>,
    /// Its places, the first first.
    pub places: Vec<ListedItem>,
    /// The sources that were asked, with their versions.
    pub sources: Vec<(String, String)>,
    /// Microseconds from receipt to answer.
    pub took_us: u64,
    /// What it was made under. The log keeps it behind the rest, where lists of earlier builds end.
    #[serde(skip)]
    pub circumstances: Circumstances,
}

/// What a list was made under, beside the visitor's past.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circumstances {
    /// What the request said of the moment, by name.
    pub context: Vec<(String, Value)>,
    /// Which of several ensembles made it; `None` where there was nothing to choose.
    pub choice: Option<EnsembleChoice>,
}

/// Which of several ensembles made a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnsembleChoice {
    /// Its name.
    pub ensemble: String,
    /// The probability with which each was chosen, by name.
    pub probabilities: Vec<(String, f64)>,
    /// What was known of the visitor and the moment.
    pub known: Vec<f32>,
}

/// One place of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedItem {
    /// The item.
    pub item: String,
    /// Its merit.
    pub score: f32,
    /// The probability with which it stands there, given those before it.
    pub propensity: f64,
    /// What whoever learns from outcomes knew of it.
    pub context: Vec<f32>,
}
