//! Declared event types.

use acumen_base::limits::FIELDS_MAX;
use acumen_base::{EventType, Field, FieldType, Span};

use super::tree::{Key, Kind, Node};
use super::walk::{Walk, suggestion};

/// Reads the declaration of an event type.
pub(super) fn event_type(walk: &mut Walk, name: &str, node: &Node) -> Option<EventType> {
    let mut group = walk.group(node, format!("event `{name}`"))?;
    let id = group.require("id");
    let time = group.require("time");
    let lateness = group.get("lateness");
    let declared = group.require("fields");
    let optional = group.get("optional");
    let personal = group.get("personal");
    let signed = group.get("signed");
    group.finish(walk);

    let mut fields = Vec::new();
    if let Some(node) = declared {
        read_fields(walk, "", node, &mut fields);
        if fields.len() > FIELDS_MAX {
            let message = format!("event `{name}` has {} fields", fields.len());
            let help = format!("an event may have {FIELDS_MAX}");
            walk.problem(node, "too_big", message, help);
        }
    }
    mark(walk, optional, &mut fields, |field| field.optional = true);
    mark(walk, personal, &mut fields, |field| field.personal = true);
    mark(walk, signed, &mut fields, |field| field.signed = true);
    let texts = [id, time].map(|node| node.and_then(|node| walk.text(node)));
    let [id_field, time_field] = texts.map(Option::unwrap_or_default);
    for (node, field) in [(id, &id_field), (time, &time_field)] {
        if let Some(node) = node.filter(|_| fields.iter().any(|known| known.name == *field)) {
            let message = format!("`{field}` is declared among the fields as well");
            let help = "take it out of `fields`: the id and the time stand beside them";
            walk.problem(node, "duplicate_field", message, help);
        }
    }
    let event = EventType {
        name: name.to_owned(),
        id_field,
        time_field,
        lateness: lateness
            .and_then(|node| walk.span(node))
            .unwrap_or(Span::days(1)),
        fields,
    };
    Some(event)
}

fn read_fields(walk: &mut Walk, prefix: &str, node: &Node, fields: &mut Vec<Field>) {
    for (key, value) in walk.declared(node) {
        let name = format!("{prefix}{}", key.text);
        match &value.kind {
            Kind::Map(_) if prefix.is_empty() => {
                read_fields(walk, &format!("{name}."), value, fields);
            }
            _ => fields.extend(field(walk, name, key, value)),
        }
    }
}

fn field(walk: &mut Walk, name: String, key: &Key, value: &Node) -> Option<Field> {
    let Kind::Scalar { text, .. } = &value.kind else {
        let message = format!("field `{}` has no type", key.text);
        let names = FieldType::ALL.map(FieldType::name);
        walk.problem(value, "wrong_type", message, suggestion("", &names));
        return None;
    };
    let kind = FieldType::ALL.into_iter().find(|kind| kind.name() == text);
    if kind.is_none() {
        let names = FieldType::ALL.map(FieldType::name);
        walk.unknown(value, "field type", text, names);
        walk.broken.push(name.clone());
    }
    Some(Field {
        name,
        // A field of a wrong type is still a field: what names it is not a second mistake.
        kind: kind.unwrap_or(FieldType::Text),
        optional: false,
        personal: false,
        signed: false,
    })
}

/// Marks the fields that a list names; a group's name stands for all of its fields.
fn mark(walk: &mut Walk, list: Option<&Node>, fields: &mut [Field], set: fn(&mut Field)) {
    for item in list.map_or(&[][..], |list| walk.items(list)) {
        let Some(name) = walk.text(item) else {
            continue;
        };
        let mut hit = false;
        for field in fields.iter_mut() {
            let group = field.name.split_once('.').map(|(group, _)| group);
            if field.name == name || group == Some(&name) {
                set(field);
                hit = true;
            }
        }
        if !hit {
            walk.unknown(
                item,
                "field",
                &name,
                fields.iter().map(|field| field.name.as_str()),
            );
        }
    }
}
