//! What expressions over one event may read: its fields, its id and its time.

use acumen_base::{Event, EventType};

use crate::scope::{Frame, Scope};
use crate::value::{Type, Val};

/// Where the value of one slot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// A field, by its position.
    Field(usize),
    /// The event's id.
    Id,
    /// The event's time.
    Time,
}

/// The scope of an event type, with a source for every slot.
#[derive(Clone, Debug)]
pub struct EventScope {
    scope: Scope,
    sources: Vec<EventSource>,
}

/// An event as an expression reads it.
struct Facts<'a> {
    sources: &'a [EventSource],
    event: &'a Event,
}

impl EventScope {
    /// Paths such as `order.amount`, for the fields that expressions can read.
    pub fn new(event: &EventType) -> EventScope {
        let mut scope = Scope::new();
        let mut sources = Vec::new();
        let mut declare = |field: &str, kind: Type, source: EventSource| {
            let path = format!("{}.{field}", event.name);
            if scope.path(&path).is_none() {
                scope.declare(&path, kind);
                sources.push(source);
            }
        };
        for (position, field) in event.fields.iter().enumerate() {
            if let Some(kind) = Type::of_field(field.kind) {
                declare(&field.name, kind, EventSource::Field(position));
            }
        }
        declare(&event.id_field, Type::Text, EventSource::Id);
        declare(&event.time_field, Type::Time, EventSource::Time);
        EventScope { scope, sources }
    }

    /// What texts are compiled over.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where a slot's value comes from.
    pub fn source(&self, slot: usize) -> Option<EventSource> {
        self.sources.get(slot).copied()
    }

    /// An event of the type, to evaluate over.
    pub fn over<'a>(&'a self, event: &'a Event) -> impl Frame + 'a {
        Facts {
            sources: &self.sources,
            event,
        }
    }
}

impl Frame for Facts<'_> {
    fn get(&self, slot: usize) -> Option<Val> {
        match *self.sources.get(slot)? {
            EventSource::Field(position) => Val::of_value(self.event.values.get(position)?),
            EventSource::Id => Some(Val::Text(self.event.id.clone())),
            EventSource::Time => Some(Val::Time(self.event.event_time)),
        }
    }

    fn contains(&self, _list: usize, _text: &str) -> bool {
        false
    }
}
