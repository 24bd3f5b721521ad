//! The columns that moved a decision: their values, how old what they rest on was, and where they
//! come from.

use std::collections::BTreeMap;

use acumen_base::row::same_bits;
use acumen_base::{Decision, Event, Span};
use acumen_decision::Explanation;
use acumen_feature::{EntityValue, FeatureSpec, Operand, Param, entity_id};
use serde::Serialize;

use crate::core::Core;
use crate::plan::UseCasePlan;
use crate::projected::is_of;

/// A column that moved the score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureLine {
    /// The column.
    pub column: String,
    /// Its value; `None` where it was missing.
    pub value: Option<f64>,
    /// Its unit, empty for a bare count or share.
    pub unit: String,
    /// What it is, for people.
    pub help: String,
    /// How much it moved the score: its contributions to the models by their weights.
    pub contribution: f64,
    /// Milliseconds from the newest event behind it to the event that was decided on; `None`
    /// where that is not known, or nothing is behind it.
    pub age_ms: Option<i64>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a column comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The feature.
    pub feature: String,
    /// Its operator.
    pub operator: String,
    /// What it reads: an event type or a field of one, a feature, or an expression.
    pub of: String,
    /// The entity that it is kept for; empty where it is of the event itself.
    pub by: String,
    /// The window; empty where it has none.
    pub window: String,
}

/// The values of the entities of an event, column by column.
pub(super) type Values = BTreeMap<String, EntityValue>;

/// Every column that moved the score, weightiest first.
pub(super) fn features(plan: &UseCasePlan, explanation: &Explanation) -> Vec<FeatureLine> {
    let mut moved: BTreeMap<&str, (Option<f64>, f64)> = BTreeMap::new();
    for model in &explanation.models {
        for one in &model.attributions {
            let sum = moved.entry(&one.column).or_insert((one.value, 0.0));
            sum.1 += model.weight * one.contribution;
        }
    }
    let mut lines: Vec<FeatureLine> = moved
        .into_iter()
        .filter(|(_, (_, contribution))| *contribution != 0.0)
        .map(|(name, (value, contribution))| {
            let column = plan.columns.position(name).map(|at| &plan.columns.list[at]);
            FeatureLine {
                column: name.to_owned(),
                value,
                unit: column.map(|column| column.unit.clone()).unwrap_or_default(),
                help: column.map(|column| column.help.clone()).unwrap_or_default(),
                contribution,
                age_ms: None,
                source: source(plan, name),
            }
        })
        .collect();
    lines.sort_by(|a, b| {
        let weight = b.contribution.abs().total_cmp(&a.contribution.abs());
        weight.then_with(|| a.column.cmp(&b.column))
    });
    lines
}

/// Where a column comes from, by the declaration of its feature.
fn source(plan: &UseCasePlan, column: &str) -> Source {
    let features = plan.pipeline.features.iter();
    let declared = features
        .filter(|feature| is_of(column, &feature.name))
        .max_by_key(|feature| feature.name.len());
    let Some(feature) = declared else {
        return Source::default();
    };
    let rest = &column[feature.name.len()..];
    let by = match feature.by.as_slice() {
        [only] => Some(only),
        several => several
            .iter()
            .find(|by| rest.starts_with(&format!(".{by}."))),
    };
    let mut windows = feature.windows.iter().map(Span::to_string);
    let window = windows.find(|window| rest.ends_with(&format!("_{window}")));
    Source {
        feature: feature.name.clone(),
        operator: match feature.operator.as_str() {
            "" if feature.params.contains_key("cel") => "derived".to_owned(),
            "" => "aggregate".to_owned(),
            operator => operator.to_owned(),
        },
        of: of(feature),
        by: by.cloned().unwrap_or_default(),
        window: window.unwrap_or_default(),
    }
}

fn of(feature: &FeatureSpec) -> String {
    match &feature.of {
        Operand::Event { event, field } => match field {
            Some(field) => format!("{event}.{field}"),
            None => event.clone(),
        },
        Operand::Outcome(name) | Operand::Feature(name) => name.clone(),
        Operand::None => match (feature.params.get("cel"), feature.params.get("path")) {
            (Some(Param::Text(text)), _) => text.clone(),
            (_, Some(Param::Texts(path))) => path.join(" → "),
            _ => String::new(),
        },
    }
}

/// What is known of an event's entities at the time of the event.
pub(super) fn read(plan: &UseCasePlan, core: &mut Core, use_case: usize, event: &Event) -> Values {
    let mut values = Values::new();
    for (entity, field) in &plan.declared.entities {
        if let Some(key) = entity_id(event, field) {
            let (pipeline, view) = core.features(use_case);
            let read = pipeline.read_entity(view, entity, &key, event.event_time);
            values.extend(read.into_iter().map(|value| (value.column.clone(), value)));
        }
    }
    values
}

/// Fills in ages: by the state before the event where that gives the value that was decided on,
/// else by the state with it.
pub(super) fn date(
    lines: &mut [FeatureLine],
    plan: &UseCasePlan,
    decision: &Decision,
    (before, after): (&Values, &Values),
) {
    for line in lines {
        if line.source.operator == "fields" {
            line.age_ms = Some(0);
            continue;
        }
        let Some(place) = plan.columns.position(&line.column) else {
            continue;
        };
        let decided = decision.row.get(place).copied().unwrap_or(f64::NAN);
        let same = |value: &&EntityValue| same_bits(&[value.value], &[decided]);
        let found = before.get(&line.column).filter(same);
        let found = found.or_else(|| after.get(&line.column).filter(same));
        // A column that no state of its own stands behind, or that adds the event to it.
        let found = found.or_else(|| before.get(&line.column));
        line.age_ms = found.and_then(|value| value.age).map(|age| age.0);
    }
}
