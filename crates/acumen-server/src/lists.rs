//! Lists: what people edit while the server runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::limits::LIST_EDIT_MAX;
use acumen_base::{Control, Time};
use acumen_engine::{Engine, Refusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{blocking, wait};
use crate::refused::{Problem, Refused, json};

/// An edit of a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListEdit {
    /// Ids to add.
    #[serde(default)]
    add: Vec<String>,
    /// Until when the added ids are on it, by the time of events, RFC 3339; for good unless given.
    until: Option<String>,
    /// Ids to take off.
    #[serde(default)]
    remove: Vec<String>,
    /// Who edits, for the record.
    by: String,
}

/// Where an edit stands in the log: it holds for every event behind that position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Edited {
    pub(crate) position: u64,
}

/// Every list with how many ids it holds.
#[utoipa::path(get, path = "/v1/lists", tag = "state", responses((status = 200, body = BTreeMap<String, usize>)))]
pub(crate) async fn all(
    State(engine): State<Arc<Engine>>,
) -> Result<Json<BTreeMap<String, usize>>, Refused> {
    let lists = blocking(engine, Engine::lists).await?;
    Ok(Json(
        lists
            .into_iter()
            .map(|(name, ids)| (name, ids.len()))
            .collect(),
    ))
}

/// The ids on a list.
#[utoipa::path(
    get, path = "/v1/lists/{list}", tag = "state",
    params(("list" = String, Path, description = "the list")),
    responses((status = 200, body = [String]), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(list): Path<String>,
) -> Result<Json<Vec<String>>, Refused> {
    let mut lists = blocking(engine, Engine::lists).await?;
    match lists.remove(&list) {
        Some(ids) => Ok(Json(ids.into_iter().map(|(id, _)| id).collect())),
        None => Err(Refusal::unknown("list", &list, lists.keys().map(String::as_str)).into()),
    }
}

/// The ids that are on a list for a while, each with the time until which events find it, RFC 3339.
#[utoipa::path(
    get, path = "/v1/lists/{list}/expiring", tag = "state",
    params(("list" = String, Path, description = "the list")),
    responses((status = 200, body = BTreeMap<String, String>), (status = 404, body = Problem))
)]
pub(crate) async fn expiring(
    State(engine): State<Arc<Engine>>,
    Path(list): Path<String>,
) -> Result<Json<BTreeMap<String, String>>, Refused> {
    let mut lists = blocking(engine, Engine::lists).await?;
    let Some(ids) = lists.remove(&list) else {
        return Err(Refusal::unknown("list", &list, lists.keys().map(String::as_str)).into());
    };
    let expiring = ids
        .into_iter()
        .filter_map(|(id, until)| Some((id, until?.to_string())));
    Ok(Json(expiring.collect()))
}

/// Add ids to a list or take them off, durably.
#[utoipa::path(
    post, path = "/v1/lists/{list}", tag = "state",
    params(("list" = String, Path, description = "the list")),
    request_body = ListEdit,
    responses((status = 200, body = Edited), (status = 404, body = Problem))
)]
pub(crate) async fn edit(
    State(engine): State<Arc<Engine>>,
    Path(list): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Edited>, Refused> {
    let edit: ListEdit = json(body)?;
    let lists = blocking(Arc::clone(&engine), Engine::lists).await?;
    if !lists.contains_key(&list) {
        return Err(Refusal::unknown("list", &list, lists.keys().map(String::as_str)).into());
    }
    let ids = edit.add.len() + edit.remove.len();
    if ids == 0 || ids > LIST_EDIT_MAX {
        let message = format!("an edit names 1 to {LIST_EDIT_MAX} ids, this one {ids}");
        return Err(Refusal::Invalid(message).into());
    }
    let until = edit.until.as_deref().map(str::parse::<Time>).transpose();
    let until = until.map_err(|error| Refusal::Invalid(format!("`until`: {error}")))?;
    let mut position = 0;
    if !edit.remove.is_empty() {
        let control = Control::ListRemove {
            list: list.clone(),
            ids: edit.remove,
        };
        position = wait(|reply| engine.control(control, &edit.by, reply)).await?;
    }
    if !edit.add.is_empty() {
        let control = Control::ListAdd {
            list,
            ids: edit.add,
            until,
        };
        position = wait(|reply| engine.control(control, &edit.by, reply)).await?;
    }
    Ok(Json(Edited { position }))
}
