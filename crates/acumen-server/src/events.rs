//! `POST /v1/events`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;

use crate::answer::ingest;
use crate::refused::{Problem, Refused};
use crate::wire::EventsAnswer;

/// Log and observe events.
///
/// One JSON object, an array of them, or NDJSON. The good ones are taken, durably, before the
/// answer is sent; each malformed one is kept in quarantine with its reason. `207` says that
/// some were refused.
#[utoipa::path(
    post, path = "/v1/events", tag = "events",
    request_body(content = serde_json::Value, description = "events with their `type`"),
    responses(
        (status = 200, body = EventsAnswer),
        (status = 207, body = EventsAnswer, description = "some were refused"),
        (status = 409, body = EventsAnswer, description = "all have ids of other events"),
        (status = 422, body = EventsAnswer, description = "all were refused"),
        (status = 429, body = Problem, description = "too many requests are waiting"),
    )
)]
pub(crate) async fn post(
    State(engine): State<Arc<Engine>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<EventsAnswer>), Refused> {
    let body = body?;
    let ingested = ingest(&engine, body).await?;
    let answer = EventsAnswer::from(&ingested);
    let status = match (answer.taken(), answer.refused.is_empty()) {
        (_, true) => StatusCode::OK,
        (0, false) if answer.only_conflicts() => StatusCode::CONFLICT,
        (0, false) => StatusCode::UNPROCESSABLE_ENTITY,
        (_, false) => StatusCode::MULTI_STATUS,
    };
    Ok((status, Json(answer)))
}
