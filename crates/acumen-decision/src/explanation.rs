//! What an explanation consists of, as it is shown and sent.

use acumen_base::decision::{LayerReport, Reason, RuleMode};
use serde::{Deserialize, Serialize};

/// Why a decision is what it is, from its record alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The decision's id.
    pub decision: String,
    /// What was done.
    pub action: String,
    /// What would have been done without exploration.
    pub action_without_exploration: String,
    /// With which probability this action was chosen.
    pub propensity: f64,
    /// The calibrated probability, where a model answered.
    pub probability: Option<f64>,
    /// The score 0–100 that it was turned into.
    pub score: Option<f64>,
    /// The bands of the score, mildest first.
    pub bands: Vec<BandLine>,
    /// How it came to the action, one sentence a step.
    pub steps: Vec<String>,
    /// The reasons that the decision gave.
    pub reasons: Vec<Reason>,
    /// What each layer did.
    pub layers: Vec<LayerReport>,
    /// What did not run or did not answer, and why.
    pub skipped: Vec<String>,
    /// Every declared rule and how it fared.
    pub rules: Vec<RuleLine>,
    /// The rule that was nearest to firing and did not.
    pub nearest_rule: Option<NearRule>,
    /// What each model that answered made of the row.
    pub models: Vec<ModelLine>,
}

/// One band of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandLine {
    /// The action.
    pub action: String,
    /// The lowest score.
    pub from: f64,
    /// The highest score.
    pub to: f64,
    /// Whether the decision's score lies in it.
    pub holds_score: bool,
}

/// How a rule fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleOutcome {
    /// It fired.
    Fired,
    /// Its condition did not hold.
    DidNotFire,
    /// Its condition held, and it was recorded without acting.
    Shadow,
    /// Its condition held, and a list keeps it from firing for this event.
    Suppressed,
    /// A value that it needs was missing.
    Missing,
    /// Its layer did not run.
    NotReached,
    /// It is switched off.
    Off,
}

/// One rule and how it fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleLine {
    /// Its id.
    pub id: String,
    /// Its condition.
    pub when: String,
    /// The action that it asks for.
    pub effect: String,
    /// Its reason in words.
    pub reason: String,
    /// Whether it acts.
    pub mode: RuleMode,
    /// Whether it wins outright.
    pub is_final: bool,
    /// How it fared.
    pub outcome: RuleOutcome,
}

/// A rule of which some of the terms joined by `&&` held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearRule {
    /// Its id.
    pub id: String,
    /// How many of its terms held.
    pub held: usize,
    /// How many it has.
    pub terms: usize,
    /// The terms that did not hold.
    pub failed: Vec<String>,
}

/// What one model made of the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelLine {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its calibrated answer.
    pub value: f64,
    /// Its answer before calibration.
    pub raw: f64,
    /// Its share of the probability: its weight among those that answered.
    pub weight: f64,
    /// How much each column moved it, weightiest first; empty where the model cannot say.
    pub attributions: Vec<AttributionLine>,
    /// Whether the attributions add up; `None` where there are none.
    pub additivity: Option<Additivity>,
}

/// How much one column moved a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributionLine {
    /// The column.
    pub column: String,
    /// Its value; `None` where it was missing.
    pub value: Option<f64>,
    /// Its contribution to the margin.
    pub contribution: f64,
    /// The sentence that a person reads.
    pub text: String,
}

/// Whether attributions add up to what the model said.
///
/// Contributions sum to the margin less a base that is the same for every row, so the base is
/// computed twice, from this row and from one in which everything is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Additivity {
    /// The sum of the contributions.
    pub sum: f64,
    /// The margin less that sum.
    pub base: f64,
    /// How far the two bases lie apart.
    pub residual: f64,
    /// Whether that is rounding alone.
    pub holds: bool,
}
