//! The parameters of gradient boosting: names, ranges, defaults, and what they mean.

use std::collections::BTreeMap;

use acumen_base::{ColumnKind, Columns, nearest};
use serde::{Serialize, Serializer};

use super::evaluation::{EVAL_METRICS, EvalMetric};
use super::split::{Direction, Penalty};
use crate::binning::BINS_MAX;
use crate::forest::Objective;
use crate::learner::params::{Reader, doc};
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params};

const INF: f64 = f64::INFINITY;

/// Every parameter.
pub(in crate::learner) const DOCS: &[ParamDoc] = &[
    doc(
        "objective",
        &[],
        ParamRange::OneOf(&[
            "binary:logistic",
            "reg:squarederror",
            "reg:tweedie",
            "reg:gamma",
        ]),
        "binary:logistic",
        "what is predicted: a probability, a value, a value that is often 0 and never below it, or \
         a value above 0",
    ),
    doc(
        "tweedie_variance_power",
        &[],
        ParamRange::Open(1.0, 2.0),
        "1.5",
        "for reg:tweedie: the power of the mean that the variance is; nearer to 2 for few large \
         values, nearer to 1 for many small ones",
    ),
    doc(
        "n_estimators",
        &["num_boost_round"],
        ParamRange::Whole(1, 100_000),
        "100",
        "how many trees at most",
    ),
    doc(
        "learning_rate",
        &["eta"],
        ParamRange::Share(0.0, 1.0),
        "0.3",
        "how much of each tree is added",
    ),
    doc(
        "max_depth",
        &[],
        ParamRange::Whole(0, 32),
        "6",
        "how many splits lie above a leaf at most; 0 is no limit and needs max_leaves",
    ),
    doc(
        "max_leaves",
        &[],
        ParamRange::Whole(0, 65_536),
        "0",
        "how many leaves a tree has at most; 0 is no limit",
    ),
    doc(
        "grow_policy",
        &[],
        ParamRange::OneOf(&["depthwise", "lossguide"]),
        "depthwise",
        "whether trees grow level by level or where the loss falls most",
    ),
    doc(
        "min_child_weight",
        &[],
        ParamRange::Number(0.0, INF),
        "1",
        "the least sum of second derivatives in a child",
    ),
    doc(
        "gamma",
        &["min_split_loss"],
        ParamRange::Number(0.0, INF),
        "0",
        "by how much a split must lower the loss",
    ),
    doc(
        "reg_lambda",
        &["lambda"],
        ParamRange::Number(0.0, INF),
        "1",
        "the L2 penalty on leaf weights",
    ),
    doc(
        "reg_alpha",
        &["alpha"],
        ParamRange::Number(0.0, INF),
        "0",
        "the L1 penalty on leaf weights",
    ),
    doc(
        "max_delta_step",
        &[],
        ParamRange::Number(0.0, INF),
        "0",
        "the greatest leaf weight; 0 is no limit",
    ),
    doc(
        "subsample",
        &[],
        ParamRange::Share(0.0, 1.0),
        "1",
        "the share of rows drawn for each tree",
    ),
    doc(
        "colsample_bytree",
        &[],
        ParamRange::Share(0.0, 1.0),
        "1",
        "the share of columns drawn for each tree",
    ),
    doc(
        "scale_pos_weight",
        &[],
        ParamRange::Share(0.0, f64::MAX),
        "1",
        "how many times a positive row counts",
    ),
    doc(
        "max_bin",
        &[],
        ParamRange::Whole(2, BINS_MAX as u64),
        "1024",
        "how many bins a column of numbers has at most",
    ),
    doc(
        "base_score",
        &[],
        ParamRange::OpenOrAuto(-INF, INF),
        "0.5 for binary:logistic, else auto",
        "the prediction before the first tree, a probability for binary:logistic; `auto` is the mean outcome",
    ),
    doc(
        "monotone_constraints",
        &[],
        ParamRange::ByColumn,
        "{}",
        "the direction in which each named column may move the prediction: 1 up, -1 down",
    ),
    doc(
        "max_cat_to_onehot",
        &[],
        ParamRange::Whole(1, BINS_MAX as u64),
        "4",
        "up to this many categories each is tried against the rest; more are partitioned",
    ),
    doc(
        "max_cat_threshold",
        &[],
        ParamRange::Whole(1, BINS_MAX as u64),
        "64",
        "how many categories one split may send right",
    ),
    doc(
        "eval_metric",
        &[],
        ParamRange::OneOf(&EVAL_METRICS),
        "logloss for binary:logistic, rmse for reg:squarederror, tweedie-nloglik for reg:tweedie, \
         gamma-deviance for reg:gamma",
        "what is watched on the validation rows",
    ),
    doc(
        "early_stopping_rounds",
        &[],
        ParamRange::Whole(1, 100_000),
        "none",
        "training stops when the metric has not improved for this many rounds; the best round is kept",
    ),
    doc(
        "warm_start",
        &[],
        ParamRange::Whole(0, 100_000),
        "0",
        "when it is trained again from the version before: how many rounds are added to its trees; \
         0 begins anew, and so does a model of twice n_estimators",
    ),
    doc(
        "seed",
        &["random_state"],
        ParamRange::Whole(0, u64::MAX),
        "0",
        "varies what is drawn",
    ),
    doc(
        "n_threads",
        &["n_jobs", "nthread"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

/// Parameters that were found to be valid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoostingParams {
    /// What is predicted.
    #[serde(serialize_with = "by_name")]
    pub objective: Objective,
    /// The power of `reg:tweedie`.
    pub tweedie_variance_power: Option<f32>,
    /// How many trees at most.
    pub n_estimators: usize,
    /// How much of each tree is added.
    pub learning_rate: f64,
    /// How many splits lie above a leaf at most; 0 is no limit.
    pub max_depth: usize,
    /// How many leaves at most; 0 is no limit.
    pub max_leaves: usize,
    /// `depthwise` or `lossguide`.
    pub grow_policy: String,
    /// The least sum of second derivatives in a child.
    pub min_child_weight: f64,
    /// By how much a split must lower the loss.
    pub gamma: f64,
    /// The L2 penalty.
    pub reg_lambda: f64,
    /// The L1 penalty.
    pub reg_alpha: f64,
    /// The greatest leaf weight; 0 is no limit.
    pub max_delta_step: f64,
    /// The share of rows drawn for each tree.
    pub subsample: f64,
    /// The share of columns drawn for each tree.
    pub colsample_bytree: f64,
    /// How many times a positive row counts.
    pub scale_pos_weight: f64,
    /// How many bins a column of numbers has at most.
    pub max_bin: usize,
    /// The prediction before the first tree; `None` is the mean outcome.
    pub base_score: Option<f64>,
    /// The direction of each constrained column, by name.
    pub monotone_constraints: BTreeMap<String, i8>,
    /// Up to this many categories are tried one by one.
    pub max_cat_to_onehot: usize,
    /// How many categories one split may send right.
    pub max_cat_threshold: usize,
    /// The name of the metric that is watched.
    pub eval_metric: String,
    /// After how many rounds without improvement training stops.
    pub early_stopping_rounds: Option<usize>,
    /// How many rounds a retraining adds; 0 begins anew.
    pub warm_start: usize,
    /// Varies what is drawn.
    pub seed: u64,
    /// How many threads; 0 is one a core.
    pub n_threads: usize,
    #[serde(skip)]
    pub(super) metric: Metric,
    /// By position of the column.
    #[serde(skip)]
    pub(super) directions: Vec<Direction>,
}

pub(super) type Metric = EvalMetric;

impl BoostingParams {
    /// Reads parameters.
    ///
    /// # Errors
    /// Every problem, not only the first.
    pub fn check(params: &Params, columns: &Columns) -> Result<Self, Vec<ParamProblem>> {
        let mut reader = Reader::new(params, DOCS);
        let objective = match reader.word("objective", "binary:logistic") {
            "reg:squarederror" => Objective::SquaredError,
            "reg:tweedie" => Objective::Tweedie {
                variance_power: reader.number("tweedie_variance_power", 1.5) as f32,
            },
            "reg:gamma" => Objective::Gamma,
            _ => Objective::BinaryLogistic,
        };
        let metric = reader
            .word("eval_metric", "")
            .parse()
            .unwrap_or(EvalMetric::usual(objective));
        let (monotone_constraints, directions) = monotone(&mut reader, columns);
        let checked = BoostingParams {
            objective,
            tweedie_variance_power: match objective {
                Objective::Tweedie { variance_power } => Some(variance_power),
                _ => None,
            },
            n_estimators: reader.whole("n_estimators", 100),
            learning_rate: reader.number("learning_rate", 0.3),
            max_depth: reader.whole("max_depth", 6),
            max_leaves: reader.whole("max_leaves", 0),
            grow_policy: reader.word("grow_policy", "depthwise").to_owned(),
            min_child_weight: reader.number("min_child_weight", 1.0),
            gamma: reader.number("gamma", 0.0),
            reg_lambda: reader.number("reg_lambda", 1.0),
            reg_alpha: reader.number("reg_alpha", 0.0),
            max_delta_step: reader.number("max_delta_step", 0.0),
            subsample: reader.number("subsample", 1.0),
            colsample_bytree: reader.number("colsample_bytree", 1.0),
            scale_pos_weight: reader.number("scale_pos_weight", 1.0),
            max_bin: reader.whole("max_bin", 1_024),
            base_score: base_score(&mut reader, objective),
            monotone_constraints,
            max_cat_to_onehot: reader.whole("max_cat_to_onehot", 4),
            max_cat_threshold: reader.whole("max_cat_threshold", 64),
            eval_metric: metric.name().to_owned(),
            early_stopping_rounds: reader
                .get("early_stopping_rounds")
                .map(|_| reader.whole("early_stopping_rounds", 0)),
            warm_start: reader.whole("warm_start", 0),
            seed: reader.whole("seed", 0) as u64,
            n_threads: reader.whole("n_threads", 0),
            metric,
            directions,
        };
        checked.check_together(&mut reader);
        if reader.problems.is_empty() {
            Ok(checked)
        } else {
            Err(reader.problems)
        }
    }

    fn check_together(&self, reader: &mut Reader<'_>) {
        if self.max_depth == 0 && self.max_leaves == 0 {
            reader.problem(
                "max_depth",
                "`max_depth` is 0 and so is `max_leaves`: trees would grow without end".into(),
                "set one of the two".into(),
            );
        }
        let objective = self.objective.name();
        if !self.metric.suits(self.objective) {
            reader.problem(
                "eval_metric",
                format!("`{}` says nothing of {objective}", self.eval_metric),
                format!("use `{}`", EvalMetric::usual(self.objective).name()),
            );
        }
        if !self.objective.is_binary() && self.scale_pos_weight != 1.0 {
            reader.problem(
                "scale_pos_weight",
                format!("`scale_pos_weight` has no meaning for {objective}"),
                "remove it, or weigh the rows".into(),
            );
        }
        let given = reader.get("tweedie_variance_power").is_some();
        if given && self.tweedie_variance_power.is_none() {
            reader.problem(
                "tweedie_variance_power",
                format!("`tweedie_variance_power` has no meaning for {objective}"),
                "remove it, or set `objective: reg:tweedie`".into(),
            );
        }
    }

    pub(super) fn penalty(&self) -> Penalty {
        Penalty {
            lambda: self.reg_lambda,
            alpha: self.reg_alpha,
            gamma: self.gamma,
            min_child_weight: self.min_child_weight,
            max_delta_step: self.max_delta_step,
            max_cat_to_onehot: self.max_cat_to_onehot,
            max_cat_threshold: self.max_cat_threshold,
        }
    }
}

/// An explicit 0.5 for a probability: with the rate of a rare outcome instead, the second
/// derivatives of the first rounds are so small that on few rows `min_child_weight` forbids the
/// splits that matter. Measured on card payments, 0.9 % positive, average precision with 0.5
/// against `auto`: 0.693 and 0.679 on 67 thousand rows (100 rounds, depth 3), but 0.758 and
/// 0.767 on 795 thousand (50 rounds, depth 6): with much data `auto` is worth a trial.
fn base_score(reader: &mut Reader<'_>, objective: Objective) -> Option<f64> {
    let default = match objective {
        Objective::BinaryLogistic => Some(0.5),
        _ => None,
    };
    let given = match reader.get("base_score") {
        None => return default,
        Some(value) => value.as_f64(),
    };
    let Some(value) = given else {
        return given;
    };
    let (is_valid, expected) = match objective {
        Objective::BinaryLogistic => (value > 0.0 && value < 1.0, "a probability between 0 and 1"),
        Objective::SquaredError => (true, "a number"),
        Objective::Tweedie { .. } | Objective::Gamma | Objective::LogValue => {
            (value > 0.0, "a value above 0")
        }
    };
    if !is_valid {
        reader.problem(
            "base_score",
            format!("`base_score` is {value}, which is not {expected}"),
            format!("for {} it is {expected}, or `auto`", objective.name()),
        );
    }
    given
}

/// As a specification names it.
fn by_name<S: Serializer>(objective: &Objective, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(objective.name())
}

fn monotone(reader: &mut Reader<'_>, columns: &Columns) -> (BTreeMap<String, i8>, Vec<Direction>) {
    let mut constraints = BTreeMap::new();
    let mut directions = vec![Direction::Free; columns.len()];
    let given = reader
        .get("monotone_constraints")
        .and_then(|v| v.as_object());
    for (name, value) in given.into_iter().flatten() {
        let Some(position) = columns.position(name) else {
            let near = nearest(name, columns.list.iter().map(|c| c.name.as_str()));
            let help = near.map_or_else(
                || "name a column of the model's features".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`monotone_constraints` names `{name}`, which is no column");
            reader.problem("monotone_constraints", message, help);
            continue;
        };
        let direction = match value.as_i64() {
            Some(0) => Direction::Free,
            Some(1) => Direction::Up,
            Some(-1) => Direction::Down,
            _ => {
                let message =
                    format!("the direction of `{name}` is {value}, which is not -1, 0 or 1");
                let help = "1 lets the prediction only rise with the column, -1 only fall";
                reader.problem("monotone_constraints", message, help.into());
                continue;
            }
        };
        if direction != Direction::Free && columns.list[position].kind == ColumnKind::Category {
            let message = format!("`monotone_constraints` names `{name}`, which is a category");
            let help = "categories have no order: remove it";
            reader.problem("monotone_constraints", message, help.into());
            continue;
        }
        directions[position] = direction;
        constraints.insert(name.clone(), value.as_i64().unwrap_or(0) as i8);
    }
    (constraints, directions)
}
