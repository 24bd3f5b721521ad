//! How a world's facts become events of the types that a use case declares.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Diagnostic, Event, EventType, Field, FieldType, Span, Time, Value, nearest};

/// Event types by name.
pub type EventTypes = BTreeMap<String, Arc<EventType>>;

/// A field: its name, what it holds, whether it may be left out, whether it is personal.
pub(crate) type FieldRow = (&'static str, FieldType, bool, bool);

/// What is known of a customer, in every world.
pub(crate) const CUSTOMER_PROFILE: &[FieldRow] = &[
    ("customer_id", FieldType::Id, false, true),
    ("opened_at", FieldType::Time, false, true),
    ("verification_level", FieldType::Category, false, false),
];

/// What a unit of a currency is worth, in every world.
pub(crate) const EXCHANGE_RATE: &[FieldRow] = &[
    ("currency", FieldType::Category, false, false),
    ("rate", FieldType::Number, false, false),
];

/// A kind of fact: name, id, time, fields in the order the world fills them.
pub(crate) type KindRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static [FieldRow],
);

/// The types as a world declares them; a use case may leave out or reorder fields.
pub(crate) fn declare(kinds: &[KindRow]) -> EventTypes {
    let declare = |&(name, id, time, fields): &KindRow| {
        let fields = fields
            .iter()
            .map(|&(name, kind, optional, personal)| Field {
                name: name.into(),
                kind,
                optional,
                personal,
                signed: false,
            });
        let event_type = EventType {
            name: name.into(),
            id_field: id.into(),
            time_field: time.into(),
            lateness: Span::days(1),
            fields: fields.collect(),
        };
        (name.to_owned(), Arc::new(event_type))
    };
    kinds.iter().map(declare).collect()
}

/// A declared type, and which of the world's values each of its fields takes.
type Declared = (Arc<EventType>, Vec<Option<usize>>);

/// For each kind of fact, the declared type and which of the world's values each field takes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    kinds: Vec<Option<Declared>>,
}

impl Layout {
    /// A layout of `kinds` for `types`. A kind that is not declared is not told of, but the first
    /// of them is what the world is about, and must be.
    pub(crate) fn new(kinds: &[KindRow], types: &EventTypes) -> Result<Layout, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        if let Some((name, ..)) = kinds
            .first()
            .filter(|(name, ..)| !types.contains_key(*name))
        {
            problems.push(Diagnostic::new(
                "world_event_type",
                format!("no event type `{name}` is declared"),
                "declare it, or use the world's own types",
            ));
        }
        let kinds = kinds.iter().map(|(name, _, _, ours)| {
            let event_type = types.get(*name)?;
            let source = |field| source(name, field, ours, &mut problems);
            let sources = event_type.fields.iter().map(source).collect();
            Some((event_type.clone(), sources))
        });
        let kinds = kinds.collect();
        if problems.is_empty() {
            Ok(Layout { kinds })
        } else {
            Err(problems)
        }
    }

    /// Whether a kind is told of.
    pub(crate) fn tells(&self, kind: usize) -> bool {
        self.kinds[kind].is_some()
    }

    /// The event of a fact, whose values stand in the world's order and are moved into it.
    pub(crate) fn event(
        &self,
        kind: usize,
        id: Arc<str>,
        at: Time,
        values: &mut [Value],
    ) -> Option<Event> {
        let (event_type, sources) = self.kinds[kind].as_ref()?;
        let pick = |source: &Option<usize>| {
            source.map_or(Value::Missing, |s| std::mem::take(&mut values[s]))
        };
        Some(Event {
            kind: event_type.clone(),
            id,
            event_time: at,
            known_at: at,
            received_at: at,
            values: sources.iter().map(pick).collect(),
        })
    }
}

/// Where a declared field's value stands among the world's, if it has one.
fn source(
    name: &str,
    field: &Field,
    ours: &[FieldRow],
    problems: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let source = ours.iter().position(|row| row.0 == field.name);
    let fits = source.is_some_and(|s| ours[s].1 == field.kind);
    let always = source.is_some_and(|s| !ours[s].2);
    if !(fits && (always || field.optional) || source.is_none() && field.optional) {
        problems.push(misfit(name, field, ours));
    }
    source.filter(|_| fits)
}

fn misfit(name: &str, field: &Field, ours: &[FieldRow]) -> Diagnostic {
    let help = match ours.iter().find(|row| row.0 == field.name) {
        Some(row) if row.1 != field.kind => format!("declare it as `{}`", row.1),
        Some(_) => "the world leaves it out at times: declare it optional".into(),
        None => match nearest(&field.name, ours.iter().map(|row| row.0)) {
            Some(near) => format!("did you mean `{near}`? Or declare it optional"),
            None => "declare it optional".into(),
        },
    };
    let message = format!(
        "the world cannot fill the field `{}` ({}) of `{name}`",
        field.name, field.kind
    );
    Diagnostic::new("world_event_type", message, help)
}
