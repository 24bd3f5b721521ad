//! Use cases that decide on no event: on each key of an entity, at any time, by a sum over the
//! time to come.

use std::sync::Arc;

use acumen_base::{Columns, Diagnostic, EventType, Field, FieldType, Span};
use acumen_decision::{ActionSpec, EnsembleSpec, LayerSpec, ListSpec, PolicySpec, linear_knots};
use acumen_feature::id_fields;
use acumen_model::Learner;
use acumen_model::learner::Lifetime;

use super::tree::{Kind, Node};
use super::types::{SubjectDecl, TargetDecl, UseCase};
use super::walk::{Group, Walk, suggestion};

/// How long after the date of a batch its rows can still be read: a run may be late.
const LATE: Span = Span::days(7);

/// What is done about every key.
const ANSWER: &str = "answer";

/// Keys that belong to decisions on events.
const OF_EVENTS: [&str; 7] = [
    "outcome", "layers", "rules", "score", "actions", "value", "review",
];
/// Those that use cases that rank have as well.
const OF_EVENTS_AND_RANKING: [&str; 4] = ["ensemble", "fallback", "explore", "lists"];

/// Whether a `decide` names no event but whose keys are decided on.
pub(super) fn is_subject(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.iter().any(|(key, _)| key.text == "each"))
}

/// Reads `decide: {each: customer, base: orders.count}`.
pub(super) fn decide(walk: &mut Walk, node: &Node, use_case: &mut UseCase) {
    let Some(mut group) = walk.group(node, "`decide`") else {
        return;
    };
    let (each, base) = (group.require("each"), group.get("base"));
    group.finish(walk);
    let Some((node, each)) = each.and_then(|node| Some((node, walk.text(node)?))) else {
        return;
    };
    let base = base.and_then(|node| walk.text(node));
    let Some((_, field)) = use_case.entities.iter().find(|(name, _)| *name == each) else {
        let names = use_case.entities.iter().map(|(name, _)| name.as_str());
        return walk.unknown(node, "entity", &each, names);
    };
    if id_fields(field).count() != 1 {
        let message = format!("`{each}` is a combination of several ids");
        walk.problem(node, "bad_subject", message, "name an entity of one id");
    }
    let field = field.clone();
    of_entity(use_case, &each, &field);
    if let Some(subject) = &mut use_case.subject {
        subject.base = base;
    }
}

/// Each key of an entity is decided on.
pub(super) fn of_entity(use_case: &mut UseCase, each: &str, field: &str) {
    let kind = Arc::new(subject_type(each, field));
    use_case.decide_event = kind.name.clone();
    use_case.subject = Some(SubjectDecl {
        each: each.to_owned(),
        base: None,
        kind,
    });
}

/// The type of the event at which the rows of a key are read.
fn subject_type(each: &str, field: &str) -> EventType {
    let field = Field {
        name: field.to_owned(),
        kind: FieldType::Id,
        optional: false,
        personal: true,
        signed: false,
    };
    EventType {
        name: format!("each_{each}"),
        // No event of it is ever sent.
        id_field: "read_id".to_owned(),
        time_field: "read_at".to_owned(),
        lateness: LATE,
        fields: vec![field],
    }
}

/// Reads `target` and `segments`.
pub(super) fn read(walk: &mut Walk, group: &mut Group<'_>, use_case: &mut UseCase) {
    let (wanted, bands) = (group.get("target"), group.get("segments"));
    if !use_case.predicts_sums() {
        for node in [wanted, bands].into_iter().flatten() {
            let message = "a sum over the time to come is predicted of no event and of no list";
            let help = "let `decide` name an entity: `decide: {each: customer}`; what becomes of \
                        an event is its `outcome`";
            walk.problem(node, "no_subject", message, help);
        }
        return;
    }
    use_case.target = wanted.and_then(|node| target(walk, node, use_case));
    if let Some(node) = bands {
        use_case.segments = segments(walk, node, use_case);
    }
    if wanted.is_none() {
        let place = use_case.places.key("decide");
        let message = "each key is decided on, and nothing says by which sum";
        let help = "add `target: {sum: order.amount, over: 12mo}`";
        walk.problem_in(place, "missing_key", message, help);
    }
}

/// `{sum: order.amount, less: refund.amount, over: 12mo, floor: 0}`.
fn target(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Option<TargetDecl> {
    let mut group = walk.group(node, "`target`")?;
    let (sum, less) = (group.require("sum"), group.get("less"));
    let (over, floor) = (group.require("over"), group.get("floor"));
    group.finish(walk);
    let sum = sum.and_then(|node| summand(walk, node, use_case));
    let less = less.map(|node| summand(walk, node, use_case));
    let over = over.and_then(|node| walk.calendar(node));
    let floor = floor.map(|node| walk.number(node));
    Some(TargetDecl {
        sum: sum?,
        less: less.map_or(Some(None), |less| Some(Some(less?)))?,
        over: over?,
        floor: floor.flatten(),
    })
}

/// An amount of an event that carries the key.
fn summand(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Option<(String, String)> {
    let text = walk.text(node)?;
    let Some((event, field)) = text.split_once('.') else {
        walk.wrong_type(node, "an event type and its field, such as `order.amount`");
        return None;
    };
    let Some(kind) = use_case.events.iter().find(|kind| kind.name == event) else {
        let names = use_case.events.iter().map(|kind| kind.name.as_str());
        walk.unknown(node, "event", event, names);
        return None;
    };
    let Some(place) = kind.position(field) else {
        let names = kind.fields.iter().map(|field| field.name.as_str());
        walk.unknown(node, &format!("field of `{event}`"), field, names);
        return None;
    };
    let found = kind.fields[place].kind;
    if !matches!(found, FieldType::Money | FieldType::Number | FieldType::Int) {
        let message = format!("`{text}` is of type {found}, which cannot be summed");
        walk.problem(
            node,
            "wrong_type",
            message,
            "name a money, number or int field",
        );
    }
    let subject = use_case.subject.as_ref()?;
    let id = &subject.kind.fields[0].name;
    if kind.position(id).is_none() {
        let message = format!(
            "`{event}` has no field `{id}`, so it is of no {}",
            subject.each
        );
        let help = format!("name an event with `{id}`");
        walk.problem(node, "no_key", message, help);
    }
    Some((event.to_owned(), field.to_owned()))
}

/// `{low: 0, high: 500}`: the least amount of each band, in the currency of the use case.
fn segments(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Vec<(String, f64)> {
    let mut bands: Vec<(String, f64)> = Vec::new();
    let code = use_case.currency.code();
    for (key, value) in walk.declared(node) {
        let written = match &value.kind {
            Kind::Scalar { text, .. } => text.trim_end_matches(code).trim().parse().ok(),
            _ => None,
        };
        let Some(from) = written.filter(|from: &f64| from.is_finite()) else {
            walk.wrong_type(
                value,
                &format!("the least amount of the band, such as `500 {code}`"),
            );
            continue;
        };
        if let Some((before, least)) = bands.last().filter(|(_, least)| *least >= from) {
            let message =
                format!("this band begins at {from}, and `{before}` before it at {least}");
            walk.problem(value, "bad_band", message, "let bands rise from the lowest");
        }
        bands.push((key.text.clone(), from));
    }
    bands
}

/// Keys that mean nothing where no event is decided on.
pub(super) fn refuse(walk: &mut Walk, group: &mut Group<'_>, ranks: bool) {
    let others = OF_EVENTS_AND_RANKING.into_iter().filter(|_| !ranks);
    for key in OF_EVENTS.into_iter().chain(others) {
        if let Some(node) = group.get(key) {
            let message = format!("`{key}` belongs to decisions on events");
            let help = match ranks {
                true => {
                    "leave it out: what may be shown is said by `items`, and what a list is \
                         made for by `objectives`"
                }
                false => {
                    "leave it out: each key is answered by its predicted sum, and `segments` \
                          are its bands"
                }
            };
            walk.problem(node, "of_events", message, help);
        }
    }
}

/// What a use case that decides on each key needs besides what the stages check.
pub(super) fn check(use_case: &UseCase, columns: &Columns) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut problem = |path: &str, code, message: String, help: String| {
        let mut diagnostic = Diagnostic::new(code, message, help);
        diagnostic.place = use_case.place(path);
        found.push(diagnostic);
    };
    if use_case.ranking.is_some() {
        return found;
    }
    let Some(subject) = &use_case.subject else {
        if use_case.places.has("training.origins") {
            let message = "rows are read at the events that are decided on, not at origins";
            let help = "leave it out, or let `decide` name an entity";
            problem(
                "training.origins",
                "no_subject",
                message.to_owned(),
                help.to_owned(),
            );
        }
        return found;
    };
    if let Some(base) = &subject.base
        && columns.position(base).is_none()
    {
        let names: Vec<&str> = columns
            .list
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let help = suggestion(base, &names);
        problem(
            "decide.base",
            "unknown_name",
            format!("there is no column `{base}`"),
            help,
        );
    }
    let models = use_case.models.iter();
    let searches = models.map(|model| format!("models.{}.search", model.name));
    for path in searches.chain(["training.search".to_owned()]) {
        if use_case.places.has(&path) {
            let message = "a search judges probabilities, and this use case predicts a sum";
            let help = "leave it out, and declare several models: the best of them goes live";
            problem(&path, "no_search", message.to_owned(), help.to_owned());
        }
    }
    for model in &use_case.models {
        let Some(name) = &model.informed_by else {
            continue;
        };
        let other = use_case.models.iter().find(|other| other.name == *name);
        let tells = other.is_some_and(|other| is_of_purchases(&other.algorithm));
        if !tells || is_of_purchases(&model.algorithm) {
            let message = match other {
                None => format!("there is no model `{name}`"),
                Some(_) if tells => format!("`{}` models purchases itself", model.name),
                Some(other) => format!(
                    "`{name}` is of `{}`, which does not model purchases",
                    other.algorithm
                ),
            };
            let help = "name a model of `bg_nbd` or `pareto_nbd` in one of another algorithm";
            let path = format!("models.{}.informed_by", model.name);
            problem(&path, "bad_informant", message, help.to_owned());
        }
    }
    found
}

/// Whether an algorithm models when purchases come and end, which tells more than one number.
pub(crate) fn is_of_purchases(algorithm: &str) -> bool {
    [Lifetime::BgNbd, Lifetime::ParetoNbd]
        .iter()
        .any(|learner| learner.name() == algorithm)
}

/// Models under one deadline, and nothing that acts: what deployments and lists are kept in.
pub(super) fn policy_spec(
    use_case: &UseCase,
    event: &Arc<EventType>,
    columns: Arc<Columns>,
) -> PolicySpec {
    let names: Vec<String> = use_case
        .models
        .iter()
        .map(|model| model.name.clone())
        .collect();
    // No rule searches them, so their field may be any that the event has.
    let list = |(name, _): &(String, String)| ListSpec {
        name: name.clone(),
        field: event.fields[0].name.clone(),
    };
    PolicySpec {
        use_case: use_case.name.clone(),
        event: Arc::clone(event),
        columns,
        lists: use_case.lists.iter().map(list).collect(),
        models: names.clone(),
        shadow: Vec::new(),
        rules: Vec::new(),
        layers: vec![LayerSpec {
            name: "models".to_owned(),
            deadline: use_case.serving.max_latency,
            run: names,
            beside: false,
            final_when: None,
        }],
        ensemble: EnsembleSpec {
            weights: Vec::new(),
        },
        knots: linear_knots(),
        actions: vec![ActionSpec {
            name: ANSWER.to_owned(),
            from: 0.0,
            to: 100.0,
        }],
        fallback: Some(ANSWER.to_owned()),
        explore: None,
        amount: None,
    }
}
