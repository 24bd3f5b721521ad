//! The sources of a blend, and the parameters that each is chosen among.

use acumen_base::Seed;
use acumen_deep::{
    NeuralCollaborativeFiltering, SelfAttentionLearner, SequenceRecommender, TwoTowerLearner,
};
use acumen_model::recommend::{RecommendData, RecommendLearner, Source, recommender};
use acumen_model::{Params, Progress};
use serde_json::{Value, json};

use super::judge::{Cut, Figures};
use super::kept::{Kept, is_slow};
use super::sets::Set;
use crate::report::{Failure, all};
use crate::settings::Settings;

/// Users that parameters are chosen on.
const USERS: usize = 3_000;

/// What a source is for, which says its first weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Collaborative,
    Content,
    Sequence,
    Popular,
}

/// A source before it is fitted.
pub(super) struct Planned {
    pub(super) name: &'static str,
    pub(super) role: Role,
    learner: &'static dyn RecommendLearner,
    grid: Vec<Value>,
}

/// A source fitted without the last two items of each user.
pub(super) struct Fitted {
    pub(super) planned: Planned,
    pub(super) parameters: Value,
    pub(super) source: Source,
    pub(super) seconds: f64,
}

/// The sources that a set has data for.
pub(super) fn planned(set: &Set, settings: &Settings) -> Result<Vec<Planned>, Failure> {
    let known = |name: &str| {
        recommender(name).map_err(|_| Failure::new(format!("there is no recommender `{name}`")))
    };
    let plan = |name, role, learner, grid| Planned {
        name,
        role,
        learner,
        grid,
    };
    let mut plans = vec![plan(
        "als",
        Role::Collaborative,
        known("matrix_factorization")?,
        grid(
            &[
                ("unobserved_weight", &[0.3, 1.0]),
                ("regularisation", &[0.0003, 0.001]),
                ("history_decay", &[1.0, 0.9, 0.8, 0.7]),
            ],
            &json!({"factors": 64, "last": 50}),
        ),
    )];
    if set.dense {
        let fixed = json!({"method": "ease", "neighbours": 0});
        let lambda: &[f64] = &[300.0];
        plans.push(plan(
            "ease",
            Role::Collaborative,
            known("item_similarity")?,
            grid(
                &[
                    ("regularisation", lambda),
                    ("history_decay", &[1.0, 0.9, 0.8]),
                ],
                &fixed,
            ),
        ));
    } else {
        let fixed = json!({"method": "cosine", "neighbours": 200});
        plans.push(plan(
            "knn",
            Role::Collaborative,
            known("item_similarity")?,
            grid(
                &[
                    ("shrinkage", &[0.0, 2.0, 10.0]),
                    ("history_decay", &[1.0, 0.9, 0.8]),
                ],
                &fixed,
            ),
        ));
    }
    if set.attributes.is_some() {
        plans.push(plan(
            "content",
            Role::Content,
            known("content")?,
            grid(&[("history_decay", &[0.3, 0.5, 0.7, 0.85])], &json!({})),
        ));
    }
    plans.push(plan(
        "sequential",
        Role::Sequence,
        known("sequential_cooccurrence")?,
        counts(
            &[(5, 0.7), (10, 0.8), (20, 0.9)],
            &[(5, 0.7), (10, 0.8), (20, 0.85)],
            &[0.0],
        ),
    ));
    plans.push(plan(
        "far",
        Role::Sequence,
        known("sequential_cooccurrence")?,
        counts(
            &[(30, 0.95), (60, 0.98)],
            &[(20, 0.9), (40, 0.95)],
            &[0.3, 0.6],
        ),
    ));
    if !settings.no_network {
        let network = vec![network(set)];
        plans.push(plan(
            "recurrent",
            Role::Sequence,
            &SequenceRecommender,
            network,
        ));
        plans.push(plan(
            "attention",
            Role::Sequence,
            &SelfAttentionLearner,
            vec![attention(set)],
        ));
        plans.push(plan(
            "towers",
            Role::Sequence,
            &TwoTowerLearner,
            grid(&[("history_decay", &[0.6, 0.85])], &towers(set)),
        ));
        plans.push(plan(
            "neural",
            Role::Collaborative,
            &NeuralCollaborativeFiltering,
            grid(&[("history_decay", &[0.6, 0.85])], &neural(set)),
        ));
    }
    plans.push(plan(
        "popular",
        Role::Popular,
        known("popular")?,
        vec![json!({})],
    ));
    Ok(plans)
}

/// The network of a set; it takes too long to be searched.
fn network(set: &Set) -> Value {
    match set.dense {
        true => json!({"width": 64, "units": 128, "window": 100, "epochs": 10, "dropout": 0.2}),
        false => json!({"width": 64, "units": 128, "window": 30, "epochs": 20, "dropout": 0.4}),
    }
}

/// The attention of a set.
fn attention(set: &Set) -> Value {
    let (window, epochs, dropout) = match set.dense {
        true => (100, 10, 0.2),
        false => (30, 20, 0.4),
    };
    json!({"width": 64, "blocks": 2, "heads": 2, "window": window, "epochs": epochs,
           "dropout": dropout})
}

/// The towers of a set.
fn towers(set: &Set) -> Value {
    match set.dense {
        true => json!({"width": 64, "layers": [128], "last": 50, "epochs": 5, "dropout": 0.2}),
        false => json!({"width": 64, "layers": [128], "last": 30, "epochs": 15, "dropout": 0.4}),
    }
}

/// The product and perceptron of a set.
fn neural(set: &Set) -> Value {
    let (last, epochs, dropout) = match set.dense {
        true => (50, 5, 0.2),
        false => (30, 15, 0.4),
    };
    json!({"width": 64, "layers": [32, 16], "last": last, "epochs": epochs, "dropout": dropout,
           "learning_rate": 0.005})
}

/// Windows and what a step in them counts, events that are read and how they fade, and powers of
/// popularity, in all combinations.
fn counts(windows: &[(u32, f64)], read: &[(u32, f64)], powers: &[f64]) -> Vec<Value> {
    let mut all = Vec::new();
    for (window, decay) in windows {
        for (last, fades) in read {
            for power in powers {
                all.push(json!({
                    "window": window, "decay": decay, "popularity_power": power,
                    "last": last, "history_decay": fades,
                }));
            }
        }
    }
    all
}

/// Every combination of some values, with what is fixed.
fn grid(values: &[(&str, &[f64])], fixed: &Value) -> Vec<Value> {
    let mut all = vec![fixed.clone()];
    for (name, values) in values {
        let with = |params: &Value| -> Vec<Value> {
            let each = values.iter().map(|value| {
                let mut params = params.clone();
                params[*name] = json!(value);
                params
            });
            each.collect()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

impl Planned {
    /// Whether it takes minutes to fit.
    pub(super) fn takes_minutes(&self) -> bool {
        is_slow(self.learner.name())
    }

    /// Fits it with each of its parameters, and keeps what is best on the validation item.
    pub(super) fn fit(self, set: &Set, valid: &Cut, kept: &Kept) -> Result<Fitted, Failure> {
        let users = valid.some(USERS);
        let mut best: Option<(f64, Value, Source, f64)> = None;
        for parameters in &self.grid {
            let (source, seconds) = self.fit_with(set, parameters, &valid.histories, kept)?;
            let found = match self.grid.len() {
                1 => 0.0,
                _ => Figures::of(&valid.places(&[(&source, 1.0)], &users)).ndcg,
            };
            if best.as_ref().is_none_or(|(before, ..)| found > *before) {
                best = Some((found, parameters.clone(), source, seconds));
            }
        }
        let (_, parameters, source, seconds) =
            best.ok_or_else(|| Failure::new("the grid is empty"))?;
        Ok(Fitted {
            planned: self,
            parameters,
            source,
            seconds,
        })
    }

    /// Fits it to some events.
    pub(super) fn fit_with(
        &self,
        set: &Set,
        parameters: &Value,
        events: &acumen_model::recommend::Interactions,
        kept: &Kept,
    ) -> Result<(Source, f64), Failure> {
        let params: Params = serde_json::from_value(parameters.clone())?;
        let checked = self.learner.check(&params).map_err(all)?;
        let data = RecommendData {
            interactions: events,
            attributes: set.attributes.as_ref(),
        };
        let fit = || {
            let mut told = |at: Progress| {
                let value = at.value.unwrap_or(f64::NAN);
                println!(
                    "  {}: epoch {} of {}, {} {value:.4}",
                    self.name, at.round, at.rounds, at.metric
                );
            };
            checked.fit(&data, Seed(1), &mut told)
        };
        kept.or_fit(self.learner.name(), &checked.params_json(), events, fit)
    }
}
