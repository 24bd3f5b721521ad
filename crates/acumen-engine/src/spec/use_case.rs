//! Reading the folder of a use case.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Currency, Diagnostic, EventType, Place};

use super::catalogue::{Catalogue, FeatureSet};
use super::check;
use super::decisions;
use super::events::event_type;
use super::explain;
use super::features::features;
use super::files::{File, shown};
use super::gates;
use super::places::Places;
use super::ranking;
use super::review;
use super::serving;
use super::subject;
use super::training;
use super::tree::{Kind, Node};
use super::types::{
    ExplainDecl, GatesDecl, OutcomeDecl, RatesDecl, ScoreDecl, ServingDecl, UseCase,
};
use super::walk::{Group, Walk};

/// What a use case's file is called.
pub const USE_CASE_FILE: &str = "usecase.yaml";

impl UseCase {
    /// Reads and checks the use case in a folder: the use case, or all that is wrong with it.
    pub fn load(folder: &Path, catalogue: &Catalogue) -> Result<UseCase, Vec<Diagnostic>> {
        UseCase::load_as(&folder.join(USE_CASE_FILE), folder, catalogue)
    }

    /// Reads and checks another file as the use case of a folder: a change that is looked at before
    /// it is made.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load_as(
        path: &Path,
        folder: &Path,
        catalogue: &Catalogue,
    ) -> Result<UseCase, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let Some(file) = File::read(path, &mut found) else {
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

/// Everything in the file; what is missing or wrong is among what the walk found.
fn read(
    walk: &mut Walk,
    tree: &Node,
    folder: &Path,
    catalogue: &Catalogue,
    places: Places,
) -> Option<UseCase> {
    let mut group = walk.group(tree, "the use case")?;
    let mut use_case = nothing(folder, places);
    read_subject(walk, &mut group, &mut use_case, catalogue);
    read_learning(walk, &mut group, &mut use_case);
    read_deciding(walk, &mut group, &mut use_case);
    read_serving(walk, &mut group, &mut use_case);
    group.finish(walk);
    Some(use_case)
}

/// A use case that declares nothing.
fn nothing(folder: &Path, places: Places) -> UseCase {
    UseCase {
        name: String::new(),
        question: String::new(),
        folder: folder.to_owned(),
        currency: Currency::GBP,
        entities: Vec::new(),
        events: Vec::new(),
        rates: None,
        decide_event: String::new(),
        subject: None,
        ranking: None,
        target: None,
        segments: Vec::new(),
        outcome: None,
        uses: Vec::new(),
        features: Vec::new(),
        training: None,
        models: Vec::new(),
        ensemble: None,
        layers: Vec::new(),
        lists: Vec::new(),
        rules: Vec::new(),
        score: ScoreDecl::default(),
        actions: Vec::new(),
        fallback: None,
        explore: None,
        review: None,
        value: Vec::new(),
        amount: None,
        serving: ServingDecl::default(),
        batch: None,
        retention: None,
        update_frequency: None,
        gates: GatesDecl::default(),
        explain: ExplainDecl::default(),
        places,
    }
}

/// What it is about: events, entities and features.
fn read_subject(
    walk: &mut Walk,
    group: &mut Group<'_>,
    use_case: &mut UseCase,
    catalogue: &Catalogue,
) {
    if let Some(node) = group.require("usecase") {
        let folder = use_case.folder.clone();
        use_case.name = checked_name(walk, node, &folder).unwrap_or_default();
    }
    if let Some(node) = group.require("question") {
        use_case.question = walk.text(node).unwrap_or_default();
    }
    if let Some(node) = group.get("currency") {
        let wanted = "an ISO 4217 currency code such as `GBP`";
        use_case.currency = walk.parsed(node, wanted).unwrap_or(Currency::GBP);
    }
    if let Some(node) = group.get("entities") {
        use_case.entities = walk.pairs(node);
    }
    if let Some(node) = group.require("events") {
        use_case.events = read_events(walk, node, catalogue);
    }
    if let Some(node) = group.get("features") {
        use_case.features = features(walk, "", node);
    }
    if let Some(node) = group.get("uses") {
        let sets = used_sets(walk, node, catalogue);
        add_sets(use_case, &sets, catalogue);
    }
    match group.require("decide") {
        Some(node) if ranking::is_ranking(node) => ranking::decide(walk, node, use_case),
        Some(node) if subject::is_subject(node) => subject::decide(walk, node, use_case),
        Some(node) => {
            if let Some((event, amount)) = read_decide(walk, node) {
                use_case.decide_event = event;
                use_case.amount = amount;
            }
        }
        None => {}
    }
    subject::read(walk, group, use_case);
    ranking::read(walk, group, use_case);
    use_case.rates = group.get("rates").and_then(|node| read_rates(walk, node));
    use_case.outcome = group
        .get("outcome")
        .and_then(|node| read_outcome(walk, node));
}

/// What it learns.
fn read_learning(walk: &mut Walk, group: &mut Group<'_>, use_case: &mut UseCase) {
    let training = group.get("training");
    let of_keys = use_case.subject.is_some();
    use_case.training = training.and_then(|node| training::training(walk, node, of_keys));
    if let Some(node) = group.get("models") {
        use_case.models = training::models(walk, node);
    }
    let ensemble = group.get("ensemble").filter(|_| use_case.ranking.is_none());
    use_case.ensemble = ensemble.and_then(|node| training::ensemble(walk, node));
    let frequency = group.get("update_frequency");
    use_case.update_frequency = frequency.and_then(|node| serving::frequency(walk, node));
    if let Some(node) = group.get("gates") {
        use_case.gates = gates::gates(walk, node);
    }
    if let Some(node) = group.get("explain") {
        use_case.explain = explain::explain(walk, node);
    }
}

/// How it decides, and what that is worth.
fn read_deciding(walk: &mut Walk, group: &mut Group<'_>, use_case: &mut UseCase) {
    if let Some(node) = group.get("lists").filter(|_| use_case.ranking.is_some()) {
        use_case.lists = walk.pairs(node);
    }
    if use_case.subject.is_some() {
        return subject::refuse(walk, group, use_case.ranking.is_some());
    }
    if let Some(node) = group.require("layers") {
        use_case.layers = decisions::layers(walk, node);
    }
    if let Some(node) = group.get("lists") {
        use_case.lists = walk.pairs(node);
    }
    if let Some(node) = group.get("rules") {
        use_case.rules = decisions::rules(walk, node);
    }
    if let Some(node) = group.get("score") {
        use_case.score = decisions::score(walk, node).unwrap_or_default();
    }
    if let Some(node) = group.require("actions") {
        use_case.actions = decisions::actions(walk, node);
    }
    if let Some(node) = group.get("value") {
        use_case.value = decisions::value(walk, node, &use_case.actions);
    }
    use_case.fallback = group.get("fallback").and_then(|node| walk.text(node));
    let explore = group.get("explore");
    use_case.explore = explore.and_then(|node| decisions::explore(walk, node));
    if let Some(node) = group.get("review") {
        review::read(walk, node, use_case);
    }
}

/// How it is run.
fn read_serving(walk: &mut Walk, group: &mut Group<'_>, use_case: &mut UseCase) {
    if let Some(node) = group.get("serving") {
        use_case.serving = serving::serving(walk, node).unwrap_or_default();
    }
    let batch = group.get("batch_inference");
    use_case.batch = batch.and_then(|node| serving::batch(walk, node));
    use_case.retention = group.get("retention").and_then(|node| walk.span(node));
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

/// Features of the catalogue bring their entities, and the event types that they read.
fn add_sets(use_case: &mut UseCase, sets: &[FeatureSet], catalogue: &Catalogue) {
    for set in sets {
        use_case.uses.push((set.name.clone(), set.origin.clone()));
        for pair in &set.entities {
            if !use_case
                .entities
                .iter()
                .any(|(entity, _)| *entity == pair.0)
            {
                use_case.entities.push(pair.clone());
            }
        }
        for of in set
            .features
            .iter()
            .filter_map(|feature| feature.of.as_deref())
        {
            let name = of.split('.').next().unwrap_or(of);
            if use_case.event(name).is_none() {
                use_case.events.extend(catalogue.event(name).cloned());
            }
        }
        use_case.features.extend(set.features.iter().cloned());
        use_case.places.extend(&set.places);
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
