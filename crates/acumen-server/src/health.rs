//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::answer::blocking;
use crate::refused::Refused;
use crate::wire::Ready;

/// Whether the server answers at all.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = String)))]
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Whether every declared model is loaded, and what is missing.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses((status = 200, body = Ready), (status = 503, body = Ready))
)]
pub(crate) async fn ready(
    State(engine): State<Arc<Engine>>,
) -> Result<(StatusCode, Json<Ready>), Refused> {
    let readiness = blocking(engine, Engine::readiness).await?;
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((
        status,
        Json(Ready {
            ready: readiness.ready,
            missing: readiness.missing,
        }),
    ))
}

/// Counters and latencies in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String)))]
pub(crate) async fn metrics(
    State(engine): State<Arc<Engine>>,
) -> Result<impl IntoResponse, Refused> {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = blocking(engine, |engine| Ok(engine.metrics_text())).await?;
    Ok(([(header::CONTENT_TYPE, kind)], text))
}
