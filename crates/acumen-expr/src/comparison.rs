//! `== != < <= > >=`, and the choices that need both sides to be of one type.

use std::cmp::Ordering;

use acumen_base::Money;
use cel::common::ast::operators;

use crate::check::conversion_help;
use crate::node::{Get, Node};
use crate::value::{Type, Val};

/// An operator that gives a condition from two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// The operator of a name in the tree.
    pub(crate) fn of(name: &str) -> Option<Comparison> {
        match name {
            operators::EQUALS => Some(Comparison::Equal),
            operators::NOT_EQUALS => Some(Comparison::NotEqual),
            operators::LESS => Some(Comparison::Less),
            operators::LESS_EQUALS => Some(Comparison::LessEqual),
            operators::GREATER => Some(Comparison::Greater),
            operators::GREATER_EQUALS => Some(Comparison::GreaterEqual),
            _ => None,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
        }
    }

    fn is_order(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

/// The comparison of both, or their types where they cannot be compared.
pub(crate) fn compare(operator: Comparison, a: Node, b: Node) -> Result<Get<bool>, (Type, Type)> {
    Ok(match (a, b) {
        (Node::Int(a), Node::Int(b)) => by(operator, a, b, total),
        (Node::Double(a), Node::Double(b)) => by(operator, a, b, f64::partial_cmp),
        (Node::Int(a), Node::Double(b)) => by(operator, a, b, |a, b| mixed(*a, *b)),
        (Node::Double(a), Node::Int(b)) => {
            by(operator, a, b, |a, b| mixed(*b, *a).map(Ordering::reverse))
        }
        (Node::Text(a), Node::Text(b)) => by(operator, a, b, total),
        (Node::Money(a), Node::Money(b)) => by(operator, a, b, amounts),
        (Node::Time(a), Node::Time(b)) => by(operator, a, b, total),
        (Node::Duration(a), Node::Duration(b)) => by(operator, a, b, total),
        (Node::Bool(a), Node::Bool(b)) if !operator.is_order() => by(operator, a, b, total),
        (a, b) => return Err((a.kind(), b.kind())),
    })
}

/// One closure for each operator, so that which it is costs nothing when it runs.
fn by<A: 'static, B: 'static>(
    operator: Comparison,
    a: Get<A>,
    b: Get<B>,
    order: impl Fn(&A, &B) -> Option<Ordering> + Copy + Send + Sync + 'static,
) -> Get<bool> {
    match operator {
        Comparison::Equal => test(a, b, order, Ordering::is_eq),
        Comparison::NotEqual => test(a, b, order, Ordering::is_ne),
        Comparison::Less => test(a, b, order, Ordering::is_lt),
        Comparison::LessEqual => test(a, b, order, Ordering::is_le),
        Comparison::Greater => test(a, b, order, Ordering::is_gt),
        Comparison::GreaterEqual => test(a, b, order, Ordering::is_ge),
    }
}

fn test<A: 'static, B: 'static>(
    a: Get<A>,
    b: Get<B>,
    order: impl Fn(&A, &B) -> Option<Ordering> + Send + Sync + 'static,
    holds: impl Fn(Ordering) -> bool + Send + Sync + 'static,
) -> Get<bool> {
    Box::new(move |frame| order(&a(frame)?, &b(frame)?).map(&holds))
}

fn total<T: Ord>(a: &T, b: &T) -> Option<Ordering> {
    Some(a.cmp(b))
}

/// Amounts of two currencies have no order without a rate.
fn amounts(a: &Money, b: &Money) -> Option<Ordering> {
    (a.currency == b.currency).then(|| a.minor.cmp(&b.minor))
}

/// Whether values of these types can be equal.
pub(crate) fn comparable(a: Type, b: Type) -> bool {
    let number = |kind| matches!(kind, Type::Int | Type::Double);
    a == b || (number(a) && number(b))
}

/// Whether two values are equal; missing where they cannot be compared.
pub(crate) fn same(a: &Val, b: &Val) -> Option<bool> {
    let order = match (a, b) {
        (Val::Int(a), Val::Double(b)) | (Val::Double(b), Val::Int(a)) => mixed(*a, *b)?,
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b)?,
        (Val::Money(a), Val::Money(b)) => amounts(a, b)?,
        (a, b) => return Some(a == b),
    };
    Some(order.is_eq())
}

/// Exact even where a whole number has no neighbour among the decimal ones.
fn mixed(whole: i64, decimal: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if decimal.is_nan() {
        return None;
    }
    if decimal >= BEYOND {
        return Some(Ordering::Less);
    }
    if decimal < -BEYOND {
        return Some(Ordering::Greater);
    }
    let fraction = 0.0_f64.partial_cmp(&decimal.fract())?;
    Some(whole.cmp(&(decimal.trunc() as i64)).then(fraction))
}

/// `condition ? yes : no`, or the types of both where they differ.
pub(crate) fn choose(condition: Get<bool>, yes: Node, no: Node) -> Result<Node, (Type, Type)> {
    fn pick<T: 'static>(condition: Get<bool>, yes: Get<T>, no: Get<T>) -> Get<T> {
        Box::new(move |frame| {
            if condition(frame)? {
                yes(frame)
            } else {
                no(frame)
            }
        })
    }
    Ok(match (yes, no) {
        (Node::Bool(yes), Node::Bool(no)) => Node::Bool(pick(condition, yes, no)),
        (Node::Int(yes), Node::Int(no)) => Node::Int(pick(condition, yes, no)),
        (Node::Double(yes), Node::Double(no)) => Node::Double(pick(condition, yes, no)),
        (Node::Text(yes), Node::Text(no)) => Node::Text(pick(condition, yes, no)),
        (Node::Money(yes), Node::Money(no)) => Node::Money(pick(condition, yes, no)),
        (Node::Time(yes), Node::Time(no)) => Node::Time(pick(condition, yes, no)),
        (Node::Duration(yes), Node::Duration(no)) => Node::Duration(pick(condition, yes, no)),
        (yes, no) => return Err((yes.kind(), no.kind())),
    })
}

/// The one of two that stands first (`min`) or last (`max`), or their types where they differ.
pub(crate) fn extreme(wanted: Ordering, a: Node, b: Node) -> Result<Node, (Type, Type)> {
    fn pick<T: 'static>(
        wanted: Ordering,
        a: Get<T>,
        b: Get<T>,
        order: impl Fn(&T, &T) -> Option<Ordering> + Send + Sync + 'static,
    ) -> Get<T> {
        Box::new(move |frame| {
            let (a, b) = (a(frame)?, b(frame)?);
            Some(if order(&b, &a)? == wanted { b } else { a })
        })
    }
    Ok(match (a, b) {
        (Node::Int(a), Node::Int(b)) => Node::Int(pick(wanted, a, b, total)),
        (Node::Double(a), Node::Double(b)) => Node::Double(pick(wanted, a, b, f64::partial_cmp)),
        (Node::Money(a), Node::Money(b)) => Node::Money(pick(wanted, a, b, amounts)),
        (Node::Time(a), Node::Time(b)) => Node::Time(pick(wanted, a, b, total)),
        (Node::Duration(a), Node::Duration(b)) => Node::Duration(pick(wanted, a, b, total)),
        (a, b) => return Err((a.kind(), b.kind())),
    })
}

/// What to do about two types that cannot be compared.
pub(crate) fn help(left: Type, right: Type) -> String {
    match (left, right) {
        (Type::Bool, Type::Bool) => "conditions have no order: use == or !=".into(),
        (Type::Money, Type::Int | Type::Double) | (Type::Int | Type::Double, Type::Money) => {
            "compare with an amount, such as `money('12 GBP')`, or use `major(amount)`".into()
        }
        (Type::Text, other) | (other, Type::Text) if other != Type::Text => {
            format!(
                "quote the text, or convert: {}",
                conversion_help(Type::Text, other)
            )
        }
        _ => conversion_help(right, left),
    }
}
