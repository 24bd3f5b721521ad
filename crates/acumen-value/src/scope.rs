//! What formulas may read: the event that was decided on.

use acumen_base::{Event, EventType};
use acumen_expr::{Frame, Scope, Type, Val};

/// Where the value of one slot comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A field, by its position.
    Field(usize),
    /// The event's id.
    Id,
    /// The event's time.
    Time,
}

/// The scope of an event type, with a source for every slot.
pub(crate) fn of_event(event: &EventType) -> (Scope, Vec<Source>) {
    let mut scope = Scope::new();
    let mut sources = Vec::new();
    let mut declare = |field: &str, kind: Type, source: Source| {
        let path = format!("{}.{field}", event.name);
        if scope.path(&path).is_none() {
            scope.declare(&path, kind);
            sources.push(source);
        }
    };
    for (position, field) in event.fields.iter().enumerate() {
        if let Some(kind) = Type::of_field(field.kind) {
            declare(&field.name, kind, Source::Field(position));
        }
    }
    declare(&event.id_field, Type::Text, Source::Id);
    declare(&event.time_field, Type::Time, Source::Time);
    (scope, sources)
}

/// An event as a formula reads it.
pub(crate) struct Facts<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) event: &'a Event,
}

impl Frame for Facts<'_> {
    fn get(&self, slot: usize) -> Option<Val> {
        match *self.sources.get(slot)? {
            Source::Field(position) => Val::of_value(self.event.values.get(position)?),
            Source::Id => Some(Val::Text(self.event.id.clone())),
            Source::Time => Some(Val::Time(self.event.event_time)),
        }
    }

    fn contains(&self, _list: usize, _text: &str) -> bool {
        false
    }
}
