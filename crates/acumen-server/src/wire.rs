//! What goes over the wire: the nouns as JSON, with names instead of positions.

use std::collections::BTreeMap;

use acumen_base::Decision;
use acumen_base::decision::{Firing, LayerReport, LayerStatus, MemberReport, Reason, RuleHit};
use acumen_engine::{Answer, EntityValue, Ingested, Plan, Quarantined};
use serde::Serialize;
use utoipa::ToSchema;

/// The answer to a request for a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionAnswer {
    /// By which the decision can be asked for again.
    id: String,
    /// What to do.
    action: String,
    /// 0–100.
    score: Option<f64>,
    /// The calibrated probability, where a model answered.
    probability: Option<f64>,
    /// Why, weightiest first.
    reasons: Vec<ReasonLine>,
    /// What each layer did.
    layers: Vec<Layer>,
    /// Whether this event had been decided before.
    repeated: bool,
    /// Whether the decision is on disk.
    durable: bool,
    /// Microseconds from receipt to decision.
    took_us: u64,
}

/// One reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReasonLine {
    code: String,
    text: String,
}

/// What one layer did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Layer {
    name: String,
    /// `ran`, or why not.
    status: String,
    took_us: u64,
    members: Vec<MemberLine>,
}

/// What one member of a layer said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberLine {
    name: String,
    version: String,
    /// The calibrated prediction, where it answered in time.
    prediction: Option<f64>,
    /// Why there is none.
    problem: Option<String>,
    took_us: u64,
}

/// The record of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionRecord {
    id: String,
    use_case: String,
    event_id: String,
    /// RFC 3339.
    event_time: String,
    /// RFC 3339.
    decided_at: String,
    action: String,
    /// What would have been done without exploration.
    action_without_exploration: String,
    propensity: f64,
    score: Option<f64>,
    probability: Option<f64>,
    /// What was at stake, such as `12.50 GBP`.
    amount: Option<String>,
    reasons: Vec<ReasonLine>,
    /// The rules whose condition held.
    rules: Vec<RuleHitLine>,
    layers: Vec<Layer>,
    /// What made one probability of the members' answers; `null` is their mean by weight.
    ensemble: Option<MemberLine>,
    /// The row by column; `null` is missing.
    row: BTreeMap<String, Option<f64>>,
    /// The log position of the event.
    position: u64,
    /// The log position of the last edit that governed.
    control: u64,
    build: String,
    took_us: u64,
}

/// A rule whose condition held.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleHitLine {
    id: String,
    /// `acted`, `shadow` or `suppressed`.
    firing: String,
}

/// What became of the events of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsAnswer {
    /// Newly logged.
    logged: u64,
    /// Logged before, with the same body.
    repeated: u64,
    /// Logged, but too late for features.
    too_late: u64,
    /// Refused.
    pub(crate) refused: Vec<RefusedLine>,
}

/// One refused event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedLine {
    /// Which line of the request, from 1.
    line: usize,
    /// A stable code, such as `unknown_field`.
    code: String,
    /// What is wrong and what to do.
    problem: String,
    /// Under which id it lies in quarantine; `null` where it is in the log already.
    quarantine: Option<u64>,
}

/// A refused event in quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedEvent {
    id: u64,
    /// What is wrong and what to do.
    problems: Vec<String>,
    /// Where it came from.
    source: String,
    /// RFC 3339.
    at: String,
    /// The original bytes, as text.
    original: String,
}

/// One feature of an entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntityFeature {
    column: String,
    /// `null` is missing.
    value: Option<f64>,
    /// Milliseconds since the newest event behind it.
    age_ms: Option<i64>,
}

/// Whether the server can decide.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    pub(crate) ready: bool,
    /// What is missing, in words.
    pub(crate) missing: Vec<String>,
}

/// What making a decision again gave.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Replay {
    /// Whether every bit is the same.
    pub(crate) identical: bool,
    /// What differs, in words.
    pub(crate) differences: Vec<String>,
}

impl From<&Answer> for DecisionAnswer {
    fn from(answer: &Answer) -> DecisionAnswer {
        let decision = &answer.decision;
        DecisionAnswer {
            id: decision.id.clone(),
            action: decision.action.clone(),
            score: decision.score,
            probability: decision.probability,
            reasons: decision.reasons.iter().map(ReasonLine::from).collect(),
            layers: decision.layers.iter().map(Layer::from).collect(),
            repeated: answer.repeated,
            durable: answer.durable,
            took_us: decision.took_us,
        }
    }
}

impl From<&Reason> for ReasonLine {
    fn from(reason: &Reason) -> ReasonLine {
        ReasonLine {
            code: reason.code.clone(),
            text: reason.text.clone(),
        }
    }
}

impl From<&MemberReport> for MemberLine {
    fn from(member: &MemberReport) -> MemberLine {
        MemberLine {
            name: member.name.clone(),
            version: member.version.clone(),
            prediction: member.answer.as_ref().ok().map(|p| p.value),
            problem: member.answer.as_ref().err().map(ToString::to_string),
            took_us: member.took_us,
        }
    }
}

impl From<&RuleHit> for RuleHitLine {
    fn from(hit: &RuleHit) -> RuleHitLine {
        let firing = match hit.firing {
            Firing::Acted => "acted",
            Firing::Shadow => "shadow",
            Firing::Suppressed => "suppressed",
        };
        RuleHitLine {
            id: hit.id.clone(),
            firing: firing.to_owned(),
        }
    }
}

impl From<&LayerReport> for Layer {
    fn from(layer: &LayerReport) -> Layer {
        let status = match layer.status {
            LayerStatus::Ran => "ran",
            LayerStatus::OutOfTime => "out of time",
            LayerStatus::NotNeeded => "not needed: an earlier layer was final",
            LayerStatus::NoModel => "no model is deployed",
            LayerStatus::Shed => "left out: too many requests were waiting",
        };
        Layer {
            name: layer.name.clone(),
            status: status.to_owned(),
            took_us: layer.took_us,
            members: layer.members.iter().map(MemberLine::from).collect(),
        }
    }
}

impl DecisionRecord {
    pub(crate) fn new(plan: &Plan, decision: &Decision) -> DecisionRecord {
        let columns = plan
            .position(&decision.use_case)
            .map(|i| &plan.use_cases[i].columns.list);
        let names = columns
            .into_iter()
            .flatten()
            .map(|column| column.name.clone());
        let values = decision.row.iter().map(|v| (!v.is_nan()).then_some(*v));
        DecisionRecord {
            id: decision.id.clone(),
            use_case: decision.use_case.clone(),
            event_id: decision.event_id.clone(),
            event_time: decision.event_time.to_string(),
            decided_at: decision.decided_at.to_string(),
            action: decision.action.clone(),
            action_without_exploration: decision.action_without_exploration.clone(),
            propensity: decision.propensity,
            score: decision.score,
            probability: decision.probability,
            amount: decision.amount.map(|amount| amount.to_string()),
            reasons: decision.reasons.iter().map(ReasonLine::from).collect(),
            rules: decision.rules.iter().map(RuleHitLine::from).collect(),
            layers: decision.layers.iter().map(Layer::from).collect(),
            ensemble: decision.ensemble.as_ref().map(MemberLine::from),
            row: names.zip(values).collect(),
            position: decision.position,
            control: decision.control,
            build: decision.build.clone(),
            took_us: decision.took_us,
        }
    }
}

impl EventsAnswer {
    /// Whether every refused event has the id of another one in the log.
    pub(crate) fn only_conflicts(&self) -> bool {
        self.refused
            .iter()
            .all(|refused| refused.quarantine.is_none())
    }

    /// How many are in the log.
    pub(crate) fn taken(&self) -> u64 {
        self.logged + self.repeated + self.too_late
    }
}

impl From<&Ingested> for EventsAnswer {
    fn from(ingested: &Ingested) -> EventsAnswer {
        let refused = ingested.refused.iter().map(|refused| RefusedLine {
            line: refused.line,
            code: refused.code.clone(),
            problem: refused.problem.clone(),
            quarantine: refused.quarantine,
        });
        EventsAnswer {
            logged: ingested.logged,
            repeated: ingested.repeated,
            too_late: ingested.too_late,
            refused: refused.collect(),
        }
    }
}

impl From<&Quarantined> for QuarantinedEvent {
    fn from(entry: &Quarantined) -> QuarantinedEvent {
        QuarantinedEvent {
            id: entry.id,
            problems: entry
                .problems
                .iter()
                .map(|p| format!("{}: {}", p.message, p.help))
                .collect(),
            source: entry.source.clone(),
            at: entry.at.to_string(),
            original: String::from_utf8_lossy(&entry.original).into_owned(),
        }
    }
}

impl From<&EntityValue> for EntityFeature {
    fn from(value: &EntityValue) -> EntityFeature {
        EntityFeature {
            column: value.column.clone(),
            value: (!value.value.is_nan()).then_some(value.value),
            age_ms: value.age.map(|age| age.0),
        }
    }
}
