//! `GET /v1/usecases/{name}/entities/{entity}/{key}`.

use std::sync::Arc;

use acumen_engine::Engine;
use axum::Json;
use axum::extract::{Path, State};

use crate::answer::blocking;
use crate::refused::{Problem, Refused};
use crate::wire::EntityFeature;

/// The features of one entity as they are now, with the age of the newest event behind each.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/entities/{entity}/{key}", tag = "state",
    params(
        ("name" = String, Path, description = "the use case"),
        ("entity" = String, Path, description = "the entity, such as `customer`"),
        ("key" = String, Path, description = "its id"),
    ),
    responses((status = 200, body = [EntityFeature]), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path((name, entity, key)): Path<(String, String, String)>,
) -> Result<Json<Vec<EntityFeature>>, Refused> {
    let values = blocking(engine, move |engine| engine.entity(&name, &entity, &key)).await?;
    Ok(Json(values.iter().map(EntityFeature::from).collect()))
}
