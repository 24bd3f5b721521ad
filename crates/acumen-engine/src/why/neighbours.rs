//! The neighbours that raised a score, one by one.

use acumen_base::Body;
use acumen_feature::{Neighbourhood, Reached, entity_id, id_fields};
use serde::Serialize;

use super::sources::FeatureLine;
use crate::error::EngineError;
use crate::history::Sources;
use crate::plan::UseCasePlan;

/// Neighbours of one feature that are shown.
const SHOWN_MAX: usize = 20;

/// A neighbourhood that columns were gathered from.
#[derive(Clone, Debug, Serialize)]
pub struct NeighbourhoodLine {
    /// The feature.
    pub feature: String,
    /// The columns of it that raised the score, weightiest first.
    pub raised_by: Vec<String>,
    /// How many keys were reached.
    pub reached: usize,
    /// The latest met of each hop.
    pub neighbours: Vec<NeighbourLine>,
}

/// One neighbour.
#[derive(Clone, Debug, Serialize)]
pub struct NeighbourLine {
    /// What it is, such as `device`.
    pub entity: String,
    /// Its id, as the event by which it was met has it; `None` where that is trimmed.
    pub key: Option<String>,
    /// Whether its id says something about a person.
    pub personal: bool,
    /// How many steps away it is, from 1.
    pub hop: usize,
    /// When it was met last, RFC 3339.
    pub met_at: String,
    /// Its own features as they stood then; a missing one is `None`.
    pub gathered: Vec<(String, Option<f64>)>,
}

/// The columns that raised the score and are of neighbours, with their feature.
pub(super) fn raised(features: &[FeatureLine]) -> Vec<(String, String)> {
    features
        .iter()
        .filter(|line| line.contribution > 0.0 && line.source.operator == "neighbours")
        .map(|line| (line.source.feature.clone(), line.column.clone()))
        .collect()
}

/// Of what was reached, what raised the score, in words.
pub(super) fn lines(
    sources: &Sources,
    plan: &UseCasePlan,
    found: Vec<Neighbourhood>,
    raised: &[(String, String)],
) -> Result<Vec<NeighbourhoodLine>, EngineError> {
    let mut lines = Vec::new();
    for neighbourhood in found {
        let of = raised
            .iter()
            .filter(|(feature, _)| *feature == neighbourhood.feature);
        let raised_by: Vec<String> = of.map(|(_, column)| column.clone()).collect();
        if raised_by.is_empty() {
            continue;
        }
        let shown = neighbourhood.reached.iter().take(SHOWN_MAX);
        let neighbours: Result<_, EngineError> =
            shown.map(|reached| line(sources, plan, reached)).collect();
        lines.push(NeighbourhoodLine {
            feature: neighbourhood.feature,
            raised_by,
            reached: neighbourhood.reached.len(),
            neighbours: neighbours?,
        });
    }
    Ok(lines)
}

fn line(
    sources: &Sources,
    plan: &UseCasePlan,
    reached: &Reached,
) -> Result<NeighbourLine, EngineError> {
    let entities = &plan.declared.entities;
    let field = entities.iter().find(|(name, _)| *name == reached.entity);
    let field = field.map_or("", |(_, field)| field);
    let (mut key, mut personal) = (None, false);
    match sources.record(reached.position) {
        Ok(record) => {
            if let Body::Event(event) = record.body {
                key = entity_id(&event, field);
                let mut places = id_fields(field).filter_map(|field| event.kind.position(field));
                personal = places.any(|at| event.kind.fields[at].personal);
            }
        }
        // It was met by an event that is trimmed.
        Err(EngineError::NotFound(_) | EngineError::Log(_)) => {}
        Err(error) => return Err(error),
    }
    let gathered = reached.gathered.iter();
    Ok(NeighbourLine {
        entity: reached.entity.clone(),
        key,
        personal,
        hop: reached.hop,
        met_at: reached.met_at.to_string(),
        gathered: gathered
            .map(|(name, value)| (name.clone(), (!value.is_nan()).then_some(*value)))
            .collect(),
    })
}
