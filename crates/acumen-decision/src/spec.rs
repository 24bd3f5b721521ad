//! What a use case declares of its decisions, before it is checked.

use std::sync::Arc;

use acumen_base::decision::RuleMode;
use acumen_base::{Columns, EventType, Span};

/// How the events of one use case are decided.
#[derive(Clone, Debug)]
pub struct PolicySpec {
    /// The use case.
    pub use_case: String,
    /// The type of event that is decided on; expressions read its fields as `<type>.<field>`.
    pub event: Arc<EventType>,
    /// The columns of its rows; expressions read them by their dotted names as numbers.
    pub columns: Arc<Columns>,
    /// The lists that rules may search.
    pub lists: Vec<ListSpec>,
    /// The names of the models; which version answers is up to the deployments.
    pub models: Vec<String>,
    /// Those of them that are asked after all others, are recorded, and have no vote.
    pub shadow: Vec<String>,
    /// The rules.
    pub rules: Vec<RuleSpec>,
    /// The layers in the order in which they run.
    pub layers: Vec<LayerSpec>,
    /// How several models combine.
    pub ensemble: EnsembleSpec,
    /// Pairs of (probability, score 0–100), rising; [`linear_knots`] unless declared.
    pub knots: Vec<(f64, f64)>,
    /// The actions with their bands of the score.
    pub actions: Vec<ActionSpec>,
    /// What to do where no model answered; required as soon as there is a model.
    pub fallback: Option<String>,
    /// Which share of one action is replaced so that the truth stays observable.
    pub explore: Option<ExploreSpec>,
    /// The money field of the event that is at stake.
    pub amount: Option<String>,
}

/// A list of ids that people edit while the program runs, read as `x in lists.name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSpec {
    /// Its name.
    pub name: String,
    /// The field of the event whose ids it holds.
    pub field: String,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// Its id.
    pub id: String,
    /// The condition, as CEL.
    pub when: String,
    /// The action that it asks for.
    pub effect: String,
    /// Why, in words that the person concerned may read.
    pub reason: String,
    /// Whether it acts at first; a control record may switch it.
    pub mode: RuleMode,
    /// The field by whose ids it is rolled out to a share; by events where there is none.
    pub roll_out_by: Option<String>,
    /// The list whose ids it never fires for.
    pub suppress: Option<String>,
    /// Whether it wins outright where it fires.
    pub is_final: bool,
}

/// A layer: rules and models that share a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// Its name.
    pub name: String,
    /// Until when, since receipt, its members may answer.
    pub deadline: Span,
    /// Ids of rules and names of models, in the order in which they run.
    pub run: Vec<String>,
    /// Whether its models run beside each other, after its rules, and one after the other.
    pub beside: bool,
    /// A condition under which no later layer is needed, as CEL.
    pub final_when: Option<String>,
}

/// How several models combine: by the ensemble that is deployed under the name
/// [`ENSEMBLE`](acumen_base::ENSEMBLE), else by the mean of their calibrated values by weight.
///
/// In the mean, a model that did not answer is left out and the weights of the others are scaled
/// up. One of weight 0 is asked and recorded, and moves nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnsembleSpec {
    /// A weight for every model; empty: all weigh the same.
    pub weights: Vec<(String, f64)>,
}

/// An action and its band of the score, both ends included, in whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionSpec {
    /// Its name.
    pub name: String,
    /// The lowest score of the band.
    pub from: f64,
    /// The highest score of the band.
    pub to: f64,
}

/// A share of one action is replaced by a milder one, so that the truth stays observable.
#[derive(Clone, Debug, PartialEq)]
pub struct ExploreSpec {
    /// The action that would have been taken; `None`: the most severe one.
    pub of: Option<String>,
    /// The action that is taken in its place.
    pub action: String,
    /// The share, above 0 and below 1.
    pub share: f64,
}

/// The default from probability to score: a straight line.
pub fn linear_knots() -> Vec<(f64, f64)> {
    vec![(0.0, 0.0), (1.0, 100.0)]
}
