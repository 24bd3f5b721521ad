//! `GET /v1/usecases/{name}/scores/{key}`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::blocking;
use crate::refused::{Problem, Refused};

/// The score of a key in the latest batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreAnswer {
    /// The key.
    id: String,
    /// What is expected; null where the key was not scored.
    value: Option<f64>,
    /// Its currency, where it is of money.
    currency: String,
    /// The interval that holds what will come in nine cases of ten.
    low: Option<f64>,
    /// Its upper end.
    high: Option<f64>,
    /// The probability that there will be more purchases.
    probability_alive: Option<f64>,
    /// How many purchases to expect.
    expected_purchases: Option<f64>,
    /// The band of the value.
    segment: Option<String>,
    /// Why there is no value.
    reason: Option<String>,
    /// The model that answered.
    model: String,
    /// Its version.
    version: String,
    /// The date that was scored: RFC 3339. What has happened since is not in the score.
    origin: String,
    /// The date's place in the log.
    position: u64,
    /// The batch: the name of its folder.
    job: String,
}

/// The score of a key as the latest complete batch left it, without reading features or models.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/scores/{key}", tag = "decisions",
    params(
        ("name" = String, Path, description = "the use case"),
        ("key" = String, Path, description = "the id of the key"),
    ),
    responses(
        (status = 200, body = ScoreAnswer),
        (status = 404, body = Problem, description = "the batch does not have the key"),
        (status = 503, body = Problem, description = "no batch is complete"),
    )
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<ScoreAnswer>, Refused> {
    let Path((name, id)) = path?;
    let plan = Arc::clone(engine.plan());
    let currency = plan.position(&name).map(|at| &plan.use_cases[at].declared);
    let currency = currency.map_or("", |declared| declared.currency.code());
    let key = id.clone();
    let score = blocking(engine, move |engine| engine.stored_score(&name, &key)).await?;
    Ok(Json(ScoreAnswer {
        id,
        value: score.value,
        currency: currency.to_owned(),
        low: score.low,
        high: score.high,
        probability_alive: score.alive,
        expected_purchases: score.purchases,
        segment: score.segment,
        reason: score.reason,
        model: score.model,
        version: score.version,
        origin: score.at.to_string(),
        position: score.position,
        job: score.job,
    }))
}
