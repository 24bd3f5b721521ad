//! Which decisions people look at, and the event by which they say what they found.

use std::sync::Arc;

use acumen_base::{EventType, Field, FieldType, Span};

use super::tree::Node;
use super::types::{ReviewDecl, UseCase};
use super::walk::Walk;

/// The field of a disposition with the id of the event that was decided on.
pub(crate) const OF: &str = "event_id";
/// The field that says whether it was found positive.
pub(crate) const POSITIVE: &str = "positive";
/// The field with who found it.
pub(crate) const BY: &str = "by";
/// The field with what else there is to say.
pub(crate) const NOTE: &str = "note";

/// Reads `review`, and declares the event that a disposition is.
pub(super) fn read(walk: &mut Walk, node: &Node, use_case: &mut UseCase) {
    let Some(mut group) = walk.group(node, "`review`") else {
        return;
    };
    let actions = group.require("actions");
    group.finish(walk);
    let Some(actions) = actions else { return };
    let Some(outcome) = &use_case.outcome else {
        let message = "what people find is an outcome, and none is declared";
        walk.problem(node, "missing_key", message, "add `outcome: …`");
        return;
    };
    let event = disposition(&use_case.name, outcome.closes);
    if use_case.event(&event.name).is_some() {
        let message = format!("`{}` is declared among the events as well", event.name);
        let help = "give that event another name: a disposition is called so";
        walk.problem(node, "event_declared_twice", message, help);
        return;
    }
    let mut known = Vec::new();
    for item in walk.items(actions) {
        let Some(name) = walk.text(item) else {
            continue;
        };
        match use_case.action_names().any(|action| action == name) {
            true => known.push(name),
            false => walk.unknown(item, "action", &name, use_case.action_names()),
        }
    }
    let event = Arc::new(event);
    use_case.events.push(Arc::clone(&event));
    use_case.review = Some(ReviewDecl {
        actions: known,
        event,
    });
}

/// The event by which people say what they found about a decision of a use case. It is never too
/// late: until an outcome closes it counts.
fn disposition(use_case: &str, closes: Span) -> EventType {
    let field = |name: &str, kind, optional| Field {
        name: name.to_owned(),
        kind,
        optional,
        personal: false,
        signed: false,
    };
    EventType {
        name: format!("{use_case}_disposition"),
        id_field: "disposition_id".to_owned(),
        time_field: "found_at".to_owned(),
        lateness: closes,
        fields: vec![
            field(OF, FieldType::Id, false),
            field(POSITIVE, FieldType::Bool, false),
            field(BY, FieldType::Text, false),
            field(NOTE, FieldType::Text, true),
        ],
    }
}
