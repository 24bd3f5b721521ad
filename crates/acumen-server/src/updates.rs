//! `/v1/usecases/{name}/updates`, `…/roll-back`, `…/deploy` and `…/compare`.

use std::sync::Arc;

use acumen_base::Control;
use acumen_engine::Engine;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::blocking;
use crate::refused::{Problem, Refused, json};

/// Who asks, for the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Who asks, for the record.
    by: String,
}

/// What decides from here on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RolledBack {
    /// Every model that went back, with the version that answers now.
    deployed: Vec<Deployed>,
    /// Whether the thresholds went back, too.
    thresholds: bool,
}

/// A model and the version that answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deployed {
    model: String,
    version: String,
}

/// What became of the trainings of a use case, newest first: when, which candidate, every gate
/// with its figures, promoted or held and why; what is under way; when the next is due.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/updates", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    responses((status = 200, body = Value), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refused> {
    let updates = blocking(engine, move |engine| engine.updates(&name)).await?;
    Ok(Json(serde_json::to_value(updates).unwrap_or_default()))
}

/// Train a use case now, beside everything else; what passes its gates goes live by itself.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/updates", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    request_body = Asked,
    responses((status = 202, body = Value), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn begin(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let asked: Asked = json(body)?;
    let updates = blocking(engine, move |engine| {
        engine.begin_update(&name, &asked.by)?;
        engine.updates(&name)
    })
    .await?;
    let updates = serde_json::to_value(updates).unwrap_or_default();
    Ok((StatusCode::ACCEPTED, Json(updates)))
}

/// Put the models and thresholds back that decided before the last change, all of them together.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/roll-back", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    request_body = Asked,
    responses((status = 200, body = RolledBack), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn roll_back(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<RolledBack>, Refused> {
    let asked: Asked = json(body)?;
    let edits = blocking(engine, move |engine| engine.roll_back(&name, &asked.by)).await?;
    let mut rolled_back = RolledBack {
        deployed: Vec::new(),
        thresholds: false,
    };
    for edit in edits {
        match edit {
            Control::Deploy {
                member, version, ..
            } => rolled_back.deployed.push(Deployed {
                model: member,
                version,
            }),
            _ => rolled_back.thresholds = true,
        }
    }
    Ok(Json(rolled_back))
}

/// A deployment, or the end of a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    /// The model.
    model: String,
    /// The version; without it, the model's challenger is withdrawn.
    version: Option<String>,
    /// Whether it answers beside what decides, without a vote.
    #[serde(default)]
    challenger: bool,
    /// Who deploys, for the record.
    by: String,
}

/// Where the edit stands in the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeployedAt {
    position: u64,
}

/// Let a version decide, or answer beside what decides as a challenger; or withdraw one.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/deploy", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    request_body = Deployment,
    responses((status = 200, body = DeployedAt), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn deploy(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<DeployedAt>, Refused> {
    let asked: Deployment = json(body)?;
    let position = blocking(engine, move |engine| {
        let Deployment {
            model,
            version,
            challenger,
            by,
        } = asked;
        engine.deploy(&name, &model, version.as_deref(), challenger, &by)
    })
    .await?;
    Ok(Json(DeployedAt { position }))
}

/// Champion and challenger side by side, over the decisions in the log: average precision, recall
/// at the champion's alert rate, calibration, and what each would have decided and been worth.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/compare", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    responses((status = 200, body = Value), (status = 404, body = Problem))
)]
pub(crate) async fn compare(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refused> {
    let found = blocking(engine, move |engine| engine.compare(&name)).await?;
    Ok(Json(serde_json::to_value(found).unwrap_or_default()))
}
