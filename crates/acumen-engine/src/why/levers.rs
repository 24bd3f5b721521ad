//! The columns that a person can change, with the values that training met.

use acumen_base::{Column, ColumnKind, Decision};
use acumen_decision::Lever;
use acumen_model::Artifact;

use crate::history::Sources;
use crate::projected::is_of;

/// The declared levers, in the order of the columns, each from the first model of the decision
/// that knows it. A version that can no longer be read knows none.
pub(super) fn levers(sources: &Sources, use_case: usize, decision: &Decision) -> Vec<Lever> {
    let plan = &sources.plan.use_cases[use_case];
    let actionable = &plan.declared.explain.actionable;
    if actionable.is_empty() {
        return Vec::new();
    }
    let declared = |name: &str| plan.declared.models.iter().any(|model| model.name == name);
    let members = decision.layers.iter().flat_map(|layer| &layer.members);
    let answered = members.filter(|member| member.answer.is_ok() && declared(&member.name));
    let store = &sources.store;
    let artifacts: Vec<Artifact> = answered
        .filter_map(|member| {
            let found = store.get(&plan.declared.name, &member.name, &member.version);
            found.ok()
        })
        .collect();
    let lever = |column: &Column| {
        let values = artifacts.iter().find_map(|artifact| {
            let place = artifact.columns.position(&column.name)?;
            artifact.quantiles.get(place)
        });
        Lever {
            column: column.name.clone(),
            values: values.cloned().unwrap_or_default(),
            category: column.kind == ColumnKind::Category,
        }
    };
    let columns = plan.columns.list.iter();
    let can_be_changed = |column: &&Column| actionable.iter().any(|name| is_of(&column.name, name));
    columns.filter(can_be_changed).map(lever).collect()
}
