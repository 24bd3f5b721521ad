//! A checked part of an expression: a closure whose type says what it gives.

use std::sync::Arc;

use acumen_base::{Money, Span, Time};

use crate::scope::Frame;
use crate::value::{Type, Val};

/// Reads a value of one type; `None` is missing.
pub(crate) type Get<T> = Box<dyn Fn(&dyn Frame) -> Option<T> + Send + Sync>;

/// A checked part of an expression.
pub(crate) enum Node {
    Bool(Get<bool>),
    Int(Get<i64>),
    Double(Get<f64>),
    Text(Get<Arc<str>>),
    Money(Get<Money>),
    Time(Get<Time>),
    Duration(Get<Span>),
}

/// A closure that takes one operand.
pub(crate) fn one<A: 'static, R: 'static>(
    a: Get<A>,
    apply: impl Fn(A) -> Option<R> + Send + Sync + 'static,
) -> Get<R> {
    Box::new(move |frame| apply(a(frame)?))
}

/// A closure that takes two operands: missing where one of them is.
pub(crate) fn both<A: 'static, B: 'static, R: 'static>(
    a: Get<A>,
    b: Get<B>,
    apply: impl Fn(A, B) -> Option<R> + Send + Sync + 'static,
) -> Get<R> {
    Box::new(move |frame| apply(a(frame)?, b(frame)?))
}

/// A number that is not finite is missing.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Node {
    pub(crate) fn kind(&self) -> Type {
        match self {
            Node::Bool(_) => Type::Bool,
            Node::Int(_) => Type::Int,
            Node::Double(_) => Type::Double,
            Node::Text(_) => Type::Text,
            Node::Money(_) => Type::Money,
            Node::Time(_) => Type::Time,
            Node::Duration(_) => Type::Duration,
        }
    }

    /// The same value every time.
    pub(crate) fn constant(value: Val) -> Node {
        match value {
            Val::Bool(value) => Node::Bool(Box::new(move |_| Some(value))),
            Val::Int(value) => Node::Int(Box::new(move |_| Some(value))),
            Val::Double(value) => Node::Double(Box::new(move |_| Some(value))),
            Val::Text(value) => Node::Text(Box::new(move |_| Some(Arc::clone(&value)))),
            Val::Money(value) => Node::Money(Box::new(move |_| Some(value))),
            Val::Time(value) => Node::Time(Box::new(move |_| Some(value))),
            Val::Duration(value) => Node::Duration(Box::new(move |_| Some(value))),
        }
    }

    /// What the frame holds in a slot; a value of another type than declared is missing.
    pub(crate) fn slot(slot: usize, kind: Type) -> Node {
        macro_rules! read {
            ($variant:ident, $frame:ident) => {
                match $frame.get(slot)? {
                    Val::$variant(value) => Some(value),
                    _ => None,
                }
            };
        }
        match kind {
            Type::Bool => Node::Bool(Box::new(move |frame| read!(Bool, frame))),
            Type::Int => Node::Int(Box::new(move |frame| read!(Int, frame))),
            Type::Double => {
                Node::Double(Box::new(move |frame| read!(Double, frame).and_then(finite)))
            }
            Type::Text => Node::Text(Box::new(move |frame| read!(Text, frame))),
            Type::Money => Node::Money(Box::new(move |frame| read!(Money, frame))),
            Type::Time => Node::Time(Box::new(move |frame| read!(Time, frame))),
            Type::Duration => Node::Duration(Box::new(move |frame| read!(Duration, frame))),
        }
    }

    /// Whether there is a value.
    pub(crate) fn into_presence(self) -> Get<bool> {
        let any = self.into_any();
        Box::new(move |frame| Some(any(frame).is_some()))
    }

    /// The value, wrapped.
    pub(crate) fn into_any(self) -> Get<Val> {
        match self {
            Node::Bool(get) => Box::new(move |frame| get(frame).map(Val::Bool)),
            Node::Int(get) => Box::new(move |frame| get(frame).map(Val::Int)),
            Node::Double(get) => Box::new(move |frame| get(frame).map(Val::Double)),
            Node::Text(get) => Box::new(move |frame| get(frame).map(Val::Text)),
            Node::Money(get) => Box::new(move |frame| get(frame).map(Val::Money)),
            Node::Time(get) => Box::new(move |frame| get(frame).map(Val::Time)),
            Node::Duration(get) => Box::new(move |frame| get(frame).map(Val::Duration)),
        }
    }
}
