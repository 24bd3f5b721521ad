//! `/v1/usecases/{name}/updates`, `…/roll-back`, `…/deploy` and `…/compare`.

use std::sync::Arc;

use acumen_base::{Control, Gate, ModelVersion, Update};
use acumen_engine::{Engine, Updates};
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
    /// Models that nothing stood in the place of before: they are taken out.
    withdrawn: Vec<String>,
    /// Whether the thresholds went back, too.
    thresholds: bool,
}

/// A model and the version that answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deployed {
    model: String,
    version: String,
}

/// What there is to know of the trainings of a use case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpdatesAnswer {
    /// When the next is due, RFC 3339; `null` where no `update_frequency` is declared.
    next_at: Option<String>,
    /// The one that is under way.
    running: Option<RunningLine>,
    /// The latest that ended, newest first.
    latest: Vec<UpdateLine>,
}

/// A training that is under way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunningLine {
    /// RFC 3339.
    since: String,
    /// What it does, such as `fitting boosted, 40 of 200`.
    stage: String,
}

/// A training that ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpdateLine {
    use_case: String,
    /// `schedule`, or who asked.
    asked_by: String,
    /// RFC 3339.
    started_at: String,
    /// RFC 3339.
    ended_at: String,
    /// What was trained.
    candidate: Vec<VersionLine>,
    /// What was live.
    champion: Vec<VersionLine>,
    /// The first and the last instant of the rows that both were judged on, RFC 3339.
    judged: Option<(String, String)>,
    gates: Vec<GateLine>,
    /// Whether the candidate is live since.
    promoted: bool,
    /// Why, or why not.
    why: String,
}

/// A model and a version of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionLine {
    member: String,
    version: String,
}

/// One thing that a candidate had to pass.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GateLine {
    name: String,
    passed: bool,
    /// What the candidate has.
    figure: Option<f64>,
    /// What it has to keep to.
    limit: Option<f64>,
    /// The same in words.
    text: String,
}

/// What became of the trainings of a use case, newest first: when, which candidate, every gate
/// with its figures, promoted or held and why; what is under way; when the next is due.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/updates", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    responses((status = 200, body = UpdatesAnswer), (status = 404, body = Problem))
)]
pub(crate) async fn get(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Json<UpdatesAnswer>, Refused> {
    let updates = blocking(engine, move |engine| engine.updates(&name)).await?;
    Ok(Json(UpdatesAnswer::from(&updates)))
}

/// Train a use case now, beside everything else; what passes its gates goes live by itself.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/updates", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    request_body = Asked,
    responses((status = 202, body = UpdatesAnswer), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn begin(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<UpdatesAnswer>), Refused> {
    let asked: Asked = json(body)?;
    let updates = blocking(engine, move |engine| {
        engine.begin_update(&name, &asked.by)?;
        engine.updates(&name)
    })
    .await?;
    Ok((StatusCode::ACCEPTED, Json(UpdatesAnswer::from(&updates))))
}

impl From<&Updates> for UpdatesAnswer {
    fn from(updates: &Updates) -> UpdatesAnswer {
        let running = updates.running.as_ref();
        UpdatesAnswer {
            next_at: updates.next_at.map(|next_at| next_at.to_string()),
            running: running.map(|running| RunningLine {
                since: running.since.to_string(),
                stage: running.stage.clone(),
            }),
            latest: updates.latest.iter().map(UpdateLine::from).collect(),
        }
    }
}

impl From<&Update> for UpdateLine {
    fn from(update: &Update) -> UpdateLine {
        let versions = |versions: &[ModelVersion]| {
            let line = |one: &ModelVersion| VersionLine {
                member: one.member.clone(),
                version: one.version.clone(),
            };
            versions.iter().map(line).collect()
        };
        let gate = |gate: &Gate| GateLine {
            name: gate.name.clone(),
            passed: gate.passed,
            figure: gate.figure,
            limit: gate.limit,
            text: gate.text.clone(),
        };
        let judged = update
            .judged
            .map(|(from, to)| (from.to_string(), to.to_string()));
        UpdateLine {
            use_case: update.use_case.clone(),
            asked_by: update.asked_by.clone(),
            started_at: update.started_at.to_string(),
            ended_at: update.ended_at.to_string(),
            candidate: versions(&update.candidate),
            champion: versions(&update.champion),
            judged,
            gates: update.gates.iter().map(gate).collect(),
            promoted: update.promoted,
            why: update.why.clone(),
        }
    }
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
        withdrawn: Vec::new(),
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
            Control::Withdraw { member, .. } => rolled_back.withdrawn.push(member),
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
