//! What a checked use case consists of: the types that everything behind the parser speaks in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::decision::RuleMode;
use acumen_base::{CalendarSpan, Currency, ENSEMBLE, EventType, Place, Span, Time};
use acumen_model::SearchSpec;

use super::catalogue::SetOrigin;
use super::places::Places;
use super::ranking::RankingDecl;
use crate::cron::Cron;

/// A use case whose file has been read and checked.
#[derive(Clone, Debug)]
pub struct UseCase {
    /// Its name, which is its folder's.
    pub name: String,
    /// The question that it answers.
    pub question: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// The currency that money is converted to and valued in.
    pub currency: Currency,
    /// What features are kept for: (`card`, `card_id`), in declared order, then those of `uses`.
    pub entities: Vec<(String, String)>,
    /// The event types that it reads, its own first, then those of the catalogue.
    pub events: Vec<Arc<EventType>>,
    /// Which event says what a currency is worth.
    pub rates: Option<RatesDecl>,
    /// The type of the event that is decided on; with a subject, of the event that holds its id.
    pub decide_event: String,
    /// What is decided on at any time, without an event of its own.
    pub subject: Option<SubjectDecl>,
    /// What is ranked for a subject, where that is asked of it.
    pub ranking: Option<Box<RankingDecl>>,
    /// The sum that is predicted of a subject.
    pub target: Option<TargetDecl>,
    /// The bands of that sum, each with the least amount of it, rising from the lowest.
    pub segments: Vec<(String, f64)>,
    /// How the truth is learnt.
    pub outcome: Option<OutcomeDecl>,
    /// The feature sets of the catalogue that it reads.
    pub uses: Vec<(String, SetOrigin)>,
    /// The features, its own first, then those of `uses` (named `customer.spending`).
    pub features: Vec<FeatureDecl>,
    /// How models are trained; `None` where it has none.
    pub training: Option<TrainingDecl>,
    /// The models in declared order.
    pub models: Vec<ModelDecl>,
    /// How several models become one probability.
    pub ensemble: Option<EnsembleDecl>,
    /// The layers in order, each with its deadline.
    pub layers: Vec<LayerDecl>,
    /// Lists of ids that people edit: (`stolen_cards`, `card_id`).
    pub lists: Vec<(String, String)>,
    /// The rules in declared order.
    pub rules: Vec<RuleDecl>,
    /// How a probability becomes a score.
    pub score: ScoreDecl,
    /// The actions with the first and the last score of each, rising: (`approve`, 0, 30).
    pub actions: Vec<(String, u8, u8)>,
    /// What is done when no layer could say anything.
    pub fallback: Option<String>,
    /// The share of decisions that is let through so that the truth stays observable.
    pub explore: Option<ExploreDecl>,
    /// Which decisions people look at.
    pub review: Option<ReviewDecl>,
    /// What a decision is worth, a formula for each action and truth.
    pub value: Vec<ValueDecl>,
    /// The field that says how much is at stake; the first money field of the decided event
    /// unless declared.
    pub amount: Option<String>,
    /// How it is served.
    pub serving: ServingDecl,
    /// How it is scored in batches.
    pub batch: Option<BatchDecl>,
    /// How long the log is kept; `None` is for ever.
    pub retention: Option<Span>,
    /// How often it is trained anew.
    pub update_frequency: Option<Span>,
    /// What a model that was trained anew has to pass before it goes live.
    pub gates: GatesDecl,
    /// What explanations may say, and what a person can change.
    pub explain: ExplainDecl,
    /// Where everything stands in its files.
    pub places: Places,
}

impl UseCase {
    /// Where the value at a path of keys stands, such as `features.velocity_checks.window`, or
    /// the nearest thing around it that is in a file.
    pub fn place(&self, path: &str) -> Place {
        self.places.place(path)
    }

    /// An event type by name.
    pub fn event(&self, name: &str) -> Option<&Arc<EventType>> {
        let subject = self.subject.iter().map(|subject| &subject.kind);
        self.events
            .iter()
            .chain(subject)
            .find(|event| event.name == name)
    }

    /// Whether a sum is predicted of each key.
    pub fn predicts_sums(&self) -> bool {
        self.subject.is_some() && self.ranking.is_none()
    }

    /// Whether a model scores items instead of rows.
    pub fn scores_items(&self, model: &str) -> bool {
        let mut models = self.models.iter();
        self.ranking.is_some()
            && models.any(|known| known.name == model && known.is_trained_source())
    }

    /// Whether training fits an ensemble of its models.
    pub fn is_stacked(&self) -> bool {
        let algorithm = self.ensemble.as_ref().map(|ensemble| ensemble.algorithm);
        algorithm == Some(Combination::Stacking)
    }

    /// The names under which versions are deployed: the models, and their ensemble where training
    /// fits one.
    pub fn member_names(&self) -> impl Iterator<Item = &str> + Clone {
        let ensemble = self.is_stacked().then_some(ENSEMBLE);
        self.models
            .iter()
            .map(|model| model.name.as_str())
            .chain(ensemble)
    }

    /// The score bands' first scores, with the action of each.
    pub fn action_names(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(|(name, _, _)| name.as_str())
    }
}

/// What is decided on at any time: each key of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectDecl {
    /// The entity, such as `customer`.
    pub each: String,
    /// The column that is above 0 for those that belong to the base; without it all do.
    pub base: Option<String>,
    /// The type of an event that holds the id of the entity and nothing else: rows are read at
    /// such events, and none of them is in a log.
    pub kind: Arc<EventType>,
}

/// What is predicted of a subject: a sum over the time to come.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetDecl {
    /// What adds to it: an event type and its field.
    pub sum: (String, String),
    /// What is taken off it.
    pub less: Option<(String, String)>,
    /// Over which time from the origin on, the origin itself left out.
    pub over: CalendarSpan,
    /// It is never less than this.
    pub floor: Option<f64>,
}

/// At which times of the past rows are read for training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginsDecl {
    /// So far apart, back from the latest whose target is known; of those only the ones at most
    /// `season` from the time of the year that is scored next, where it is given.
    Every {
        /// How far apart.
        every: CalendarSpan,
        /// How far from the time of the year.
        season: Option<CalendarSpan>,
    },
    /// These.
    At(Vec<Time>),
}

/// Which event type is a rate: one unit of `currency` is worth `rate` of the use case's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesDecl {
    /// The event type.
    pub event: String,
    /// Its field that names the currency.
    pub currency: String,
    /// Its field that holds the rate.
    pub rate: String,
}

/// How the truth about a decided event is learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeDecl {
    /// The event type that the truth is about.
    pub of: String,
    /// The event type whose arrival makes it positive.
    pub positive: String,
    /// The field of `positive` that holds the id of the event that it is about.
    pub by: String,
    /// Without a positive event for this long, it counts as negative in training and features.
    pub negative_after: Span,
    /// After this long nothing changes any more: its value is settled.
    pub closes: Span,
    /// The actions after which the truth cannot be seen, such as the one that blocks.
    pub hidden_by: Vec<String>,
}

/// A feature as it is declared; `acumen-feature` knows what its operator makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureDecl {
    /// Its name; a feature of the catalogue has the name of its file before it.
    pub name: String,
    /// The operator.
    pub operator: String,
    /// What it reads: an event type or a field of one (`payment.amount`), or `outcome`.
    pub of: Option<String>,
    /// The entities that it is kept for, each giving columns of its own.
    pub by: Vec<String>,
    /// The windows, each `(t − w, t]`.
    pub windows: Vec<Span>,
    /// The aggregations, each giving columns of its own.
    pub aggregations: Vec<String>,
    /// Every other key of the declaration.
    pub params: BTreeMap<String, serde_json::Value>,
}

/// How models are trained.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingDecl {
    /// Which decided events are rows.
    pub data: TrainingData,
    /// The share of the rows without a positive outcome that are kept, above 0; each counts for
    /// those that are not. Rows with a positive outcome are all kept.
    pub negative_share: f64,
    /// The share of the rows, the latest before those of calibration, that stops training early.
    pub validation: f64,
    /// The share of the rows, the latest of all, that fits the calibration.
    pub calibration_share: f64,
    /// How probabilities are calibrated.
    pub calibration: Calibration,
    /// Whether models are fitted again to all rows once they are judged.
    pub refit: bool,
    /// What every random choice follows from.
    pub seed: u64,
    /// Columns that no model sees.
    pub exclude: Vec<String>,
    /// How the parameters of models without a search of their own are searched for.
    pub search: Option<SearchSpec>,
    /// Of a subject: the times at which rows are read.
    pub origins: OriginsDecl,
}

/// Which decided events are rows of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingData {
    /// Those of the last while before the newest mature outcome.
    Last(Span),
    /// Those of `[from, to)`.
    Between(Time, Time),
}

/// How probabilities are calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calibration {
    /// Whichever of the two is better on rows that neither has seen.
    Auto,
    /// Isotonic regression.
    Isotonic,
    /// Platt's sigmoid.
    Platt,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelDecl {
    /// Its name.
    pub name: String,
    /// The learner's name.
    pub algorithm: String,
    /// The learner's own parameters.
    pub params: BTreeMap<String, serde_json::Value>,
    /// The features that it sees; `None` is all of them.
    pub features: Option<Vec<String>>,
    /// How its parameters are searched for; `None` is as `training` says.
    pub search: Option<SearchSpec>,
    /// Whether it answers without a vote.
    pub shadow: bool,
    /// The model of purchases whose answers are further columns of its rows.
    pub informed_by: Option<String>,
}

/// What a model that was trained anew has to pass before it goes live.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatesDecl {
    /// What it must not be worse in.
    pub metric: GateMetric,
    /// How much worse it may be all the same, in the metric's unit.
    pub tolerance: f64,
    /// Positives that it has to be judged on, at least.
    pub min_positives: usize,
    /// Its largest expected calibration error, over bins of equal numbers of rows.
    pub ece_max: f64,
    /// Microseconds that all its models may take for a row, in 99 of 100 rows.
    pub latency_us_max: u64,
}

impl Default for GatesDecl {
    fn default() -> GatesDecl {
        GatesDecl {
            metric: GateMetric::AveragePrecision,
            tolerance: 0.01,
            min_positives: 30,
            ece_max: 0.05,
            latency_us_max: 5_000,
        }
    }
}

/// What champion and candidate are compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateMetric {
    /// Average precision: more is better.
    AveragePrecision,
    /// Area under the ROC curve: more is better.
    Auc,
    /// Recall at a precision of at least 95 %: more is better.
    RecallAtPrecision95,
    /// Mean negative log likelihood: less is better.
    LogLoss,
    /// Mean squared error of the probability: less is better.
    Brier,
}

impl GateMetric {
    /// All of them.
    pub const ALL: [GateMetric; 5] = [
        GateMetric::AveragePrecision,
        GateMetric::Auc,
        GateMetric::RecallAtPrecision95,
        GateMetric::LogLoss,
        GateMetric::Brier,
    ];

    /// The word for it in a use case's file.
    pub fn name(self) -> &'static str {
        match self {
            GateMetric::AveragePrecision => "average_precision",
            GateMetric::Auc => "auc",
            GateMetric::RecallAtPrecision95 => "recall_at_precision_95",
            GateMetric::LogLoss => "log_loss",
            GateMetric::Brier => "brier",
        }
    }

    /// Whether less of it is better.
    pub fn less_is_better(self) -> bool {
        matches!(self, GateMetric::LogLoss | GateMetric::Brier)
    }
}

/// What explanations may say, and what a person can change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExplainDecl {
    /// Features or columns that the person concerned can change.
    pub actionable: Vec<String>,
    /// What the person concerned is told of a feature or column: (`velocity`, `Many orders`).
    pub says: Vec<(String, String)>,
}

/// How several models become one probability.
#[derive(Clone, Debug, PartialEq)]
pub struct EnsembleDecl {
    /// How they are combined.
    pub algorithm: Combination,
    /// What each model's word weighs; empty is equal weights.
    pub weights: Vec<(String, f64)>,
}

/// How models are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combination {
    /// The mean of their probabilities by the declared weights.
    Mean,
    /// Weights that training fits to what they say of rows that none of them saw.
    Stacking,
}

/// A layer: rules or models that run together, with a deadline since receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDecl {
    /// Its name.
    pub name: String,
    /// When it must have ended, counted from the receipt of the request.
    pub deadline: Span,
    /// The rules and models that run in it, in order.
    pub run: Vec<String>,
    /// Whether its models run beside each other.
    pub beside: bool,
    /// A condition under which later layers are not needed.
    pub final_when: Option<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleDecl {
    /// Its id.
    pub id: String,
    /// The condition, a CEL expression.
    pub when: String,
    /// The action that it asks for.
    pub effect: String,
    /// Why, in words that a person reads.
    pub reason: String,
    /// Whether it acts.
    pub mode: RuleMode,
    /// The entity by which it is rolled out to a share; by events where there is none.
    pub roll_out_by: Option<String>,
    /// The list whose ids it never fires for.
    pub suppress: Option<String>,
    /// Whether nothing after it is asked.
    pub is_final: bool,
}

/// How a probability becomes a score of 0–100.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ScoreDecl {
    /// The score is a hundred times the probability.
    #[default]
    Probability,
    /// The bands begin where the expected value of the actions says so; fitted in training.
    ExpectedCost,
    /// Straight lines between pairs of (probability, score), rising in both.
    Knots(Vec<(f64, f64)>),
}

/// The share of decisions that is let through so that the truth stays observable.
#[derive(Clone, Debug, PartialEq)]
pub struct ExploreDecl {
    /// The action that would have been taken; `None` is the most severe one.
    pub of: Option<String>,
    /// What is done in its place.
    pub action: String,
    /// The share, 0 to 1.
    pub share: f64,
}

/// Which decisions people look at, and the event by which they say what they found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewDecl {
    /// The actions whose decisions become cases.
    pub actions: Vec<String>,
    /// The type of the event that a disposition is; it is one of the use case's.
    pub event: Arc<EventType>,
}

/// Under which truth a value formula holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// The outcome was positive.
    Positive,
    /// The outcome was negative.
    Negative,
    /// Always, in addition to the other two.
    Any,
}

/// What an action is worth under a truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueDecl {
    /// The action.
    pub action: String,
    /// The truth.
    pub when: When,
    /// A CEL expression that gives money.
    pub formula: String,
}

/// How a use case is served.
#[derive(Clone, Debug, PartialEq)]
pub struct ServingDecl {
    /// The longest that a request may take.
    pub max_latency: Span,
    /// Requests a second that it is sized for.
    pub throughput: Option<u64>,
    /// Whether a decision is on disk before it is answered.
    pub durability: Durability,
    /// What is done when it cannot be written.
    pub when_log_fails: WhenLogFails,
    /// Processes, where there are several.
    pub replicas: u32,
    /// How the number of processes follows the load.
    pub autoscaling: Option<Autoscaling>,
    /// How long a cached entry may be used.
    pub cache_ttl: Option<Span>,
}

impl Default for ServingDecl {
    fn default() -> Self {
        ServingDecl {
            max_latency: Span(100),
            throughput: None,
            durability: Durability::MustLog,
            when_log_fails: WhenLogFails::Refuse,
            replicas: 1,
            autoscaling: None,
            cache_ttl: None,
        }
    }
}

/// Whether a decision is on disk before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is.
    MustLog,
    /// It is written soon after.
    BestEffort,
}

/// What is done when a decision that must be logged cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenLogFails {
    /// The request is refused.
    Refuse,
    /// It is answered, and counted.
    Answer,
}

/// How the number of processes follows the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscaling {
    /// At least so many.
    pub min_replicas: u32,
    /// At most so many.
    pub max_replicas: u32,
    /// The share of a processor at which another is started, 0 to 1.
    pub target_cpu: f64,
}

/// How a use case is scored in batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDecl {
    /// When.
    pub schedule: Cron,
    /// Rows at a time.
    pub batch_size: u64,
    /// The longest that a run may take.
    pub timeout: Span,
}
