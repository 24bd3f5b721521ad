//! Reading the folder of a use case.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Currency, Diagnostic, EventType, Place};

use super::catalogue::{Catalogue, FeatureSet};
use super::check;
use super::decisions;
use super::events::event_type;
use super::features::features;
use super::files::{File, shown};
use super::places::Places;
use super::serving;
use super::training;
use super::tree::{Kind, Node};
use super::types::{OutcomeDecl, RatesDecl, UseCase};
use super::walk::Walk;

/// What a use case's file is called.
pub const USE_CASE_FILE: &str = "usecase.yaml";

impl UseCase {
    /// Reads and checks the use case in a folder: the use case, or all that is wrong with it.
    pub fn load(folder: &Path, catalogue: &Catalogue) -> Result<UseCase, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let path = folder.join(USE_CASE_FILE);
        let Some(file) = File::read(&path, &mut found) else {
            return Err(found);
        };
        let mut walk = Walk::new(&file.name);
        let tree = file.parse(&mut walk.found);
        let use_case = tree.and_then(|tree| {
            let mut places = Places::default();
            places.add(&file.name, &file.text(), "", &tree);
            read(&mut walk, &tree, folder, catalogue, places)
        });
        if let Some(use_case) = use_case.as_ref().filter(|_| !walk.incomplete) {
            let more = check::check(use_case, &walk.broken);
            let is_new =
                |more: &Diagnostic| walk.found.iter().all(|known| known.place != more.place);
            let more: Vec<Diagnostic> = more.into_iter().filter(is_new).collect();
            walk.found.extend(more);
        }
        found.append(&mut walk.found);
        match use_case {
            Some(use_case) if found.is_empty() => Ok(use_case),
            _ => {
                found.sort_by(|a, b| a.place.cmp(&b.place));
                Err(found)
            }
        }
    }
}

/// The keys of the file, in the order in which the documentation lists them.
fn read(
    walk: &mut Walk,
    tree: &Node,
    folder: &Path,
    catalogue: &Catalogue,
    mut places: Places,
) -> Option<UseCase> {
    let mut group = walk.group(tree, "the use case")?;
    let name = group.require("usecase");
    let question = group.require("question");
    let uses = group.get("uses");
    let currency = group.get("currency");
    let entities = group.get("entities");
    let declared_events = group.require("events");
    let rates = group.get("rates");
    let decide = group.require("decide");
    let outcome = group.get("outcome");
    let declared_features = group.get("features");
    let training_node = group.get("training");
    let update_frequency = group.get("update_frequency");
    let models_node = group.get("models");
    let ensemble = group.get("ensemble");
    let layers = group.require("layers");
    let lists = group.get("lists");
    let rules = group.get("rules");
    let score = group.get("score");
    let actions_node = group.require("actions");
    let fallback = group.get("fallback");
    let explore = group.get("explore");
    let value = group.get("value");
    let serving_node = group.get("serving");
    let batch = group.get("batch_inference");
    let retention = group.get("retention");
    group.finish(walk);

    let name = name.and_then(|node| checked_name(walk, node, folder));
    let sets = uses
        .map(|node| used_sets(walk, node, catalogue))
        .unwrap_or_default();
    let mut events = declared_events
        .map(|node| read_events(walk, node, catalogue))
        .unwrap_or_default();
    add_events_of_sets(&sets, catalogue, &mut events);

    let mut entities = entities.map(|node| walk.pairs(node)).unwrap_or_default();
    let mut all_features = declared_features
        .map(|node| features(walk, "", node))
        .unwrap_or_default();
    for set in &sets {
        for pair in &set.entities {
            if !entities.iter().any(|(entity, _)| *entity == pair.0) {
                entities.push(pair.clone());
            }
        }
        all_features.extend(set.features.iter().cloned());
        places.extend(&set.places);
    }
    let models = models_node
        .map(|node| training::models(walk, node))
        .unwrap_or_default();
    let training = training_node.and_then(|node| training::training(walk, node));
    let actions = actions_node
        .map(|node| decisions::actions(walk, node))
        .unwrap_or_default();
    let (decide_event, amount) = decide
        .and_then(|node| read_decide(walk, node))
        .unwrap_or_default();
    let use_case = UseCase {
        name: name.unwrap_or_default(),
        question: question
            .and_then(|node| walk.text(node))
            .unwrap_or_default(),
        folder: folder.to_owned(),
        currency: currency
            .and_then(|node| walk.parsed(node, "an ISO 4217 currency code such as `GBP`"))
            .unwrap_or(Currency::GBP),
        entities,
        events,
        rates: rates.and_then(|node| read_rates(walk, node)),
        decide_event,
        outcome: outcome.and_then(|node| read_outcome(walk, node)),
        features: all_features,
        ensemble: ensemble.and_then(|node| training::ensemble(walk, node)),
        training,
        models,
        layers: layers
            .map(|node| decisions::layers(walk, node))
            .unwrap_or_default(),
        lists: lists.map(|node| walk.pairs(node)).unwrap_or_default(),
        rules: rules
            .map(|node| decisions::rules(walk, node))
            .unwrap_or_default(),
        score: score
            .and_then(|node| decisions::score(walk, node))
            .unwrap_or_default(),
        fallback: fallback.and_then(|node| walk.text(node)),
        explore: explore.and_then(|node| decisions::explore(walk, node)),
        value: value
            .map(|node| decisions::value(walk, node, &actions))
            .unwrap_or_default(),
        actions,
        amount,
        serving: serving_node
            .and_then(|node| serving::serving(walk, node))
            .unwrap_or_default(),
        batch: batch.and_then(|node| serving::batch(walk, node)),
        retention: retention.and_then(|node| walk.span(node)),
        update_frequency: update_frequency.and_then(|node| serving::frequency(walk, node)),
        places,
    };
    Some(use_case)
}

fn checked_name(walk: &mut Walk, node: &Node, folder: &Path) -> Option<String> {
    let name = walk.text(node)?;
    let expected = folder.file_name().unwrap_or_default().to_string_lossy();
    if name != expected {
        let message = format!("the use case `{name}` lies in the folder `{expected}`");
        let help = format!("write `usecase: {expected}`, or rename the folder");
        walk.problem(node, "wrong_name", message, help);
    }
    Some(name)
}

fn used_sets(walk: &mut Walk, node: &Node, catalogue: &Catalogue) -> Vec<FeatureSet> {
    let mut sets = Vec::new();
    for item in walk.items(node) {
        let Some(name) = walk.text(item) else {
            continue;
        };
        match catalogue.features.iter().find(|set| set.name == name) {
            Some(set) => sets.push(set.clone()),
            None if catalogue.is_broken("features", &name) => left_out(walk, item, &name),
            None => {
                let names = catalogue.features.iter().map(|set| set.name.as_str());
                walk.unknown(item, "feature set in the catalogue", &name, names);
            }
        }
    }
    sets
}

/// What the catalogue declares with a mistake takes every use case that reads it with it.
fn left_out(walk: &mut Walk, node: &Node, name: &str) {
    walk.incomplete = true;
    let message = format!("`{name}` has a mistake in the catalogue");
    walk.problem(node, "broken_catalogue", message, "mend it there");
}

/// A list of names of the catalogue, or a group in which each name is declared or is `catalogue`.
fn read_events(walk: &mut Walk, node: &Node, catalogue: &Catalogue) -> Vec<Arc<EventType>> {
    let mut events = Vec::new();
    let shared = |walk: &mut Walk, node: &Node, name: &str| {
        let event = catalogue.event(name).cloned();
        if catalogue.is_broken("events", name) {
            left_out(walk, node, name);
        } else if event.is_none() {
            walk.incomplete = true;
            let names = catalogue.events.iter().map(|event| event.name.as_str());
            walk.unknown(node, "event type in the catalogue", name, names);
        }
        event
    };
    if let Kind::Map(_) = node.kind {
        return walk.each(node, |walk, key, value| match &value.kind {
            Kind::Scalar { text, .. } if text == "catalogue" => shared(walk, value, &key.text),
            _ => event_type(walk, &key.text, value).map(Arc::new),
        });
    }
    for item in walk.items(node) {
        let name = walk.text(item);
        events.extend(name.and_then(|name| shared(walk, item, &name)));
    }
    events
}

/// The features of the catalogue bring the event types that they read.
fn add_events_of_sets(
    sets: &[FeatureSet],
    catalogue: &Catalogue,
    events: &mut Vec<Arc<EventType>>,
) {
    let read = sets
        .iter()
        .flat_map(|set| &set.features)
        .filter_map(|feature| feature.of.as_deref());
    for of in read {
        let name = of.split('.').next().unwrap_or(of);
        let known = events.iter().any(|event| event.name == name);
        events.extend(catalogue.event(name).filter(|_| !known).cloned());
    }
}

fn read_decide(walk: &mut Walk, node: &Node) -> Option<(String, Option<String>)> {
    let mut group = walk.group(node, "`decide`")?;
    let event = group.require("event");
    let amount = group.get("amount");
    group.finish(walk);
    let amount = amount.and_then(|node| walk.text(node));
    Some((walk.text(event?)?, amount))
}

fn read_rates(walk: &mut Walk, node: &Node) -> Option<RatesDecl> {
    let mut group = walk.group(node, "`rates`")?;
    let event = decisions::required(walk, &mut group, "event");
    let currency = decisions::required(walk, &mut group, "currency");
    let rate = decisions::required(walk, &mut group, "rate");
    group.finish(walk);
    Some(RatesDecl {
        event: event?.1,
        currency: currency?.1,
        rate: rate?.1,
    })
}

fn read_outcome(walk: &mut Walk, node: &Node) -> Option<OutcomeDecl> {
    let mut group = walk.group(node, "`outcome`")?;
    let of = group.require("of");
    let positive = group.require("positive");
    let by = group.require("by");
    let negative_after = group.require("negative_after");
    let closes = group.get("closes");
    let hidden_by = group.get("hidden_by");
    group.finish(walk);
    let negative_after = negative_after.and_then(|node| walk.span(node));
    let closes = closes.and_then(|node| walk.span(node)).or(negative_after);
    let of = of.and_then(|node| walk.text(node));
    let positive = positive.and_then(|node| walk.text(node));
    let by = by.and_then(|node| walk.text(node));
    let outcome = OutcomeDecl {
        of: of?,
        positive: positive?,
        by: by?,
        negative_after: negative_after?,
        closes: closes?,
        hidden_by: hidden_by.map(|node| walk.texts(node)).unwrap_or_default(),
    };
    if outcome.closes < outcome.negative_after {
        let message = "the outcome closes before it counts as negative";
        walk.problem(
            node,
            "bad_period",
            message,
            "`closes` must not be before `negative_after`",
        );
    }
    Some(outcome)
}

/// A problem in the file of a folder that has none yet.
pub(super) fn at_folder(
    folder: &Path,
    code: &'static str,
    message: String,
    help: &str,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code, message, help);
    diagnostic.place = Place {
        file: shown(folder),
        line: 0,
        column: 0,
    };
    diagnostic
}
