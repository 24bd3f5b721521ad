//! Which records give an event.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A condition on one column of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// What its value has to be like.
    pub test: Test,
}

/// What a value has to be like; one that is missing passes none of them but the negations.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is this.
    Equals(Scalar),
    /// It is anything else.
    NotEquals(Scalar),
    /// It is a number below this one.
    Below(f64),
    /// It is this number or one above it.
    AtLeast(f64),
    /// It is a text that begins so.
    StartsWith(String),
    /// It does not begin so.
    NotStartsWith(String),
}

/// A value in a mapping.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// A condition as it is written: a column and one test.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    column: String,
    equals: Option<Scalar>,
    not_equals: Option<Scalar>,
    below: Option<f64>,
    at_least: Option<f64>,
    starts_with: Option<String>,
    not_starts_with: Option<String>,
}

impl TryFrom<Written> for Condition {
    type Error = String;

    fn try_from(written: Written) -> Result<Condition, String> {
        let tests = [
            written.equals.map(Test::Equals),
            written.not_equals.map(Test::NotEquals),
            written.below.map(Test::Below),
            written.at_least.map(Test::AtLeast),
            written.starts_with.map(Test::StartsWith),
            written.not_starts_with.map(Test::NotStartsWith),
        ];
        let mut tests = tests.into_iter().flatten();
        match (tests.next(), tests.next()) {
            (Some(test), None) => Ok(Condition {
                column: written.column,
                test,
            }),
            _ => Err(format!(
                "the condition on `{}` needs one of `equals`, `not_equals`, `below`, `at_least`, \
                 `starts_with` and `not_starts_with`; several conditions are a list",
                written.column
            )),
        }
    }
}

/// One condition, or a list of them.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Condition>, D::Error> {
    struct Conditions;

    impl<'de> serde::de::Visitor<'de> for Conditions {
        type Value = Vec<Written>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a condition such as `{column: quantity, below: 0}`, or a list of them")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Vec<Written>, A::Error> {
            let one = Written::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
            Ok(vec![one])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Vec<Written>, A::Error> {
            Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))
        }
    }

    let written = deserializer.deserialize_any(Conditions)?;
    let conditions = written.into_iter().map(Condition::try_from);
    conditions
        .collect::<Result<_, _>>()
        .map_err(D::Error::custom)
}
