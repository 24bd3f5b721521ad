//! `POST /v1/usecases/{name}/decide`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};

use crate::answer::wait;
use crate::refused::{Problem, Refused};
use crate::wire::DecisionAnswer;

/// Observe an event and decide on it.
///
/// The event is in the log, and for a use case that must log its decisions the decision too,
/// before the answer is sent. The same event again gives the same decision.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/decide", tag = "decisions",
    params(("name" = String, Path, description = "the use case")),
    request_body(content = serde_json::Value, description = "an event of the type that the use case decides on"),
    responses(
        (status = 200, body = DecisionAnswer),
        (status = 404, body = Problem, description = "no such use case"),
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
) -> Result<Json<DecisionAnswer>, Refused> {
    let received = engine.clock().nanos();
    let body = body?;
    let answer = wait(|reply| engine.decide(&name, &body, received, reply)).await?;
    Ok(Json(DecisionAnswer::from(&answer)))
}
