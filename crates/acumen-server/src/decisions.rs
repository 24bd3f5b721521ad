//! `GET /v1/decisions/{id}`, `…/explain` and `POST …/replay`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::answer::blocking;
use crate::refused::{Problem, Refused};
use crate::wire::{DecisionRecord, Replay};

/// The record of a decision.
#[utoipa::path(
    get, path = "/v1/decisions/{id}", tag = "decisions",
    params(("id" = String, Path, description = "use case and event id, as in `use-case:event-id`")),
    responses((status = 200, body = DecisionRecord), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Json<DecisionRecord>, Refused> {
    let plan = Arc::clone(engine.plan());
    let decision = blocking(engine, move |engine| engine.decision(&id)).await?;
    Ok(Json(DecisionRecord::new(&plan, &decision)))
}

/// Why a decision is what it is: layers, rules, attributions that add up, what was skipped.
#[utoipa::path(
    get, path = "/v1/decisions/{id}/explain", tag = "decisions",
    params(("id" = String, Path, description = "use case and event id, as in `use-case:event-id`")),
    responses((status = 200, body = Value), (status = 404, body = Problem))
)]
pub(crate) async fn explain(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let explanation = blocking(engine, move |engine| engine.explain(&id)).await?;
    Ok(Json(serde_json::to_value(explanation).unwrap_or_default()))
}

/// Make a decision again from the log, and compare it bit for bit.
#[utoipa::path(
    post, path = "/v1/decisions/{id}/replay", tag = "decisions",
    params(("id" = String, Path, description = "use case and event id, as in `use-case:event-id`")),
    responses((status = 200, body = Replay), (status = 404, body = Problem))
)]
pub(crate) async fn replay(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Json<Replay>, Refused> {
    let replayed = blocking(engine, move |engine| engine.replay(&id)).await?;
    Ok(Json(Replay {
        identical: replayed.mismatches == 0 && replayed.other_builds == 0,
        differences: replayed.differences,
    }))
}
