//! `GET /v1/status`: what the live page shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_engine::{Engine, RankingStatus, UseCaseStatus};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::blocking;
use crate::refused::Refused;

/// What happens now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// Records in the log.
    records: u64,
    /// Whether every declared model is loaded.
    ready: bool,
    /// What is missing, in words.
    missing: Vec<String>,
    /// What is slowed down on purpose, in words.
    drills: Vec<String>,
    use_cases: Vec<UseCaseLine>,
}

/// One use case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UseCaseLine {
    name: String,
    question: String,
    /// How many decisions were made.
    decisions: u64,
    /// By action, mildest first.
    actions: Vec<ActionCount>,
    /// What it is worth, where it says.
    money: Option<MoneyLine>,
    /// The latest decisions, newest first.
    latest: Vec<LatestLine>,
    /// What is known and was told, where items are ranked.
    ranking: Option<RankingLine>,
}

/// What a use case that ranks knows and was told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RankingLine {
    /// Items that are known.
    items: usize,
    /// Those that may be shown.
    available: usize,
    /// Visitors that are remembered.
    visitors: usize,
    /// Lists that were shown.
    lists: u64,
    /// Items of them that were seen.
    seen: u64,
    /// Outcomes of items of lists.
    outcomes: u64,
    /// What visitors may do that tells of interest.
    kinds: Vec<String>,
    /// What a request may say of the moment, with the type of each.
    context: BTreeMap<String, String>,
    /// How many lists of each ensemble were learnt from, where there are several.
    ensembles: BTreeMap<String, u64>,
    /// What each source weighs.
    weights: Vec<WeightLine>,
    /// What orders lists in place of the weights, where a ranker is live.
    ranker: Option<VersionLine>,
}

/// A version that is live.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionLine {
    model: String,
    version: String,
}

/// What a source weighs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WeightLine {
    source: String,
    weight: f32,
}

/// How often an action was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionCount {
    action: String,
    count: u64,
}

/// What the decisions of a use case are worth so far.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MoneyLine {
    /// Against always choosing the baseline.
    saved: String,
    baseline: String,
    /// Of interventions whose truth is known, the share that was right.
    precision: Option<f64>,
    /// Of positives that are known, the share that met an intervention.
    recall: Option<f64>,
    /// Decisions whose truth is not known yet.
    open: u64,
}

/// One of the latest decisions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LatestLine {
    id: String,
    action: String,
    score: Option<f64>,
    amount: Option<String>,
    reason: Option<String>,
    took_us: u64,
}

/// What happens now: the page at `/` shows it.
#[utoipa::path(get, path = "/v1/status", tag = "operations", responses((status = 200, body = Status)))]
pub(crate) async fn status(State(engine): State<Arc<Engine>>) -> Result<Json<Status>, Refused> {
    let status = blocking(Arc::clone(&engine), Engine::status).await?;
    let readiness = blocking(engine, Engine::readiness).await?;
    Ok(Json(Status {
        records: status.records,
        ready: readiness.ready,
        missing: readiness.missing,
        drills: status.drills.iter().map(ToString::to_string).collect(),
        use_cases: status.use_cases.iter().map(UseCaseLine::from).collect(),
    }))
}

impl From<&(String, u64)> for ActionCount {
    fn from((action, count): &(String, u64)) -> ActionCount {
        ActionCount {
            action: action.clone(),
            count: *count,
        }
    }
}

impl From<&RankingStatus> for RankingLine {
    fn from(status: &RankingStatus) -> RankingLine {
        let weights = status.weights.iter().map(|(source, weight)| WeightLine {
            source: source.clone(),
            weight: *weight,
        });
        RankingLine {
            items: status.items,
            available: status.available,
            visitors: status.visitors,
            lists: status.lists.lists,
            seen: status.lists.seen,
            outcomes: status.lists.outcomes,
            kinds: status.kinds.clone(),
            ensembles: status.ensembles.iter().cloned().collect(),
            context: status
                .context
                .iter()
                .map(|(name, kind)| (name.clone(), kind.name().to_owned()))
                .collect(),
            weights: weights.collect(),
            ranker: status.ranker.as_ref().map(|(model, version)| VersionLine {
                model: model.clone(),
                version: version.clone(),
            }),
        }
    }
}

impl From<&UseCaseStatus> for UseCaseLine {
    fn from(status: &UseCaseStatus) -> UseCaseLine {
        let latest = status.latest.iter().map(|decision| LatestLine {
            id: decision.id.clone(),
            action: decision.action.clone(),
            score: decision.score,
            amount: decision.amount.map(|amount| amount.to_string()),
            reason: decision.reasons.first().map(|reason| reason.text.clone()),
            took_us: decision.took_us,
        });
        UseCaseLine {
            name: status.name.clone(),
            question: status.question.clone(),
            decisions: status.actions.iter().map(|(_, n)| n).sum(),
            actions: status.actions.iter().map(ActionCount::from).collect(),
            money: status.money.as_ref().map(|money| MoneyLine {
                saved: money.saved.to_string(),
                baseline: money.baseline.clone(),
                precision: money.precision,
                recall: money.recall,
                open: money.open,
            }),
            latest: latest.collect(),
            ranking: status.ranking.as_ref().map(RankingLine::from),
        }
    }
}
