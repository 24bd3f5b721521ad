//! The value of one field of an event.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::Time;

/// What a declared field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// The id of an entity or an event: text that is compared, never measured.
    Id,
    /// One of a set of names, such as a merchant category.
    Category,
    /// Free text.
    Text,
    /// An amount with its currency, never negative unless the field is declared `signed`.
    Money,
    /// A whole number.
    Int,
    /// A finite decimal number.
    Number,
    /// True or false.
    Bool,
    /// An instant.
    Time,
    /// A place with the radius within which it is known.
    Geo,
}

/// A place on the earth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geo {
    /// Degrees north, −90 to 90.
    pub lat: f64,
    /// Degrees east, −180 to 180.
    pub lon: f64,
    /// The true place lies within this many kilometres.
    pub accuracy_km: f32,
}

/// The value of one field; a field that was not sent is [`Value::Missing`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Not sent, and optional.
    #[default]
    Missing,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Number(f64),
    /// An amount.
    Money(Money),
    /// An instant.
    Time(Time),
    /// An id, a category or free text.
    Text(Arc<str>),
    /// A place.
    Geo(Geo),
}

impl FieldType {
    /// Every type, in the order of the documentation.
    pub const ALL: [FieldType; 9] = [
        FieldType::Id,
        FieldType::Category,
        FieldType::Text,
        FieldType::Money,
        FieldType::Int,
        FieldType::Number,
        FieldType::Bool,
        FieldType::Time,
        FieldType::Geo,
    ];

    /// The name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Id => "id",
            FieldType::Category => "category",
            FieldType::Text => "text",
            FieldType::Money => "money",
            FieldType::Int => "int",
            FieldType::Number => "number",
            FieldType::Bool => "bool",
            FieldType::Time => "time",
            FieldType::Geo => "geo",
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Value {
    /// Text as a value.
    pub fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// The text of an id, category or text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The amount of a money field.
    pub fn as_money(&self) -> Option<Money> {
        match self {
            Value::Money(money) => Some(*money),
            _ => None,
        }
    }

    /// The place of a geo field.
    pub fn as_geo(&self) -> Option<Geo> {
        match self {
            Value::Geo(geo) => Some(*geo),
            _ => None,
        }
    }

    /// Appends bytes that are the same for equal values and differ for different ones.
    pub fn write_canonical(&self, bytes: &mut Vec<u8>) {
        match self {
            Value::Missing => bytes.push(0),
            Value::Bool(value) => bytes.extend_from_slice(&[1, u8::from(*value)]),
            Value::Int(value) => tagged(bytes, 2, &value.to_le_bytes()),
            Value::Number(value) => tagged(bytes, 3, &value.to_bits().to_le_bytes()),
            Value::Money(value) => {
                tagged(bytes, 4, &value.minor.to_le_bytes());
                bytes.extend_from_slice(value.currency.code().as_bytes());
            }
            Value::Time(value) => tagged(bytes, 5, &value.0.to_le_bytes()),
            Value::Text(value) => {
                tagged(bytes, 6, &(value.len() as u64).to_le_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
            Value::Geo(geo) => {
                tagged(bytes, 7, &geo.lat.to_bits().to_le_bytes());
                bytes.extend_from_slice(&geo.lon.to_bits().to_le_bytes());
                bytes.extend_from_slice(&geo.accuracy_km.to_bits().to_le_bytes());
            }
        }
    }

    /// Whether nothing was sent.
    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Missing)
    }
}

fn tagged(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) {
    bytes.push(tag);
    bytes.extend_from_slice(value);
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing => f.write_str("missing"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Number(value) => write!(f, "{value}"),
            Value::Money(value) => write!(f, "{value}"),
            Value::Time(value) => write!(f, "{value}"),
            Value::Text(value) => f.write_str(value),
            Value::Geo(geo) => write!(f, "{}, {} (±{} km)", geo.lat, geo.lon, geo.accuracy_km),
        }
    }
}
