//! What texts give, what they say when they are wrong, and the laws of the missing.

mod errors;
mod missing;
mod results;

use crate::{Compiled, Frame, Scope, Type, Val};

/// A scope with a path of every type, twice: `a.int` is there and `no.int` is missing.
fn scope() -> Scope {
    let mut scope = Scope::new();
    for group in ["a", "no"] {
        for kind in KINDS {
            scope.declare(&format!("{group}.{}", kind.name()), kind);
        }
    }
    scope.declare("score", Type::Double);
    scope.declare("velocity.card.count_1h", Type::Int);
    scope.declare("a.other_currency", Type::Money);
    scope.declare_list("blocked");
    scope
}

const KINDS: [Type; 7] = [
    Type::Bool,
    Type::Int,
    Type::Double,
    Type::Text,
    Type::Money,
    Type::Time,
    Type::Duration,
];

/// The values of [`scope`].
struct Values;

impl Frame for Values {
    fn get(&self, slot: usize) -> Option<Val> {
        Some(match slot {
            0 => Val::Bool(true),
            1 => Val::Int(7),
            2 => Val::Double(2.5),
            3 => Val::Text("card-1".into()),
            4 => Val::Money("20.00 GBP".parse().unwrap()),
            5 => Val::Time("2026-03-01T12:00:00Z".parse().unwrap()),
            6 => Val::Duration("90s".parse().unwrap()),
            14 => Val::Double(4.0),
            15 => Val::Int(3),
            16 => Val::Money("20.00 USD".parse().unwrap()),
            _ => return None,
        })
    }

    fn contains(&self, list: usize, text: &str) -> bool {
        list == 0 && text == "card-1"
    }
}

/// The value of a text as people write it, or `missing`.
fn value_of(text: &str) -> String {
    let compiled = Compiled::infer(text, &scope()).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    compiled
        .eval(&Values)
        .map_or_else(|| "missing".to_owned(), |value| value.to_string())
}
