//! Literals of the grammar, and texts that are read as amounts, spans and instants.

use acumen_base::{Money, Span, Time};
use cel::common::ast::LiteralValue;

use crate::value::Val;

/// What is wrong, and what to do.
pub(crate) type Problem = (String, String);

/// The value of a literal.
pub(crate) fn constant(literal: &LiteralValue) -> Result<Val, Problem> {
    let refuse = |message: &str, help: &str| Err((message.to_owned(), help.to_owned()));
    match literal {
        LiteralValue::Boolean(value) => Ok(Val::Bool(*value.inner())),
        LiteralValue::Int(value) => Ok(Val::Int(*value.inner())),
        LiteralValue::Double(value) => Ok(Val::Double(*value.inner())),
        LiteralValue::String(value) => Ok(Val::Text(value.inner().into())),
        LiteralValue::Null => refuse(
            "there is no null: a value is there or it is missing",
            "ask with `has(path)`",
        ),
        LiteralValue::UInt(value) => refuse(
            "unsigned numbers are not a type here",
            &format!("write `{}` without the `u`", value.inner()),
        ),
        LiteralValue::Bytes(_) => refuse(
            "bytes are not a type here",
            "write a text without the `b`, such as 'abc'",
        ),
    }
}

/// `money('12 GBP')`.
pub(crate) fn money(text: &str) -> Result<Val, Problem> {
    let read: Result<Money, _> = text.parse();
    read.map(Val::Money)
        .map_err(|error| (error.to_string(), "write `money('12.50 GBP')`".into()))
}

/// `duration('5m')`.
pub(crate) fn duration(text: &str) -> Result<Val, Problem> {
    let help = || "write `duration('5m')`, with ms, s, m, h, d or w".to_owned();
    match text.parse::<Span>() {
        Ok(Span::ALL) => Err(("`all` is not a length of time".into(), help())),
        Ok(span) => Ok(Val::Duration(span)),
        Err(error) => Err((error.to_string(), help())),
    }
}

/// `timestamp('2026-03-01T00:00:00Z')`.
pub(crate) fn timestamp(text: &str) -> Result<Val, Problem> {
    let read: Result<Time, _> = text.parse();
    read.map(Val::Time).map_err(|error| {
        let help = "write `timestamp('2026-03-01T12:30:00Z')`";
        (error.to_string(), help.into())
    })
}
