//! What several use cases read: event types and entity features that are declared once.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Diagnostic, EventType, Span};
use acumen_table::SourceDecl;

use super::events::event_type;
use super::features::features;
use super::files::{self, File};
use super::places::Places;
use super::serving;
use super::sources::source;
use super::tree::Node;
use super::types::FeatureDecl;
use super::walk::Walk;

/// The catalogue of a project.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The event types, each named as its file.
    pub events: Vec<Arc<EventType>>,
    /// The feature sets, each named as its file.
    pub features: Vec<FeatureSet>,
    /// Where events are read from, each named as its file.
    pub sources: Vec<SourceDecl>,
    /// Files with a mistake: (`events`, `order`).
    broken: Vec<(&'static str, String)>,
}

/// Entity features that are declared once and read by every use case that names the set.
#[derive(Clone, Debug)]
pub struct FeatureSet {
    /// The name that use cases give in `uses`.
    pub name: String,
    /// What the features are kept for: (`customer`, `customer_id`).
    pub entities: Vec<(String, String)>,
    /// The features, named `customer.spending`.
    pub features: Vec<FeatureDecl>,
    /// Where its events come from, and how often.
    pub origin: SetOrigin,
    /// Where they stand.
    pub(super) places: Places,
}

/// Where the events of a feature set come from: what its owners promise to its readers. Features
/// themselves are as new as the events that have come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetOrigin {
    /// The source, of `catalogue/sources` where there are some.
    pub data_source: Option<String>,
    /// How often new events come from it.
    pub update_frequency: Option<Span>,
}

impl Catalogue {
    /// Reads `catalogue/` under a project's root; a project without one has an empty one.
    pub fn load(root: &Path) -> (Catalogue, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let mut catalogue = Catalogue::default();
        for file in files::yaml_files(&root.join("catalogue").join("events"), &mut found) {
            match read_event(&file, &mut found) {
                Some(event) => catalogue.events.push(event),
                None => catalogue.broken.push(("events", file.stem)),
            }
        }
        for file in files::yaml_files(&root.join("catalogue").join("sources"), &mut found) {
            catalogue.sources.extend(read_source(&file, &mut found));
        }
        for file in files::yaml_files(&root.join("catalogue").join("features"), &mut found) {
            match read_set(&file, &catalogue.sources, &mut found) {
                Some(set) => catalogue.features.push(set),
                None => catalogue.broken.push(("features", file.stem)),
            }
        }
        (catalogue, found)
    }

    /// Whether there is such a file, and a mistake in it.
    pub(super) fn is_broken(&self, folder: &str, name: &str) -> bool {
        self.broken
            .iter()
            .any(|(kind, stem)| *kind == folder && stem == name)
    }

    /// An event type by name.
    pub fn event(&self, name: &str) -> Option<&Arc<EventType>> {
        self.events.iter().find(|event| event.name == name)
    }
}

fn read_event(file: &File, found: &mut Vec<Diagnostic>) -> Option<Arc<EventType>> {
    let mut walk = Walk::new(&file.name);
    let tree = file.parse(&mut walk.found);
    let event = tree.and_then(|tree| event_type(&mut walk, &file.stem, &tree));
    let sound = walk.found.is_empty();
    found.append(&mut walk.found);
    event.filter(|_| sound).map(Arc::new)
}

fn read_source(file: &File, found: &mut Vec<Diagnostic>) -> Option<SourceDecl> {
    let mut walk = Walk::new(&file.name);
    let tree = file.parse(&mut walk.found);
    let source = tree.and_then(|tree| source(&mut walk, &file.stem, &tree));
    let sound = walk.found.is_empty();
    found.append(&mut walk.found);
    source.filter(|_| sound)
}

/// The name of a source; of one that is declared, where some are.
fn data_source(walk: &mut Walk, node: &Node, sources: &[SourceDecl]) -> Option<String> {
    let name = walk.text(node)?;
    let names = sources.iter().map(|source| source.name.as_str());
    if !sources.is_empty() && names.clone().all(|known| known != name) {
        walk.unknown(node, "source in the catalogue", &name, names);
    }
    Some(name)
}

fn read_set(
    file: &File,
    sources: &[SourceDecl],
    found: &mut Vec<Diagnostic>,
) -> Option<FeatureSet> {
    let mut walk = Walk::new(&file.name);
    let set = file.parse(&mut walk.found).and_then(|tree| {
        let mut group = walk.group(&tree, format!("feature set `{}`", file.stem))?;
        let entities = group.require("entities");
        let declared = group.require("features");
        let source = group.get("data_source");
        let frequency = group.get("update_frequency");
        group.finish(&mut walk);
        let prefix = format!("{}.", file.stem);
        let mut places = Places::default();
        if let Some(node) = declared {
            places.add(
                &file.name,
                &file.text(),
                &format!("features.{}", file.stem),
                node,
            );
        }
        Some(FeatureSet {
            name: file.stem.clone(),
            entities: entities.map(|node| walk.pairs(node)).unwrap_or_default(),
            features: declared
                .map(|node| features(&mut walk, &prefix, node))
                .unwrap_or_default(),
            origin: SetOrigin {
                data_source: source.and_then(|node| data_source(&mut walk, node, sources)),
                update_frequency: frequency.and_then(|node| serving::frequency(&mut walk, node)),
            },
            places,
        })
    });
    let sound = walk.found.is_empty();
    found.append(&mut walk.found);
    set.filter(|_| sound)
}
