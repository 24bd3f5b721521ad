use acumen_base::limits::EXPRESSION_BYTES_MAX;
use proptest::prelude::*;

use super::{Values, scope};
use crate::{Compiled, ExprError, Type};

fn errors(text: &str) -> Vec<ExprError> {
    match Compiled::compile(text, &scope(), Type::Bool) {
        Ok(_) => panic!("{text} was accepted"),
        Err(errors) => errors,
    }
}

/// A text, where its first error stands, a part of the message and a part of the help.
const TABLE: &[(&str, usize, &str, &str)] = &[
    ("a.itn > 3", 0, "`a.itn` is not declared", "`a.int`"),
    ("a.int > 3 && scroe < 5", 13, "`scroe`", "`score`"),
    ("'ü' == a.text && scroe < 5", 18, "`scroe`", "`score`"),
    ("true\n && scroe < 5", 9, "`scroe`", "`score`"),
    (
        "velocity.card > 1",
        0,
        "`velocity.card`",
        "velocity.card.count_1h",
    ),
    ("a.int * 2.0 > 1.0", 6, "int * double", "double(x)"),
    ("a.money + 5 > a.money", 8, "money + int", "money('12 GBP')"),
    ("a.money > 5", 8, "money and int", "money('12 GBP')"),
    ("a.money / 2 > a.money", 8, "money / int", "2.0"),
    ("a.text > 5", 7, "text and int", "quote"),
    ("a.bool < true", 7, "bool and bool", "=="),
    ("-a.text == 'x'", 0, "text has no negative", "int"),
    ("a.int", 0, "gives int, and bool is needed", "condition"),
    ("a.bool ? 1 : 2.0", 7, "int or double", "int(x)"),
    ("a.int && true", 0, "gives int", "condition"),
    (
        "a.text in lists.blokced",
        10,
        "`lists.blokced`",
        "`lists.blocked`",
    ),
    ("a.int in lists.blocked", 0, "lists hold text", "string(x)"),
    ("a.text in a.text", 7, "needs a list", "lists.name"),
    ("a.text in ['a', 3]", 16, "holds int", "quote"),
    ("lists.blocked", 0, "not declared", "right of `in`"),
    ("[1, 2] == 3", 0, "right of `in`", "x in"),
    ("{'a': 1} == 3", 0, "maps", "path"),
    ("a.int == null", 9, "no null", "has(path)"),
    ("a.int == 5u", 9, "unsigned", "`5`"),
    ("a.text == b'x'", 10, "bytes", "without the `b`"),
    ("a.text[0] == 'x'", 6, "no elements", "path"),
    ("[1, 2].all(x, x > 1)", 0, "loop", "features"),
    (
        "a.text.matches('a+')",
        0,
        "regular expressions",
        "startsWith",
    ),
    (
        "contains(a.text, 'a')",
        0,
        "not called like this",
        "text.contains",
    ),
    ("a.text.startWith('a')", 0, "no function", "`startsWith`"),
    (
        "true && absolute(a.int) > 1",
        8,
        "no function `absolute`",
        "functions are",
    ),
    ("money('12 XYZ') > a.money", 6, "XYZ", "money('12.50 GBP')"),
    ("money(a.text) > a.money", 6, "quoted", "quotes"),
    (
        "duration('5 minutes') > a.duration",
        9,
        "5 minutes",
        "ms, s, m, h",
    ),
    ("timestamp('yesterday') > a.time", 10, "yesterday", "2026"),
    ("double(a.money) > 1.0", 0, "cannot convert money", "major"),
    ("min(a.int, 1.0) > 1", 11, "int and double", "int(x)"),
    ("has(1)", 4, "declared path", "has(order.amount)"),
    ("a.int > ", 8, "not a CEL expression", "too early"),
    ("a.int > 'x", 8, "not a CEL expression", "quotes"),
    (
        "a.int > 99999999999999999999",
        8,
        "invalid int literal",
        "CEL",
    ),
    ("for > 1", 0, "reserved", "rename"),
    ("  ", 0, "empty", "CEL"),
];

#[test]
fn errors_say_where_what_and_what_to_do() {
    for (text, offset, message, help) in TABLE {
        let error = errors(text).remove(0);
        assert_eq!(error.offset, *offset, "{text}: {error:?}");
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.help.contains(help), "{text}: {error:?}");
    }
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_text() {
    let found = errors("a.itn > 3 && a.text == 5 && a.money * 'x' > a.mony && nonsense(1)");
    let offsets: Vec<usize> = found.iter().map(|e| e.offset).collect();
    assert_eq!(offsets, [0, 20, 36, 44, 54], "{found:?}");
}

#[test]
fn deep_and_long_texts_are_refused_without_overflowing() {
    let deep = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    let small_stack = std::thread::Builder::new().stack_size(1024 * 1024);
    let tried = small_stack.spawn(move || {
        for times in [25, 200, 1_300] {
            errors(&deep("(", "true", ")", times));
            errors(&deep("abs(", "1", ")", times.min(600)));
            errors(&deep("[", "1", "]", times));
        }
        assert!(Compiled::infer(&deep("(", "true", ")", 20), &scope()).is_ok());
        for long in [
            format!("a.int{}", " + 1".repeat(500)),
            format!("true{}", " && true".repeat(200)),
            format!("{}a.bool", "a.bool ? true : ".repeat(20)),
        ] {
            let compiled = Compiled::infer(&long, &scope()).unwrap();
            assert!(compiled.eval(&Values).is_some());
        }
        errors(&format!("{}true", "!".repeat(2_000)));
        errors(&format!("a{}", ".a".repeat(2_000)));
        errors(&format!("1{}", " in 1".repeat(800)));
        errors(&format!("true{}", " && true".repeat(EXPRESSION_BYTES_MAX)));
    });
    tried.unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_text_makes_it_panic(parts in prop::collection::vec(part(), 0..12)) {
        let text = parts.concat();
        match Compiled::infer(&text, &scope()) {
            Ok(compiled) => {
                let value = compiled.eval(&Values);
                prop_assert!(value.is_none_or(|value| value.kind() == compiled.result_type()));
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(text.is_char_boundary(error.offset), "{}: {:?}", text, error);
                    prop_assert!(!error.help.is_empty());
                }
            }
        }
    }
}

fn part() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "a.int",
        "no.int",
        "a.text",
        "score",
        "(",
        ")",
        " + ",
        " - ",
        " in ",
        "[1, 2]",
        "'x'",
        " && ",
        " ? ",
        " : ",
        "!",
        "-",
        "1",
        "2.5",
        "has(",
        "min(",
        ", ",
        "lists.blocked",
        "\n",
        "ü",
        "'",
        "\"",
        "money('1 GBP')",
        ".size()",
        " == ",
        " < ",
        "{",
        "}",
        "\\",
        "//",
        "0x",
    ]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => "\\PC{0,3}"]
}
