//! Decisions and the record that explains and replays them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::member::{MemberError, Prediction};
use crate::money::Money;
use crate::time::Time;

/// A decision with everything that is needed to explain it and to make it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its id: the use case and the id of the event that it answers.
    pub id: String,
    /// The use case.
    pub use_case: String,
    /// The id of the event that it answers.
    pub event_id: String,
    /// When the event happened.
    pub event_time: Time,
    /// The log position of that event: the row was read just there.
    pub position: u64,
    /// When it was decided.
    pub decided_at: Time,
    /// The row that was read, one number a column (NaN: missing).
    pub row: Vec<f64>,
    /// The fingerprint of the columns of that row.
    pub columns: u64,
    /// What each layer did, in order.
    pub layers: Vec<LayerReport>,
    /// What the ensemble made of the members' answers, where one is deployed.
    pub ensemble: Option<MemberReport>,
    /// The rules that fired or would have fired.
    pub rules: Vec<RuleHit>,
    /// The calibrated probability, where a model answered.
    pub probability: Option<f64>,
    /// 0–100, as people see it.
    pub score: Option<f64>,
    /// What to do, one of the declared actions.
    pub action: String,
    /// What would have been done without exploration.
    pub action_without_exploration: String,
    /// The probability with which this action was chosen, for off-policy estimates.
    pub propensity: f64,
    /// Why, in words, weightiest first.
    pub reasons: Vec<Reason>,
    /// The amount at stake, where the use case declares one.
    pub amount: Option<Money>,
    /// The control position that governed: the log position of the last control record applied.
    pub control: u64,
    /// The build that decided.
    pub build: String,
    /// Microseconds from receipt to decision.
    pub took_us: u64,
}

/// What one layer did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The layer's name.
    pub name: String,
    /// Whether it ran.
    pub status: LayerStatus,
    /// What each member said.
    pub members: Vec<MemberReport>,
    /// Microseconds that it took.
    pub took_us: u64,
}

/// Whether a layer ran, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerStatus {
    /// It ran to its end.
    Ran,
    /// Its budget was used up before it could start.
    OutOfTime,
    /// An earlier layer was final.
    NotNeeded,
    /// It has no deployed model.
    NoModel,
    /// It was left out so that everybody gets an answer in time: too many requests were waiting.
    Shed,
}

/// What one member of a layer said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberReport {
    /// The member's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its prediction, or why there is none.
    pub answer: Result<Prediction, MemberError>,
    /// Microseconds that it took.
    pub took_us: u64,
}

/// Whether a rule acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMode {
    /// It acts.
    #[default]
    On,
    /// It is evaluated and recorded, and does not act.
    Shadow,
    /// It is not evaluated.
    Off,
    /// It acts for a share of the events, and is recorded like a shadow for the others.
    RollOut {
        /// The share, in millionths.
        per_million: u32,
    },
}

impl RuleMode {
    /// Acting for a share of the events; `None` unless it lies between 0 and 1.
    pub fn roll_out(share: f64) -> Option<RuleMode> {
        let per_million = (share * 1e6).round();
        let within = (1.0..1e6).contains(&per_million);
        within.then_some(RuleMode::RollOut {
            per_million: per_million as u32,
        })
    }

    /// The mode of a word (`on`, `shadow`, `off`), or acting for a share where one is given.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub fn parse(word: Option<&str>, share: Option<f64>) -> Result<RuleMode, String> {
        match (word, share) {
            (None | Some("roll_out"), Some(share)) => RuleMode::roll_out(share).ok_or_else(|| {
                format!("{share} is not a share: it lies between 0 and 1, such as 0.1")
            }),
            (Some("on"), None) => Ok(RuleMode::On),
            (Some("shadow"), None) => Ok(RuleMode::Shadow),
            (Some("off"), None) => Ok(RuleMode::Off),
            (Some(word), Some(_)) => Err(format!(
                "a rule in mode `{word}` takes no share: leave out one of the two"
            )),
            (Some(word), None) => Err(format!(
                "`{word}` is not a mode: a rule is `on`, `shadow` or `off`, or acts for a share"
            )),
            (None, None) => Err("a rule is `on`, `shadow` or `off`, or acts for a share".into()),
        }
    }
}

impl fmt::Display for RuleMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleMode::On => f.write_str("on"),
            RuleMode::Shadow => f.write_str("shadow"),
            RuleMode::Off => f.write_str("off"),
            RuleMode::RollOut { per_million } => {
                write!(f, "on for {} %", f64::from(*per_million) / 1e4)
            }
        }
    }
}

/// What came of a rule whose condition held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Firing {
    /// It acted.
    Acted,
    /// It was recorded and did not act: it is a shadow, or this event is not of the share for
    /// which it acts.
    Shadow,
    /// A list keeps it from firing for this event.
    Suppressed,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// The rule's id.
    pub id: String,
    /// The action that it asks for.
    pub effect: String,
    /// What came of it.
    pub firing: Firing,
}

/// One reason, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable code: a rule's id or a column's name.
    pub code: String,
    /// The sentence that a person reads.
    pub text: String,
    /// How much it weighed: the contribution to the margin, or infinity for a rule.
    pub weight: f64,
}
