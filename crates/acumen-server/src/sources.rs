//! `/v1/sources`: how far sources have been read, for those who read them beside the server.

use std::sync::Arc;

use acumen_base::SourceMark;
use acumen_engine::Engine;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};

use crate::answer::blocking;
use crate::lists::Edited;
use crate::refused::{Problem, Refused, json};

/// How far each declared source has been read.
#[utoipa::path(
    get, path = "/v1/sources", tag = "events",
    responses((status = 200, body = serde_json::Value, description = "a mark for each source"))
)]
pub(crate) async fn all(
    State(engine): State<Arc<Engine>>,
) -> Result<Json<Vec<SourceMark>>, Refused> {
    Ok(Json(blocking(engine, Engine::sources_read).await?))
}

/// Note how far a source has been read, durably: send it when what was read has been taken.
#[utoipa::path(
    post, path = "/v1/sources/{source}", tag = "events",
    params(("source" = String, Path, description = "the source")),
    request_body(content = serde_json::Value, description = "a mark as `GET /v1/sources` gives it"),
    responses((status = 200, body = Edited), (status = 404, body = Problem))
)]
pub(crate) async fn note(
    State(engine): State<Arc<Engine>>,
    Path(source): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Edited>, Refused> {
    let mark = SourceMark {
        source,
        ..json(body)?
    };
    let position = blocking(engine, move |engine| engine.source_read(mark)).await?;
    Ok(Json(Edited { position }))
}
