use super::{Values, scope, value_of};
use crate::{Compiled, Type, Val};

/// A text, and what it gives.
const TABLE: &[(&str, &str)] = &[
    // Numbers.
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("7 / 2", "3"),
    ("-7 % 4", "-3"),
    ("7.0 / 2.0", "3.5"),
    ("-a.int", "-7"),
    ("0x10 + 1", "17"),
    ("a.double * double(velocity.card.count_1h)", "7.5"),
    ("9223372036854775807 + 1", "missing"),
    ("-9223372036854775807 - 2", "missing"),
    ("1 / 0", "missing"),
    ("1 % 0", "missing"),
    ("1.0 / 0.0", "missing"),
    ("1e308 * 10.0", "missing"),
    // Comparisons.
    ("score < 5", "true"),
    ("score >= 4", "true"),
    ("a.int == 7.0", "true"),
    ("9007199254740993 == 9007199254740992.0", "false"),
    ("9223372036854775807 < 9223372036854775808.0", "true"),
    ("a.text == 'card-1'", "true"),
    ("a.text != \"card-1\"", "false"),
    ("'abc' < 'abd'", "true"),
    ("a.bool == true", "true"),
    // Amounts.
    ("-a.money", "-20.00 GBP"),
    ("money('-12 GBP')", "-12.00 GBP"),
    ("a.money + money('0.50 GBP')", "20.50 GBP"),
    ("a.money - money('30 GBP')", "-10.00 GBP"),
    ("a.money * 3", "60.00 GBP"),
    ("0.015 * a.money", "0.30 GBP"),
    ("money('0.05 GBP') * 0.5", "0.02 GBP"),
    ("a.money / 3.0", "6.67 GBP"),
    ("a.money / 0.0", "missing"),
    ("a.money / money('8 GBP')", "2.5"),
    ("a.money > money('19.99 GBP')", "true"),
    ("a.money + a.other_currency", "missing"),
    ("a.money - a.other_currency", "missing"),
    ("a.money == a.other_currency", "missing"),
    ("a.money < a.other_currency", "missing"),
    ("major(a.money)", "20"),
    (
        "money('92233720368547758.07 GBP') + money('0.01 GBP')",
        "missing",
    ),
    // Times.
    ("a.time - timestamp('2026-03-01T11:00:00Z')", "1h"),
    ("a.time + duration('1h')", "2026-03-01T13:00:00Z"),
    ("a.time - a.duration < a.time", "true"),
    ("seconds(a.duration)", "90"),
    ("a.duration * 2 == duration('3m')", "true"),
    ("a.duration > duration('1m')", "true"),
    // Texts.
    ("a.text.startsWith('card')", "true"),
    ("a.text.endsWith('-2')", "false"),
    ("a.text.contains('rd')", "true"),
    ("size(a.text)", "6"),
    ("'größe'.size()", "5"),
    ("a.text + '/' + string(a.int)", "card-1/7"),
    // Membership.
    ("a.text in lists.blocked", "true"),
    ("'card-2' in lists.blocked", "false"),
    ("a.text in ['card-3', 'card-1']", "true"),
    ("a.text in ['card-3', 'card-1x']", "false"),
    ("a.text in []", "false"),
    ("a.int in [1, 2, 7.0]", "true"),
    ("a.money in [money('1 GBP'), money('20 GBP')]", "true"),
    ("!(a.text in lists.blocked)", "false"),
    // Conversions and mathematics.
    ("int(2.9)", "2"),
    ("int(-2.9)", "-2"),
    ("int('12')", "12"),
    ("int('twelve')", "missing"),
    ("int(1e30)", "missing"),
    ("double('2.5')", "2.5"),
    ("double('inf')", "missing"),
    ("string(a.money)", "20.00 GBP"),
    ("abs(-3)", "3"),
    ("abs(money('-3 GBP'))", "3.00 GBP"),
    ("min(3, 1, 2)", "1"),
    ("max(a.double, score)", "4"),
    ("max(a.money, a.other_currency)", "missing"),
    // Choices and presence.
    ("score > 3 ? 'high' : 'low'", "high"),
    ("has(a.int)", "true"),
    ("has(score)", "true"),
    ("has(no.int) ? no.int : 0", "0"),
    ("has(no.double) && no.double > 1.0", "false"),
];

#[test]
fn texts_give_what_they_say() {
    for (text, expected) in TABLE {
        assert_eq!(&value_of(text), expected, "{text}");
    }
}

#[test]
fn an_expression_names_what_it_reads() {
    let text = "score > 1.0 && a.int > 1 && a.int < 9 && a.text in lists.blocked";
    let compiled = Compiled::compile(text, &scope(), Type::Bool).unwrap();
    assert_eq!(compiled.slots(), [1, 3, 14]);
    assert_eq!(compiled.lists(), [0]);
    assert!(compiled.is_true(&Values));
    assert_eq!(compiled.text(), text);
}

#[test]
fn a_whole_number_is_taken_for_a_decimal_one() {
    let compiled = Compiled::compile("a.int + 1", &scope(), Type::Double).unwrap();
    assert_eq!(compiled.result_type(), Type::Double);
    assert_eq!(compiled.eval(&Values), Some(Val::Double(8.0)));
}

#[test]
fn compiled_expressions_run_on_many_threads() {
    let compiled = Compiled::infer("a.int * 2", &scope()).unwrap();
    let other = compiled.clone();
    let there = std::thread::spawn(move || other.eval(&Values));
    assert_eq!(there.join().unwrap(), compiled.eval(&Values));
}
