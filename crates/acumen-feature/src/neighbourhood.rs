//! Whom a row's neighbourhood consists of, one by one: what gathered columns sum up.

use std::sync::Arc;

use acumen_base::{Event, Time};

use crate::builder::{At, ColumnDraft};
use crate::pipeline::{Applied, Pipeline, Prepared};

/// The keys that one feature reached from an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbourhood {
    /// The feature.
    pub feature: String,
    /// The keys, nearest hop first, the latest met first.
    pub reached: Vec<Reached>,
}

/// One key that was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// The entity that it is a key of.
    pub entity: String,
    /// How many steps away it is, from 1.
    pub hop: usize,
    /// The log position of the event by which it was met last: that event holds its id.
    pub position: u64,
    /// When that happened.
    pub met_at: Time,
    /// What was gathered from it: the columns of its own with their values, NaN is missing.
    pub gathered: Vec<(String, f64)>,
}

impl Pipeline {
    /// The neighbourhoods that the row of a view gathers from at an event, one a feature. The state has to
    /// stand just before the event, and is left as it is.
    pub fn neighbourhoods(
        &mut self,
        view: usize,
        event: &Event,
        position: u64,
    ) -> Vec<Neighbourhood> {
        let mut prepared = Prepared::default();
        if self.look_up(event, &mut prepared) == Applied::UnknownType {
            return Vec::new();
        }
        let plan = Arc::clone(&self.plan);
        let facts = prepared.facts(event, position);
        let features = &plan.features[plan.views[view].spec];
        let mut found = Vec::new();
        for gather in &plan.gathers {
            let of_unit =
                |drafts: &[ColumnDraft]| drafts.iter().any(|draft| draft.at.0 == gather.unit);
            let Some((feature, _)) = features.iter().find(|feature| of_unit(&feature.1)) else {
                continue;
            };
            let ends = self.units[gather.unit].entities();
            let hops = self.units[gather.unit].met(&facts);
            let mut reached = Vec::new();
            for (hop, met) in hops.iter().enumerate() {
                // The first step leads to the other end, the second back to this one.
                let entity = &plan.united.entities[ends[1 - hop]].name;
                for (time, position, slot) in met {
                    let sources = gather.sources.iter().filter(|source| source.hop == hop);
                    let gathered = sources.map(|source| {
                        let unit = &mut self.units[source.unit];
                        let mut values = vec![f64::NAN; unit.width()];
                        unit.read_key(*slot, facts.time, &mut values);
                        let name = column_at(features, (source.unit, source.local));
                        (name, values[source.local])
                    });
                    reached.push(Reached {
                        entity: entity.clone(),
                        hop: hop + 1,
                        position: *position,
                        met_at: Time(*time),
                        gathered: gathered.collect(),
                    });
                }
            }
            found.push(Neighbourhood {
                feature: feature.clone(),
                reached,
            });
        }
        found
    }
}

/// The name of the column that stands at a place.
fn column_at(features: &[(String, Vec<ColumnDraft>)], at: At) -> String {
    let mut drafts = features.iter().flat_map(|feature| &feature.1);
    let found = drafts.find(|draft| draft.at == at);
    found.map_or_else(String::new, |draft| draft.column.name.clone())
}
