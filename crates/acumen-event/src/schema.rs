//! Event types under which the log's events were written, and how to read them under today's.

use std::sync::Arc;

use acumen_base::{Event, EventType, Value};

/// The event types that a log or one of its segments knows, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schemas {
    by_id: Vec<Option<Arc<EventType>>>,
}

impl Schemas {
    /// The type of an id.
    pub(crate) fn get(&self, id: u32) -> Option<&Arc<EventType>> {
        self.by_id.get(id as usize)?.as_ref()
    }

    /// The id of a type, the same allocation first.
    pub(crate) fn find(&self, kind: &Arc<EventType>) -> Option<u32> {
        let known = || self.by_id.iter().enumerate();
        let same = |(id, known): (usize, &Option<Arc<EventType>>)| match known {
            Some(known) if Arc::ptr_eq(known, kind) => Some(id as u32),
            _ => None,
        };
        let equal = |(id, known): (usize, &Option<Arc<EventType>>)| match known {
            Some(known) if known == kind => Some(id as u32),
            _ => None,
        };
        known().find_map(same).or_else(|| known().find_map(equal))
    }

    /// Adds a type under the next free id.
    pub(crate) fn add(&mut self, kind: Arc<EventType>) -> u32 {
        self.by_id.push(Some(kind));
        (self.by_id.len() - 1) as u32
    }

    /// Puts a type that was read; an equal one stays, so that its allocation is shared.
    pub(crate) fn put(&mut self, id: u32, kind: EventType) {
        let id = id as usize;
        if self.by_id.len() <= id {
            self.by_id.resize(id + 1, None);
        }
        match &self.by_id[id] {
            Some(known) if **known == kind => {}
            _ => self.by_id[id] = Some(Arc::new(kind)),
        }
    }

    /// Lets records share an allocation of an equal type.
    pub(crate) fn share(&mut self, id: u32, kind: &Arc<EventType>) {
        self.by_id[id as usize] = Some(Arc::clone(kind));
    }

    /// Every id with its type.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<EventType>)> {
        let with_id =
            |(id, kind): (usize, &'_ Option<Arc<EventType>>)| kind.is_some().then_some(id as u32);
        let ids: Vec<u32> = self.by_id.iter().enumerate().filter_map(with_id).collect();
        ids.into_iter()
            .filter_map(|id| self.get(id).map(|kind| (id, kind)))
    }

    /// The newest type of each name: what a new segment begins with.
    pub(crate) fn live(&self) -> Vec<(u32, Arc<EventType>)> {
        let all: Vec<_> = self.iter().collect();
        let newest = |(id, kind): &(u32, &Arc<EventType>)| {
            !all.iter()
                .any(|(later, other)| later > id && other.name == kind.name)
        };
        all.iter()
            .filter(|entry| newest(entry))
            .map(|(id, kind)| (*id, Arc::clone(kind)))
            .collect()
    }
}

/// An event as it reads under another declaration of its type, fields matched by name.
///
/// A field that the event's own type lacks, or holds with another kind of value, is missing; a
/// field that `current` no longer has is left out.
pub fn conform(event: &Event, current: &Arc<EventType>) -> Event {
    let value = |field: &acumen_base::Field| {
        let written = event.kind.position(&field.name)?;
        let alike = representation(event.kind.fields[written].kind) == representation(field.kind);
        alike.then(|| event.values[written].clone())
    };
    let values = if *event.kind == **current {
        event.values.clone()
    } else {
        let fields = current.fields.iter();
        fields
            .map(|field| value(field).unwrap_or(Value::Missing))
            .collect()
    };
    Event {
        kind: Arc::clone(current),
        id: Arc::clone(&event.id),
        event_time: event.event_time,
        known_at: event.known_at,
        received_at: event.received_at,
        values,
    }
}

/// Types whose values look alike are one: an id may become a category without rewriting.
fn representation(kind: acumen_base::FieldType) -> acumen_base::FieldType {
    use acumen_base::FieldType::{Category, Id, Text};
    match kind {
        Id | Category | Text => Text,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use acumen_base::{Field, FieldType, Span, Time};

    use super::*;

    fn order(fields: &[(&str, FieldType)]) -> Arc<EventType> {
        let field = |(name, kind): &(&str, FieldType)| Field {
            name: (*name).into(),
            kind: *kind,
            optional: true,
            personal: false,
            signed: false,
        };
        Arc::new(EventType {
            name: "order".into(),
            id_field: "order_id".into(),
            time_field: "at".into(),
            lateness: Span::ZERO,
            fields: fields.iter().map(field).collect(),
        })
    }

    #[test]
    fn an_older_event_reads_by_name() {
        use FieldType::{Category, Id, Int, Number};
        let old = order(&[("a", Int), ("b", Id), ("gone", Int), ("c", Int)]);
        let new = order(&[("b", Category), ("fresh", Int), ("c", Number), ("a", Int)]);
        let written = Event {
            kind: old,
            id: "o-1".into(),
            event_time: Time(1),
            known_at: Time(2),
            received_at: Time(3),
            values: vec![
                Value::Int(1),
                Value::text("x"),
                Value::Int(2),
                Value::Int(3),
            ],
        };
        let read = conform(&written, &new);
        let expected = [
            Value::text("x"),
            Value::Missing,
            Value::Missing,
            Value::Int(1),
        ];
        assert_eq!(read.values, expected);
        assert!(Arc::ptr_eq(&read.kind, &new));
        assert_eq!((read.id, read.known_at), (written.id, written.known_at));
    }
}
