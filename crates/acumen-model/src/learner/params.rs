//! Reading parameters against their documentation: every problem at once.

use std::collections::BTreeMap;

use acumen_base::nearest;
use serde_json::Value;

use super::{ParamDoc, ParamProblem, ParamRange, Params};

/// A parameter in one line.
pub(crate) const fn doc(
    name: &'static str,
    aliases: &'static [&'static str],
    range: ParamRange,
    default: &'static str,
    doc: &'static str,
) -> ParamDoc {
    ParamDoc {
        name,
        aliases,
        range,
        default,
        doc,
    }
}

/// Parameters whose names and ranges were found to be valid, under their own names.
#[derive(Debug)]
pub struct Reader<'a> {
    given: BTreeMap<&'static str, &'a Value>,
    /// What was found to be wrong so far.
    pub problems: Vec<ParamProblem>,
}

impl<'a> Reader<'a> {
    /// Checks names, types and ranges.
    pub fn new(params: &'a Params, docs: &'static [ParamDoc]) -> Reader<'a> {
        let mut reader = Reader {
            given: BTreeMap::new(),
            problems: Vec::new(),
        };
        for (name, value) in params {
            let known = docs.iter().find(|doc| doc.is_called(name));
            match known {
                None => reader.unknown(name, docs),
                Some(doc) if reader.given.contains_key(doc.name) => {
                    let names = [&[doc.name], doc.aliases].concat();
                    reader.problem(
                        name,
                        format!("`{name}` is given twice"),
                        format!(
                            "{}: these names are one parameter, so keep one",
                            names.join(", ")
                        ),
                    );
                }
                Some(doc) => {
                    if !doc.range.allows(value) {
                        let range = doc.range.describe();
                        reader.problem(
                            name,
                            format!("`{name}` is {value}, which is not {range}"),
                            format!("{}; the default is {}", doc.doc, doc.default),
                        );
                    } else {
                        reader.given.insert(doc.name, value);
                    }
                }
            }
        }
        reader
    }

    fn unknown(&mut self, name: &str, docs: &'static [ParamDoc]) {
        let names = || {
            docs.iter()
                .flat_map(|doc| std::iter::once(doc.name).chain(doc.aliases.iter().copied()))
        };
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<&str> = docs.iter().map(|doc| doc.name).collect();
                format!("the parameters are {}", all.join(", "))
            }
        };
        self.problem(name, format!("there is no parameter `{name}`"), help);
    }

    /// Notes a problem.
    pub fn problem(&mut self, param: &str, message: String, help: String) {
        self.problems.push(ParamProblem {
            param: param.to_owned(),
            message,
            help,
        });
    }

    /// The value of a parameter, where it was given and valid.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.given.get(name).copied()
    }

    /// A number, or its default.
    pub fn number(&self, name: &str, default: f64) -> f64 {
        self.get(name).and_then(Value::as_f64).unwrap_or(default)
    }

    /// A whole number, or its default.
    pub fn whole(&self, name: &str, default: usize) -> usize {
        self.get(name)
            .and_then(whole)
            .map_or(default, |value| value as usize)
    }

    /// Whole numbers, one or a list, or their default.
    pub fn wholes(&self, name: &str, default: &[usize]) -> Vec<usize> {
        let given = match self.get(name) {
            Some(Value::Array(list)) => list.iter().map(whole).collect(),
            Some(value) => whole(value).map(|value| vec![value]),
            None => None,
        };
        let given = given.map(|list: Vec<u64>| list.iter().map(|value| *value as usize).collect());
        given.unwrap_or_else(|| default.to_vec())
    }

    /// What was read, where everything was valid.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn done<T>(self, read: T) -> Result<T, Vec<ParamProblem>> {
        match self.problems.is_empty() {
            true => Ok(read),
            false => Err(self.problems),
        }
    }

    /// A word, or its default.
    pub fn word(&self, name: &str, default: &'a str) -> &'a str {
        self.get(name).and_then(Value::as_str).unwrap_or(default)
    }
}

/// A whole number, also where it is written `6.0`.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as u64)
    })
}

impl ParamRange {
    pub(crate) fn allows(&self, value: &Value) -> bool {
        let number = value.as_f64();
        match *self {
            ParamRange::Whole(least, most) => {
                whole(value).is_some_and(|v| (least..=most).contains(&v))
            }
            ParamRange::Number(least, most) => number.is_some_and(|v| (least..=most).contains(&v)),
            ParamRange::Open(least, most) => number.is_some_and(|v| v > least && v < most),
            ParamRange::OpenOrAuto(least, most) => {
                value == "auto" || number.is_some_and(|v| v > least && v < most)
            }
            ParamRange::Share(least, most) => number.is_some_and(|v| v > least && v <= most),
            ParamRange::OneOf(words) => value.as_str().is_some_and(|v| words.contains(&v)),
            ParamRange::ByColumn => value.is_object(),
            ParamRange::Column => value.is_string(),
            ParamRange::Wholes(least, most, count) => {
                let is_valid = |value| whole(value).is_some_and(|v| (least..=most).contains(&v));
                let list = value.as_array();
                is_valid(value)
                    || list.is_some_and(|list| {
                        (1..=count).contains(&list.len()) && list.iter().all(is_valid)
                    })
            }
        }
    }

    /// What it allows, in words.
    pub fn describe(&self) -> String {
        match *self {
            ParamRange::Whole(least, u64::MAX) => format!("a whole number from {least}"),
            ParamRange::Whole(least, most) => format!("a whole number from {least} to {most}"),
            ParamRange::Number(least, most) if most.is_infinite() => {
                format!("a number from {least}")
            }
            ParamRange::Number(least, most) => format!("a number from {least} to {most}"),
            ParamRange::Open(least, most) => {
                format!("a number between {least} and {most}, neither included")
            }
            ParamRange::OpenOrAuto(least, most) if least.is_infinite() && most.is_infinite() => {
                "a number or `auto`".to_owned()
            }
            ParamRange::OpenOrAuto(least, most) => {
                format!("a number between {least} and {most}, or `auto`")
            }
            ParamRange::Share(least, most) => format!("a number above {least} and up to {most}"),
            ParamRange::OneOf(words) => format!("one of {}", words.join(", ")),
            ParamRange::Column => "the name of a column".to_owned(),
            ParamRange::ByColumn => "a map of column names to -1, 0 or 1".to_owned(),
            ParamRange::Wholes(least, most, count) => {
                format!("a list of up to {count} whole numbers from {least} to {most}")
            }
        }
    }
}
