use proptest::prelude::*;

use super::{scope, value_of};
use crate::{Compiled, Frame, Val};

/// The paths of `super::scope` with some of them missing.
struct Sparse(Vec<Option<Val>>);

impl Frame for Sparse {
    fn get(&self, slot: usize) -> Option<Val> {
        self.0.get(slot).cloned().flatten()
    }

    fn contains(&self, _list: usize, text: &str) -> bool {
        text.len().is_multiple_of(2)
    }
}

#[test]
fn a_missing_operand_makes_the_result_missing() {
    for text in [
        "no.int + 1",
        "no.double * score",
        "-no.money",
        "no.int > 3",
        "3 > no.int",
        "no.text == no.text",
        "no.text in lists.blocked",
        "no.text in ['a']",
        "no.int in [1, 2]",
        "1 in [no.int, 2]",
        "!no.bool",
        "no.bool ? 1 : 2",
        "abs(no.int)",
        "max(1, no.int)",
        "double(no.int)",
        "string(no.time)",
        "major(no.money)",
        "no.text.startsWith('a')",
        "size(no.text)",
        "no.time - a.time",
    ] {
        assert_eq!(value_of(text), "missing", "{text}");
    }
    assert_eq!(value_of("1 in [no.int, 1]"), "true");
    assert_eq!(value_of("has(no.int)"), "false");
    assert_eq!(value_of("a.bool ? 1 : no.int"), "1");
}

fn truth(bits: u8) -> Option<bool> {
    match bits % 3 {
        0 => None,
        1 => Some(false),
        _ => Some(true),
    }
}

/// Conditions over two flags, with their three-valued truth worked out beside the text.
fn condition() -> impl Strategy<Value = (String, Truth)> {
    let leaf = prop_oneof![
        Just(("a.bool".to_owned(), Truth::First)),
        Just(("no.bool".to_owned(), Truth::Second)),
        Just(("true".to_owned(), Truth::Known(true))),
        Just(("false".to_owned(), Truth::Known(false))),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|(text, truth)| (format!("!({text})"), Truth::Not(truth.into()))),
            (inner.clone(), inner.clone()).prop_map(|((a, x), (b, y))| {
                (format!("({a}) && ({b})"), Truth::And(x.into(), y.into()))
            }),
            (inner.clone(), inner).prop_map(|((a, x), (b, y))| {
                (format!("({a}) || ({b})"), Truth::Or(x.into(), y.into()))
            }),
        ]
    })
}

#[derive(Clone, Debug)]
enum Truth {
    First,
    Second,
    Known(bool),
    Not(Box<Truth>),
    And(Box<Truth>, Box<Truth>),
    Or(Box<Truth>, Box<Truth>),
}

impl Truth {
    /// Kleene's strong logic, written out as tables.
    fn of(&self, first: Option<bool>, second: Option<bool>) -> Option<bool> {
        match self {
            Truth::First => first,
            Truth::Second => second,
            Truth::Known(value) => Some(*value),
            Truth::Not(a) => match a.of(first, second) {
                Some(true) => Some(false),
                Some(false) => Some(true),
                None => None,
            },
            Truth::And(a, b) => match (a.of(first, second), b.of(first, second)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Truth::Or(a, b) => match (a.of(first, second), b.of(first, second)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn conditions_follow_the_absorbing_logic((text, expected) in condition(), a: u8, b: u8) {
        let mut values = vec![None; 17];
        values[0] = truth(a).map(Val::Bool);
        values[7] = truth(b).map(Val::Bool);
        let compiled = Compiled::infer(&text, &scope()).unwrap();
        let got = compiled.eval(&Sparse(values));
        prop_assert_eq!(got, expected.of(truth(a), truth(b)).map(Val::Bool), "{}", text);
    }

    #[test]
    fn whole_numbers_never_wrap(a: i64, b: i64) {
        let mut values = vec![None; 17];
        values[1] = Some(Val::Int(a));
        values[8] = Some(Val::Int(b));
        let frame = Sparse(values);
        for (symbol, expected) in [
            ("+", a.checked_add(b)),
            ("-", a.checked_sub(b)),
            ("*", a.checked_mul(b)),
            ("/", a.checked_div(b)),
            ("%", a.checked_rem(b)),
        ] {
            let text = format!("a.int {symbol} no.int");
            let compiled = Compiled::infer(&text, &scope()).unwrap();
            prop_assert_eq!(compiled.eval(&frame), expected.map(Val::Int));
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_missing(bits: u64) {
        let value = f64::from_bits(bits);
        let mut values = vec![None; 17];
        values[2] = Some(Val::Double(value));
        let frame = Sparse(values);
        let has = Compiled::infer("has(a.double)", &scope()).unwrap();
        prop_assert_eq!(has.eval(&frame), Some(Val::Bool(value.is_finite())));
        let twice = Compiled::infer("a.double * 2.0 > 0.0", &scope()).unwrap();
        prop_assert_eq!(twice.eval(&frame).is_some(), (value * 2.0).is_finite());
    }
}
