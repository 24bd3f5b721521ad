//! `POST /v1/usecases/{name}/decide`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{blocking, wait};
use crate::refused::{Problem, Refused};
use crate::values::{self, Valued};
use crate::wire::DecisionAnswer;

/// Observe an event and decide on it, or say what is expected of keys.
///
/// A use case that decides on events takes an event: it is in the log, and for a use case that must
/// log its decisions the decision too, before the answer is sent. The same event again gives the
/// same decision.
///
/// A use case that decides on each key of an entity takes the key, or up to 1,000 of them in a
/// list, each answered by itself. Features are read as they are now; an answer is kept for
/// `cache_ttl`, and no longer than until an event of its key arrives.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/decide", tag = "decisions",
    params(("name" = String, Path, description = "the use case")),
    request_body(content = serde_json::Value, description = "an event of the type that the use case decides on, or `{\"customer_id\": …}` with an id or a list of them"),
    responses(
        (status = 200, body = Decided),
        (status = 404, body = Problem, description = "no such use case, or no such key"),
        (status = 409, body = Problem, description = "another event has this id"),
        (status = 422, body = Problem, description = "the event is malformed; it is kept in quarantine"),
        (status = 429, body = Problem, description = "too many requests are waiting"),
        (status = 503, body = Problem, description = "the log cannot be written, or the server is closing"),
    )
)]
pub(crate) async fn decide(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Decided>, Refused> {
    let received = engine.clock().nanos();
    let body = body?;
    let plan = engine
        .plan()
        .position(&name)
        .map(|at| &engine.plan().use_cases[at]);
    if plan.is_some_and(|plan| plan.declared.predicts_sums()) {
        let answer = blocking(engine, move |engine| {
            Ok(values::answer(engine, &name, &body))
        });
        return Ok(Json(Decided::Value(answer.await??)));
    }
    let answer = wait(|reply| engine.decide(&name, &body, received, reply)).await?;
    Ok(Json(Decided::Event(Box::new(DecisionAnswer::from(
        &answer,
    )))))
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Decided {
    /// Of an event.
    Event(Box<DecisionAnswer>),
    /// Of keys.
    Value(Valued),
}
