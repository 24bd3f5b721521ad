//! Events and their declared types.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::key::{Key, hash64};
use crate::time::{Span, Time};
use crate::value::{FieldType, Value};

/// A declared field. A group such as `device: {os: text}` is flattened to `device.os`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name, dotted within a group.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// Whether an event may leave it out.
    pub optional: bool,
    /// Whether it says something about a person.
    pub personal: bool,
    /// Whether a money, int or number field may be negative.
    pub signed: bool,
}

/// A declared type of event: what a payment, an order or a click consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventType {
    /// The name, such as `payment`.
    pub name: String,
    /// Which incoming field is the event's id (not repeated in `fields`).
    pub id_field: String,
    /// Which incoming field is its time (not repeated in `fields`).
    pub time_field: String,
    /// How late an event may be known and still be applied to features.
    pub lateness: Span,
    /// The fields in declared order; an event's values follow it.
    pub fields: Vec<Field>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its declared type.
    pub kind: Arc<EventType>,
    /// Unique within its type: the same id again is the same event.
    pub id: Arc<str>,
    /// When it happened.
    pub event_time: Time,
    /// When it became known: `received_at` live, declared by an import.
    pub known_at: Time,
    /// When it reached this log.
    pub received_at: Time,
    /// A value for each field of `kind.fields`.
    pub values: Vec<Value>,
}

impl EventType {
    /// Where a field stands among the values.
    pub fn position(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == field)
    }
}

impl Event {
    /// The value of a field; missing where the type has no such field.
    pub fn value(&self, field: &str) -> &Value {
        self.kind
            .position(field)
            .map_or(&Value::Missing, |i| &self.values[i])
    }

    /// The key by which duplicates are found: type and id.
    pub fn dedup_key(&self) -> Key {
        let mut text = String::with_capacity(self.kind.name.len() + 1 + self.id.len());
        text.push_str(&self.kind.name);
        text.push('\u{0}');
        text.push_str(&self.id);
        Key::of(&text)
    }

    /// A hash of what the sender said (time and values, not when it arrived): two events of one
    /// id must agree in it.
    pub fn body_hash(&self) -> u64 {
        let mut bytes = Vec::with_capacity(16 + 16 * self.values.len());
        bytes.extend_from_slice(&self.event_time.0.to_le_bytes());
        for value in &self.values {
            value.write_canonical(&mut bytes);
        }
        hash64(&bytes)
    }

    /// How late it became known.
    pub fn delay(&self) -> Span {
        self.known_at - self.event_time
    }

    /// Whether it came too late to be applied to features (it is still logged).
    pub fn is_too_late(&self) -> bool {
        self.delay() > self.kind.lateness
    }
}
