//! Rules: how they fare, and switching them while the server runs.

use std::sync::Arc;

use acumen_base::Control;
use acumen_base::decision::RuleMode;
use acumen_engine::{Engine, Refusal, RuleStatus};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{blocking, wait};
use crate::lists::Edited;
use crate::refused::{Problem, Refused, json};

/// A rule and how it fares.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleLine {
    id: String,
    /// The condition.
    when: String,
    /// The action that it asks for.
    effect: String,
    reason: String,
    /// `on`, `shadow`, `off`, or `on for 10 %`.
    mode: String,
    /// Whether it wins outright.
    is_final: bool,
    /// The list whose ids it never fires for.
    suppress: Option<String>,
    /// How often it fired, acting or not.
    fired: u64,
    /// How often it acted.
    acted: u64,
    /// How often it was recorded and did not act.
    shadow: u64,
    /// How often a list kept it from firing.
    suppressed: u64,
    /// Of the firings, those that turned out positive.
    positive: u64,
    /// Those that turned out negative.
    negative: u64,
    /// The share of the known ones that was positive.
    precision: Option<f64>,
    /// Negatives for each positive.
    false_positive_ratio: Option<f64>,
    /// What its action is worth more than the mildest one, over the known ones.
    saved: Option<String>,
}

/// A switch of a rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSwitch {
    /// `on`, `shadow` or `off`; or a share.
    mode: Option<String>,
    /// The share of events for which it acts, between 0 and 1; it is a shadow for the rest.
    share: Option<f64>,
    /// Who switches, for the record.
    by: String,
}

/// The rules of a use case and how they fare, from what the log says.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/rules", tag = "state",
    params(("name" = String, Path, description = "the use case")),
    responses((status = 200, body = [RuleLine]), (status = 404, body = Problem))
)]
pub(crate) async fn all(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<RuleLine>>, Refused> {
    let rules = blocking(engine, move |engine| engine.rules(&name)).await?;
    Ok(Json(rules.into_iter().map(RuleLine::from).collect()))
}

/// Switch a rule on, off, to shadow, or on for a share of the events, durably.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/rules/{rule}", tag = "state",
    params(
        ("name" = String, Path, description = "the use case"),
        ("rule" = String, Path, description = "the rule's id"),
    ),
    request_body = RuleSwitch,
    responses((status = 200, body = Edited), (status = 400, body = Problem))
)]
pub(crate) async fn switch(
    State(engine): State<Arc<Engine>>,
    Path((name, rule)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Edited>, Refused> {
    let switch: RuleSwitch = json(body)?;
    let mode = RuleMode::parse(switch.mode.as_deref(), switch.share).map_err(Refusal::Invalid)?;
    if engine.plan().position(&name).is_none() {
        return Err(Refusal::unknown("use case", &name, engine.plan().names()).into());
    }
    let control = Control::Rule {
        use_case: name,
        rule,
        mode,
    };
    let position = wait(|reply| engine.control(control, &switch.by, reply)).await?;
    Ok(Json(Edited { position }))
}

impl From<RuleStatus> for RuleLine {
    fn from(rule: RuleStatus) -> RuleLine {
        RuleLine {
            id: rule.id,
            when: rule.when,
            effect: rule.effect,
            reason: rule.reason,
            mode: rule.mode.to_string(),
            is_final: rule.is_final,
            suppress: rule.suppress,
            fired: rule.firings.fired(),
            acted: rule.firings.acted,
            shadow: rule.firings.shadow,
            suppressed: rule.firings.suppressed,
            positive: rule.positive,
            negative: rule.negative,
            precision: rule.precision,
            false_positive_ratio: rule.false_positive_ratio,
            saved: rule.saved.map(|money| money.to_string()),
        }
    }
}
