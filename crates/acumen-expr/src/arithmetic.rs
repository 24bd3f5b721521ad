//! `+ - * / %` and the minus sign, each with the types that it takes.

use std::sync::Arc;

use acumen_base::{Money, Span, Time};
use cel::common::ast::operators;

use crate::node::{Node, both, finite, one};
use crate::value::Type;

/// An operator that gives a value from two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// The operator of a name in the tree.
    pub(crate) fn of(name: &str) -> Option<Arithmetic> {
        match name {
            operators::ADD => Some(Arithmetic::Add),
            operators::SUBSTRACT => Some(Arithmetic::Subtract),
            operators::MULTIPLY => Some(Arithmetic::Multiply),
            operators::DIVIDE => Some(Arithmetic::Divide),
            operators::MODULO => Some(Arithmetic::Remainder),
            _ => None,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "%",
        }
    }
}

/// The operator applied to both, or their types where it has no meaning.
pub(crate) fn combine(operator: Arithmetic, a: Node, b: Node) -> Result<Node, (Type, Type)> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    Ok(match (operator, a, b) {
        (Add, Node::Int(a), Node::Int(b)) => Node::Int(both(a, b, i64::checked_add)),
        (Subtract, Node::Int(a), Node::Int(b)) => Node::Int(both(a, b, i64::checked_sub)),
        (Multiply, Node::Int(a), Node::Int(b)) => Node::Int(both(a, b, i64::checked_mul)),
        (Divide, Node::Int(a), Node::Int(b)) => Node::Int(both(a, b, i64::checked_div)),
        (Remainder, Node::Int(a), Node::Int(b)) => Node::Int(both(a, b, i64::checked_rem)),
        (Add, Node::Double(a), Node::Double(b)) => Node::Double(both(a, b, |a, b| finite(a + b))),
        (Subtract, Node::Double(a), Node::Double(b)) => {
            Node::Double(both(a, b, |a, b| finite(a - b)))
        }
        (Multiply, Node::Double(a), Node::Double(b)) => {
            Node::Double(both(a, b, |a, b| finite(a * b)))
        }
        (Divide, Node::Double(a), Node::Double(b)) => {
            Node::Double(both(a, b, |a, b| finite(a / b)))
        }
        (Add, Node::Text(a), Node::Text(b)) => {
            Node::Text(both(a, b, |a, b| Some(Arc::from([&*a, &*b].concat()))))
        }
        (operator, a, b) => return combine_measures(operator, a, b),
    })
}

/// Amounts and times.
fn combine_measures(operator: Arithmetic, a: Node, b: Node) -> Result<Node, (Type, Type)> {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    Ok(match (operator, a, b) {
        (Add, Node::Money(a), Node::Money(b)) => Node::Money(both(a, b, |a, b| a.plus(b).ok())),
        (Subtract, Node::Money(a), Node::Money(b)) => Node::Money(both(a, b, less)),
        (Divide, Node::Money(a), Node::Money(b)) => Node::Double(both(a, b, ratio)),
        (Multiply, Node::Money(a), Node::Int(b)) => Node::Money(both(a, b, times)),
        (Multiply, Node::Int(a), Node::Money(b)) => Node::Money(both(a, b, |a, b| times(b, a))),
        (Multiply, Node::Money(a), Node::Double(b)) => Node::Money(both(a, b, scale)),
        (Multiply, Node::Double(a), Node::Money(b)) => Node::Money(both(a, b, |a, b| scale(b, a))),
        (Divide, Node::Money(a), Node::Double(b)) => {
            Node::Money(both(a, b, |a, b| scale(a, 1.0 / b)))
        }
        (Add, Node::Duration(a), Node::Duration(b)) => {
            Node::Duration(both(a, b, |a, b| a.0.checked_add(b.0).map(Span)))
        }
        (Subtract, Node::Duration(a), Node::Duration(b)) => {
            Node::Duration(both(a, b, |a, b| a.0.checked_sub(b.0).map(Span)))
        }
        (Multiply, Node::Duration(a), Node::Int(b)) => {
            Node::Duration(both(a, b, |a, b| a.0.checked_mul(b).map(Span)))
        }
        (Multiply, Node::Int(a), Node::Duration(b)) => {
            Node::Duration(both(a, b, |a, b| b.0.checked_mul(a).map(Span)))
        }
        (Add, Node::Time(a), Node::Duration(b)) => Node::Time(both(a, b, later)),
        (Add, Node::Duration(a), Node::Time(b)) => Node::Time(both(a, b, |a, b| later(b, a))),
        (Subtract, Node::Time(a), Node::Duration(b)) => {
            Node::Time(both(a, b, |a, b| a.0.checked_sub(b.0).map(Time)))
        }
        (Subtract, Node::Time(a), Node::Time(b)) => {
            Node::Duration(both(a, b, |a, b| a.0.checked_sub(b.0).map(Span)))
        }
        (_, a, b) => return Err((a.kind(), b.kind())),
    })
}

/// The negated value, or its type where it has none.
pub(crate) fn negate(a: Node) -> Result<Node, Type> {
    Ok(match a {
        Node::Int(a) => Node::Int(one(a, i64::checked_neg)),
        Node::Double(a) => Node::Double(one(a, |a| Some(-a))),
        Node::Money(a) => Node::Money(one(a, |a| amount(a, a.minor.checked_neg()))),
        Node::Duration(a) => Node::Duration(one(a, |a| a.0.checked_neg().map(Span))),
        other => return Err(other.kind()),
    })
}

/// The value without its sign, or its type where it has none.
pub(crate) fn absolute(a: Node) -> Result<Node, Type> {
    Ok(match a {
        Node::Int(a) => Node::Int(one(a, i64::checked_abs)),
        Node::Double(a) => Node::Double(one(a, |a| Some(a.abs()))),
        Node::Money(a) => Node::Money(one(a, |a| amount(a, a.minor.checked_abs()))),
        Node::Duration(a) => Node::Duration(one(a, |a| a.0.checked_abs().map(Span))),
        other => return Err(other.kind()),
    })
}

fn amount(like: Money, minor: Option<i64>) -> Option<Money> {
    minor.map(|minor| Money::new(minor, like.currency))
}

fn less(a: Money, b: Money) -> Option<Money> {
    let same = a.currency == b.currency;
    amount(a, a.minor.checked_sub(b.minor)).filter(|_| same)
}

fn times(a: Money, factor: i64) -> Option<Money> {
    amount(a, a.minor.checked_mul(factor))
}

/// Rounds to whole minor units, half to even, as conversions do.
fn scale(a: Money, factor: f64) -> Option<Money> {
    let minor = (a.minor as f64 * factor).round_ties_even();
    let fits = minor.is_finite() && minor.abs() < 9.2e18;
    fits.then(|| Money::new(minor as i64, a.currency))
}

fn ratio(a: Money, b: Money) -> Option<f64> {
    let same = a.currency == b.currency;
    finite(a.minor as f64 / b.minor as f64).filter(|_| same)
}

fn later(time: Time, span: Span) -> Option<Time> {
    time.0.checked_add(span.0).map(Time)
}

/// What to do about two types that an operator does not take.
pub(crate) fn help(operator: Arithmetic, left: Type, right: Type) -> String {
    match (operator, left, right) {
        (Arithmetic::Remainder, ..) => "% takes whole numbers".into(),
        (_, Type::Int, Type::Double) | (_, Type::Double, Type::Int) => {
            "make both double: write `double(x)`, or a literal with a decimal point (`2.0`)".into()
        }
        (Arithmetic::Divide, Type::Money, Type::Int) => {
            "divide by a double: `amount / 2.0`, or `amount / double(x)`".into()
        }
        (Arithmetic::Add | Arithmetic::Subtract, Type::Money, _)
        | (Arithmetic::Add | Arithmetic::Subtract, _, Type::Money) => {
            "amounts add to amounts: write `money('12 GBP')`, or take numbers with `major(amount)`"
                .into()
        }
        (_, Type::Money, _) | (_, _, Type::Money) => {
            "take the amount as a number with `major(amount)`".into()
        }
        (_, Type::Text, _) | (_, _, Type::Text) => {
            "texts only join texts: write `string(x)`, or read a number with `double(x)`".into()
        }
        (_, Type::Duration, _) | (_, _, Type::Duration) => {
            "take the length as a number with `seconds(duration)`".into()
        }
        (_, Type::Bool, _) | (_, _, Type::Bool) => "choose numbers with `x ? 1.0 : 0.0`".into(),
        _ => format!("{} does not take these types", operator.symbol()),
    }
}
