//! `/v1/quarantine`: what was refused, with its reason, to be mended and sent again.

use std::sync::Arc;

use acumen_base::limits::EVENTS_PER_REQUEST_MAX;
use acumen_engine::{Engine, Refusal, Rejected};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{blocking, ingest};
use crate::refused::{Problem, Refused, json};
use crate::wire::{EventsAnswer, QuarantinedEvent};

/// Which part of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    after: u64,
}

/// Entries of one page.
const PAGE: usize = 100;

/// What was refused and not sent again since, oldest first, 100 a page.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "events",
    params(("after" = Option<u64>, Query, description = "entries after this id")),
    responses((status = 200, body = [QuarantinedEvent]))
)]
pub(crate) async fn list(
    State(engine): State<Arc<Engine>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Vec<QuarantinedEvent>>, Refused> {
    let Query(page) = page?;
    let entries = blocking(engine, move |engine| engine.quarantined(page.after, PAGE)).await?;
    Ok(Json(entries.iter().map(QuarantinedEvent::from).collect()))
}

/// A record that was refused before it became an event.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RefusedRecord {
    /// A stable code, such as `record`.
    code: String,
    /// What is wrong, naming the value.
    message: String,
    /// What to do.
    help: String,
    /// Where it came from, such as a file and line.
    source: String,
    /// What was read.
    original: String,
}

/// Keep records that were refused before they became events, such as rows that no mapping fits.
#[utoipa::path(
    post, path = "/v1/quarantine", tag = "events",
    request_body = [RefusedRecord],
    responses((status = 204), (status = 400, body = Problem))
)]
pub(crate) async fn put(
    State(engine): State<Arc<Engine>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refused> {
    let records: Vec<RefusedRecord> = json(body)?;
    if records.len() > EVENTS_PER_REQUEST_MAX {
        let message = format!("a request may hold {EVENTS_PER_REQUEST_MAX} records");
        return Err(Refusal::Invalid(message).into());
    }
    let records = records.into_iter().map(|record| {
        let original = record.original.as_bytes();
        let why = Rejected::because(&record.code, None, record.message, record.help, original);
        (why, record.source)
    });
    let records: Vec<(Rejected, String)> = records.collect();
    blocking(engine, move |engine| engine.quarantine(&records)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One refused event with its original bytes.
#[utoipa::path(
    get, path = "/v1/quarantine/{id}", tag = "events",
    params(("id" = u64, Path, description = "the id of the entry")),
    responses((status = 200, body = QuarantinedEvent), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<QuarantinedEvent>, Refused> {
    let Path(id) = id?;
    let entry = blocking(engine, move |engine| engine.quarantined_one(id)).await?;
    Ok(Json(QuarantinedEvent::from(&entry)))
}

/// Send a refused event again, as it was or mended (an empty body sends it as it was).
#[utoipa::path(
    post, path = "/v1/quarantine/{id}/resubmit", tag = "events",
    params(("id" = u64, Path, description = "the id of the entry")),
    request_body(content = serde_json::Value, description = "the mended event"),
    responses((status = 200, body = EventsAnswer), (status = 404, body = Problem))
)]
pub(crate) async fn resubmit(
    State(engine): State<Arc<Engine>>,
    id: Result<Path<u64>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<EventsAnswer>, Refused> {
    let Path(id) = id?;
    let body = body?;
    let entry = blocking(Arc::clone(&engine), move |engine| {
        engine.quarantined_one(id)
    })
    .await?;
    let event = if body.is_empty() {
        entry.original.into()
    } else {
        body
    };
    let ingested = ingest(&engine, event).await?;
    let answer = EventsAnswer::from(&ingested);
    if answer.refused.is_empty() {
        blocking(engine, move |engine| engine.resolve_quarantined(id)).await?;
    }
    Ok(Json(answer))
}
