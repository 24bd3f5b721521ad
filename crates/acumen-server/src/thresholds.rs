//! `POST /v1/usecases/{name}/thresholds`: where the score bands begin, fitted to a target.

use std::sync::Arc;

use acumen_engine::{Engine, Refit, Refusal, Target};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{blocking, time};
use crate::refused::{Problem, Refused, json};

/// What thresholds are to reach.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `precision=0.95`, `block_rate=0.01` or `expected_cost`.
    target: String,
    /// The action whose band begins where the target is reached; the most severe unless given.
    action: Option<String>,
    /// Events from this time on, RFC 3339; where the deployed models stopped looking unless given.
    from: Option<String>,
    /// Events before this time, RFC 3339; to the end of the log unless given.
    to: Option<String>,
    /// Only say what it would change.
    #[serde(default)]
    dry_run: bool,
    /// Who asks, for the record.
    by: String,
}

/// The thresholds that were found, and what they change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Found {
    /// The position of the log from which on they are in force; `null` of a dry run.
    position: Option<u64>,
    /// Where each action begins and how the period would have gone, before and after.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    refit: Refit,
}

/// Move the thresholds of the score bands so that they reach a target; the models stay.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/thresholds", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    request_body = Wanted,
    responses(
        (status = 200, body = Found),
        (status = 400, body = Problem, description = "the target cannot be reached, and what can be"),
        (status = 404, body = Problem, description = "no such use case or action"),
        (status = 503, body = Problem, description = "it took too long, and nothing was changed"),
    )
)]
pub(crate) async fn fit(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Found>, Refused> {
    let wanted: Wanted = json(body)?;
    let target: Target = wanted.target.parse().map_err(Refusal::Invalid)?;
    let period = (
        time("from", wanted.from.as_deref())?,
        time("to", wanted.to.as_deref())?,
    );
    let (refit, position) = blocking(engine, move |engine| {
        let by = (!wanted.dry_run).then_some(wanted.by.as_str());
        engine.refit(&name, (target, wanted.action), period, by)
    })
    .await?;
    Ok(Json(Found { position, refit }))
}
