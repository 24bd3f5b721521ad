//! The values of an expression and their types.

use std::fmt;
use std::sync::Arc;

use acumen_base::{FieldType, Money, Span, Time, Value};

/// What an expression, or a part of it, gives; every value may also be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A finite decimal number.
    Double,
    /// Text: an id, a category, free text.
    Text,
    /// An amount with its currency.
    Money,
    /// An instant.
    Time,
    /// A length of time.
    Duration,
}

/// A value that is there; what is missing is `None` of `Option<Val>`.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; one that is not finite is read as missing.
    Double(f64),
    /// Text.
    Text(Arc<str>),
    /// An amount.
    Money(Money),
    /// An instant.
    Time(Time),
    /// A length of time.
    Duration(Span),
}

impl Type {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Double => "double",
            Type::Text => "text",
            Type::Money => "money",
            Type::Time => "time",
            Type::Duration => "duration",
        }
    }

    /// The type in which a declared field is read; `None` for a place, which is only read by
    /// its parts.
    pub fn of_field(kind: FieldType) -> Option<Type> {
        match kind {
            FieldType::Id | FieldType::Category | FieldType::Text => Some(Type::Text),
            FieldType::Money => Some(Type::Money),
            FieldType::Int => Some(Type::Int),
            FieldType::Number => Some(Type::Double),
            FieldType::Bool => Some(Type::Bool),
            FieldType::Time => Some(Type::Time),
            FieldType::Geo => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Val {
    /// The type of this value.
    pub fn kind(&self) -> Type {
        match self {
            Val::Bool(_) => Type::Bool,
            Val::Int(_) => Type::Int,
            Val::Double(_) => Type::Double,
            Val::Text(_) => Type::Text,
            Val::Money(_) => Type::Money,
            Val::Time(_) => Type::Time,
            Val::Duration(_) => Type::Duration,
        }
    }

    /// The value of an event's field; `None` where it is missing or a place.
    pub fn of_value(value: &Value) -> Option<Val> {
        match value {
            Value::Missing | Value::Geo(_) => None,
            Value::Bool(value) => Some(Val::Bool(*value)),
            Value::Int(value) => Some(Val::Int(*value)),
            Value::Number(value) => Some(Val::Double(*value)),
            Value::Money(value) => Some(Val::Money(*value)),
            Value::Time(value) => Some(Val::Time(*value)),
            Value::Text(value) => Some(Val::Text(Arc::clone(value))),
        }
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::Bool(value) => write!(f, "{value}"),
            Val::Int(value) => write!(f, "{value}"),
            Val::Double(value) => write!(f, "{value}"),
            Val::Text(value) => f.write_str(value),
            Val::Money(value) => write!(f, "{value}"),
            Val::Time(value) => write!(f, "{value}"),
            Val::Duration(value) => write!(f, "{value}"),
        }
    }
}
