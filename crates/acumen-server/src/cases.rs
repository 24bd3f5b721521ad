//! Cases: decisions that people look at, and what they find.

use std::sync::Arc;

use acumen_base::limits::CASES_LISTED_MAX;
use acumen_engine::{Case, CaseOrder, CaseState, Engine, Finding, Found, Refusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{blocking, wait};
use crate::refused::{Problem, Refused, json};
use crate::wire::DecisionRecord;

/// Cases that are listed unless asked otherwise.
const LISTED: usize = 50;

/// Which cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    state: Option<String>,
    order: Option<String>,
    limit: Option<usize>,
}

/// Some cases of a use case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CasePage {
    /// How many there are of the wanted state.
    count: usize,
    cases: Vec<CaseLine>,
    /// Open cases that were dropped because there were too many.
    dropped: u64,
}

/// One case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseLine {
    /// The decision's id.
    id: String,
    /// RFC 3339.
    event_time: String,
    /// RFC 3339.
    decided_at: String,
    action: String,
    score: Option<f64>,
    /// What is at stake, such as `12.50 GBP`.
    amount: Option<String>,
    /// The reason that weighed most.
    reason: Option<String>,
    /// `open`, or what counts of what was said: `positive` or `negative`.
    state: String,
}

/// A case with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseRecord {
    /// `open`, or what counts of what was said: `positive` or `negative`.
    state: String,
    /// What people found, oldest first; the last one counts.
    dispositions: Vec<Disposition>,
    decision: DecisionRecord,
}

/// What a person found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Disposition {
    /// `positive` or `negative`.
    disposition: String,
    by: String,
    note: Option<String>,
    /// RFC 3339.
    at: String,
    /// Where it stands in the log.
    position: u64,
}

/// What someone found about a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dispose {
    /// `positive` or `negative`.
    disposition: String,
    /// What else there is to say.
    note: Option<String>,
    /// Who found it.
    by: String,
}

/// What became of a finding.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DisposedAnswer {
    /// Where it stands in the log.
    position: u64,
    /// Whether the same was found before: nothing was written.
    repeated: bool,
}

/// The cases of a use case, newest or most valuable first.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/cases", tag = "decisions",
    params(
        ("name" = String, Path, description = "the use case"),
        ("state" = Option<String>, Query, description = "`open` (the default), `closed` or `all`"),
        ("order" = Option<String>, Query, description = "`newest` first (the default), or the highest `value`"),
        ("limit" = Option<usize>, Query, description = "how many; 50 unless given, 200 at most"),
    ),
    responses((status = 200, body = CasePage), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<CasePage>, Refused> {
    let Query(wanted) = wanted?;
    let state = match wanted.state.as_deref() {
        None | Some("open") => CaseState::Open,
        Some("closed") => CaseState::Closed,
        Some("all") => CaseState::All,
        Some(other) => return Err(no_such("state", other, "`open`, `closed` or `all`").into()),
    };
    let order = match wanted.order.as_deref() {
        None | Some("newest") => CaseOrder::Newest,
        Some("value") => CaseOrder::Value,
        Some(other) => return Err(no_such("order", other, "`newest` or `value`").into()),
    };
    let limit = wanted.limit.unwrap_or(LISTED);
    if limit > CASES_LISTED_MAX {
        let message = format!("`limit`: at most {CASES_LISTED_MAX} cases are listed at once");
        return Err(Refusal::Invalid(message).into());
    }
    let list = move |engine: &Engine| engine.cases(&name, state, order, limit);
    let found = blocking(engine, list).await?;
    Ok(Json(CasePage {
        count: found.count,
        cases: found.cases.iter().map(CaseLine::from).collect(),
        dropped: found.dropped,
    }))
}

/// A case with its decision and all that was found about it.
#[utoipa::path(
    get, path = "/v1/cases/{id}", tag = "decisions",
    params(("id" = String, Path, description = "the decision's id, as in `use-case:event-id`")),
    responses((status = 200, body = CaseRecord), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
) -> Result<Json<CaseRecord>, Refused> {
    let plan = Arc::clone(engine.plan());
    let read = move |engine: &Engine| Ok((engine.case(&id)?, engine.decision(&id)?));
    let ((case, found), decision) = blocking(engine, read).await?;
    Ok(Json(CaseRecord {
        state: state(&case),
        dispositions: found.iter().map(Disposition::from).collect(),
        decision: DecisionRecord::new(&plan, &decision),
    }))
}

/// Say what was found about a case. It is an event of the log and counts as the outcome at once.
///
/// The same finding again writes nothing; a different one supersedes, and both stay on record.
#[utoipa::path(
    post, path = "/v1/cases/{id}", tag = "decisions",
    params(("id" = String, Path, description = "the decision's id, as in `use-case:event-id`")),
    request_body = Dispose,
    responses(
        (status = 200, body = DisposedAnswer),
        (status = 400, body = Problem),
        (status = 404, body = Problem, description = "no such case"),
    )
)]
pub(crate) async fn dispose(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<DisposedAnswer>, Refused> {
    let dispose: Dispose = json(body)?;
    let positive = match dispose.disposition.as_str() {
        "positive" => true,
        "negative" => false,
        other => {
            return Err(no_such("disposition", other, "`positive` or `negative`").into());
        }
    };
    let finding = Finding {
        positive,
        by: dispose.by,
        note: dispose.note,
    };
    let disposed = wait(|reply| engine.dispose(&id, finding, reply)).await?;
    Ok(Json(DisposedAnswer {
        position: disposed.position,
        repeated: disposed.repeated,
    }))
}

fn no_such(key: &str, given: &str, valid: &str) -> Refusal {
    Refusal::Invalid(format!("`{key}`: `{given}` is not {valid}"))
}

fn word(positive: bool) -> String {
    if positive { "positive" } else { "negative" }.to_owned()
}

fn state(case: &Case) -> String {
    case.positive.map_or_else(|| "open".to_owned(), word)
}

impl From<&Case> for CaseLine {
    fn from(case: &Case) -> CaseLine {
        CaseLine {
            id: case.id.clone(),
            event_time: case.event_time.to_string(),
            decided_at: case.decided_at.to_string(),
            action: case.action.clone(),
            score: case.score,
            amount: case.amount.map(|amount| amount.to_string()),
            reason: case.reason.clone(),
            state: state(case),
        }
    }
}

impl From<&Found> for Disposition {
    fn from(found: &Found) -> Disposition {
        Disposition {
            disposition: word(found.finding.positive),
            by: found.finding.by.clone(),
            note: found.finding.note.clone(),
            at: found.at.to_string(),
            position: found.position,
        }
    }
}
