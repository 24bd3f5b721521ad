//! `GET /v1/usecases/{name}/batches`.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_engine::{BatchRun, BatchStatus, Engine};
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::blocking;
use crate::refused::{Problem, Refused};

/// The batches of a use case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchesAnswer {
    /// When the next is due: RFC 3339; null where none is scheduled.
    next_at: Option<String>,
    /// Since when one is under way.
    running_since: Option<String>,
    /// Keys of it that are done.
    done: Option<usize>,
    /// All of its keys.
    of: Option<usize>,
    /// The latest that ended.
    latest: Option<BatchLine>,
}

/// One run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchLine {
    /// The date that was scored.
    at: String,
    /// When the run began.
    started_at: String,
    /// When it ended.
    ended_at: String,
    /// The model and version that answered.
    version: Option<String>,
    /// Keys that were known at the date.
    keys: Option<usize>,
    /// Those with a value.
    scored: Option<usize>,
    /// Those without, by reason.
    not_scored: BTreeMap<String, usize>,
    /// Keys that are left where the time was over.
    left: usize,
    /// Why it did not come to its end.
    problem: Option<String>,
}

/// What became of the batches of a use case, what is under way, and when the next is due.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/batches", tag = "operations",
    params(("name" = String, Path, description = "the use case")),
    responses((status = 200, body = BatchesAnswer), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Json<BatchesAnswer>, Refused> {
    let status = blocking(engine, move |engine| engine.batches(&name)).await?;
    Ok(Json(BatchesAnswer::from(&status)))
}

impl From<&BatchStatus> for BatchesAnswer {
    fn from(status: &BatchStatus) -> BatchesAnswer {
        let (done, of) = status.progress.unzip();
        BatchesAnswer {
            next_at: status.next_at.map(|at| at.to_string()),
            running_since: status.running_since.map(|at| at.to_string()),
            done,
            of,
            latest: status.latest.as_ref().map(BatchLine::from),
        }
    }
}

impl From<&BatchRun> for BatchLine {
    fn from(run: &BatchRun) -> BatchLine {
        let coverage = run.coverage.as_ref();
        BatchLine {
            at: run.at.to_string(),
            started_at: run.started_at.to_string(),
            ended_at: run.ended_at.to_string(),
            version: coverage.map(|found| found.version.clone()),
            keys: coverage.map(|found| found.keys),
            scored: coverage.map(|found| found.scored),
            not_scored: coverage
                .map(|found| found.not_scored.clone())
                .unwrap_or_default(),
            left: run.left,
            problem: run.problem.clone(),
        }
    }
}
