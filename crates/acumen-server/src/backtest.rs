//! `POST /v1/usecases/{name}/backtest`: what a new rule would have done.

use std::sync::Arc;

use acumen_base::Time;
use acumen_engine::{Backtest, BacktestQuery, Engine, Hits, Overlap};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{blocking, time};
use crate::refused::{Problem, Refused, json};

/// A rule to try out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BacktestRequest {
    /// The condition, as CEL, as a rule of the use case is written.
    rule: String,
    /// Events from this time on, RFC 3339; from the beginning unless given.
    from: Option<String>,
    /// Events before this time, RFC 3339; to the end of the log unless given.
    to: Option<String>,
    /// The action that it would ask for; the mildest that does something unless given.
    effect: Option<String>,
}

/// What the rule would have done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestAnswer {
    use_case: String,
    rule: String,
    effect: String,
    /// Up to when outcomes were known, RFC 3339.
    as_of: String,
    /// Decided events in the period.
    rows: u64,
    /// Those that turned out positive.
    positives: u64,
    hits: HitCounts,
    /// Of the hits whose truth is known, the share that was positive.
    precision: Option<f64>,
    /// Of all positives, the share that it hits.
    recall: Option<f64>,
    /// Negatives for each positive that it hits.
    false_positive_ratio: Option<f64>,
    /// Hits at which something else would have been done than was.
    changed: u64,
    /// What acting would have been worth more than what was done, such as `12.50 GBP`.
    gained: Option<String>,
    /// Known hits without a value: a field was missing, or a currency had no rate.
    unvalued: u64,
    /// What was at stake at the positives that it hits.
    positive_amount: Option<String>,
    /// Beside each declared rule.
    overlap: Vec<OverlapLine>,
    /// What to keep in mind when reading this.
    warning: String,
}

/// Where the rule would have fired.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HitCounts {
    all: u64,
    positive: u64,
    negative: u64,
    /// The truth is not known yet.
    open: u64,
    /// The truth was hidden by what was done.
    hidden: u64,
}

/// The rule beside a declared one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverlapLine {
    rule: String,
    both: u64,
    only_new: u64,
    only_old: u64,
}

/// Try a rule out on the log.
///
/// The first question after a start may take as long as reading the log; where that is too long
/// for a request it is answered 503 `not_ready`, and the next one goes on from there.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/backtest", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    request_body = BacktestRequest,
    responses(
        (status = 200, body = BacktestAnswer),
        (status = 400, body = Problem, description = "every problem of the rule, with its offset"),
        (status = 404, body = Problem, description = "no such use case"),
        (status = 503, body = Problem, description = "the rows are still being read, or another backtest runs"),
    )
)]
pub(crate) async fn backtest(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<BacktestAnswer>, Refused> {
    let request: BacktestRequest = json(body)?;
    let query = BacktestQuery {
        rule: request.rule,
        from: time("from", request.from.as_deref())?.unwrap_or(Time::EARLIEST),
        to: time("to", request.to.as_deref())?.unwrap_or(Time::LATEST),
        effect: request.effect,
    };
    let found = blocking(engine, move |engine| engine.backtest(&name, &query)).await?;
    Ok(Json(BacktestAnswer::from(found)))
}

impl From<Backtest> for BacktestAnswer {
    fn from(found: Backtest) -> BacktestAnswer {
        BacktestAnswer {
            use_case: found.use_case,
            rule: found.rule,
            effect: found.effect,
            as_of: found.as_of.to_string(),
            rows: found.rows,
            positives: found.positives,
            hits: found.hits.into(),
            precision: found.precision,
            recall: found.recall,
            false_positive_ratio: found.false_positive_ratio,
            changed: found.changed,
            gained: found.gained.map(|money| money.to_string()),
            unvalued: found.unvalued,
            positive_amount: found.positive_amount.map(|money| money.to_string()),
            overlap: found.overlap.into_iter().map(OverlapLine::from).collect(),
            warning: found.warning,
        }
    }
}

impl From<Hits> for HitCounts {
    fn from(hits: Hits) -> HitCounts {
        HitCounts {
            all: hits.all,
            positive: hits.positive,
            negative: hits.negative,
            open: hits.open,
            hidden: hits.hidden,
        }
    }
}

impl From<Overlap> for OverlapLine {
    fn from(overlap: Overlap) -> OverlapLine {
        OverlapLine {
            rule: overlap.rule,
            both: overlap.both,
            only_new: overlap.only_new,
            only_old: overlap.only_old,
        }
    }
}
