//! What a search may draw: the range or the choices of each parameter.

use std::collections::BTreeMap;

use acumen_base::{Columns, Seed, nearest};
use serde::Serialize;
use serde_json::{Value, json};

use super::{FOLDS_MAX, SearchSpec, TRIALS_MAX};
use crate::learner::{Learner, ParamDoc, ParamProblem, ParamRange, Params};

/// A range that spans more than this factor is drawn on a logarithmic scale.
const LOG_FROM: f64 = 10.0;
/// Digits that a drawn number keeps: more would only look exact.
const DIGITS: i32 = 4;

/// The searched parameters of one learner, by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Space {
    dimensions: BTreeMap<&'static str, Dimension>,
}

/// What one parameter may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
enum Dimension {
    Whole(u64, u64),
    Number(f64, f64),
    Choices(Vec<Value>),
}

impl SearchSpec {
    /// Checks a search against a learner, the parameters that are given besides, and the columns
    /// that they name. A problem's `param` is its key, such as `of.learning_rate`.
    ///
    /// # Errors
    /// Every problem, not only the first.
    pub fn check(
        &self,
        learner: &dyn Learner,
        given: &Params,
        columns: &Columns,
    ) -> Result<Space, Vec<ParamProblem>> {
        let mut problems = Vec::new();
        self.counts(&mut problems);
        let mut space = Space {
            dimensions: BTreeMap::new(),
        };
        for (name, wanted) in self.wanted(learner, given) {
            match dimension(learner, given, &name, &wanted) {
                Ok((doc, _)) if space.dimensions.contains_key(doc.name) => {
                    let message = format!("`{name}` is searched twice");
                    let help = format!("it is `{}`: keep one of the two", doc.name);
                    problems.push(problem(&name, message, help));
                }
                Ok((doc, dimension)) => {
                    space.dimensions.insert(doc.name, dimension);
                }
                Err(found) => problems.push(*found),
            }
        }
        if space.dimensions.is_empty() && problems.is_empty() {
            let message = format!("nothing is searched of `{}`", learner.name());
            let help = "say what: `of: {parameter: [least, most]}`".to_owned();
            problems.push(problem("", message, help));
        }
        // What is wrong with the parameters themselves is said of them, not of the search.
        match learner.check(&space.corner(given), columns) {
            Err(found) if problems.is_empty() && learner.check(given, columns).is_ok() => {
                problems.extend(found.into_iter().map(|found| ParamProblem {
                    param: format!("of.{}", found.param),
                    ..found
                }));
            }
            _ => {}
        }
        if problems.is_empty() {
            Ok(space)
        } else {
            Err(problems)
        }
    }

    fn counts(&self, problems: &mut Vec<ParamProblem>) {
        let counts = [
            ("trials", self.trials, TRIALS_MAX),
            ("folds", self.folds, FOLDS_MAX),
        ];
        for (name, count, most) in counts {
            if !(1..=most).contains(&count) {
                problems.push(ParamProblem {
                    param: name.to_owned(),
                    message: format!("`{name}` is {count}, which is not from 1 to {most}"),
                    help: format!("write a whole number from 1 to {most}"),
                });
            }
        }
    }

    /// What is declared, or what the learner suggests and is not given already.
    fn wanted(&self, learner: &dyn Learner, given: &Params) -> Vec<(String, Value)> {
        if !self.of.is_empty() {
            return self.of.clone().into_iter().collect();
        }
        let is_given =
            |name: &str| find(learner, name).is_some_and(|doc| given_as(doc, given).is_some());
        let suggested = learner.searched().iter();
        suggested
            .filter(|(name, _)| !is_given(name))
            .map(|(name, [least, most])| ((*name).to_owned(), json!([least, most])))
            .collect()
    }
}

impl Space {
    /// The parameters of a trial; none for trial 0, which is the model as it was declared.
    pub fn draw(&self, seed: Seed, trial: usize) -> Params {
        let seed = seed.derive(&format!("trial {trial}"));
        let drawn = self.dimensions.iter().filter(|_| trial > 0);
        drawn
            .map(|(name, dimension)| ((*name).to_owned(), dimension.at(seed.unit(name))))
            .collect()
    }

    /// Given parameters with drawn ones.
    pub fn merged(&self, given: &Params, drawn: &Params) -> Params {
        let mut merged = given.clone();
        merged.extend(drawn.clone());
        merged
    }

    /// How many parameters are searched.
    pub fn len(&self) -> usize {
        self.dimensions.len()
    }

    /// Whether nothing is searched.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// The least of everything: a set of parameters that may be drawn.
    fn corner(&self, given: &Params) -> Params {
        let least = self
            .dimensions
            .iter()
            .map(|(name, d)| ((*name).to_owned(), d.at(0.0)));
        self.merged(given, &least.collect())
    }
}

impl Dimension {
    /// What a number in [0, 1) draws.
    fn at(&self, unit: f64) -> Value {
        match self {
            Dimension::Whole(least, most) => {
                let (from, to) = (*least as f64, *most as f64 + 1.0);
                let drawn = scaled(from, to, *most as f64, unit).floor() as u64;
                json!(drawn.clamp(*least, *most))
            }
            Dimension::Number(least, most) => {
                json!(rounded(scaled(*least, *most, *most, unit)).clamp(*least, *most))
            }
            Dimension::Choices(choices) => {
                choices[((unit * choices.len() as f64) as usize).min(choices.len() - 1)].clone()
            }
        }
    }
}

/// A number from `from` to `to`, on the scale that the range up to `most` asks for.
fn scaled(from: f64, to: f64, most: f64, unit: f64) -> f64 {
    if from > 0.0 && most / from > LOG_FROM {
        from * (to / from).powf(unit)
    } else {
        from + unit * (to - from)
    }
}

fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = DIGITS - 1 - value.abs().log10().floor() as i32;
    let text = format!("{value:.*}", digits.max(0) as usize);
    text.parse().unwrap_or(value)
}

fn find(learner: &dyn Learner, name: &str) -> Option<&'static ParamDoc> {
    let docs = learner.params().iter();
    let mut docs = docs.filter(|doc| doc.name == name || doc.aliases.contains(&name));
    docs.next()
}

/// The name under which a parameter is given, where it is.
fn given_as<'a>(doc: &ParamDoc, given: &'a Params) -> Option<&'a String> {
    let is_it = |name: &&String| doc.name == **name || doc.aliases.contains(&name.as_str());
    given.keys().find(is_it)
}

fn problem(name: &str, message: String, help: String) -> ParamProblem {
    ParamProblem {
        param: if name.is_empty() {
            "of".to_owned()
        } else {
            format!("of.{name}")
        },
        message,
        help,
    }
}

/// What a parameter may be, as its range or its choices are declared.
fn dimension(
    learner: &dyn Learner,
    given: &Params,
    name: &str,
    wanted: &Value,
) -> Result<(&'static ParamDoc, Dimension), Box<ParamProblem>> {
    let fail = |message: String, help: String| Box::new(problem(name, message, help));
    let Some(doc) = find(learner, name) else {
        let names = learner.params().iter().map(|doc| doc.name);
        let help = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "its parameters are {}",
                names.collect::<Vec<_>>().join(", ")
            ),
        };
        let message = format!("`{}` has no parameter `{name}` to search", learner.name());
        return Err(fail(message, help));
    };
    if let Some(given) = given_as(doc, given) {
        let message = format!("`{given}` is given, so `{name}` cannot be searched");
        return Err(fail(message, "remove one of the two".to_owned()));
    }
    let allowed = format!("it is {}", doc.range.describe());
    let Some(values) = wanted.as_array().filter(|values| !values.is_empty()) else {
        let message = format!("`{name}` is searched in {wanted}, which is no list");
        return Err(fail(
            message,
            format!("write `[least, most]` or a list of choices; {allowed}"),
        ));
    };
    if let Some(wrong) = values.iter().find(|value| !doc.range.allows(value)) {
        let message = format!("`{name}` may not be {wrong}");
        return Err(fail(message, allowed));
    }
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    let pair: Option<[f64; 2]> = numbers.try_into().ok().filter(|_| values.len() == 2);
    match (doc.range, pair) {
        (ParamRange::OneOf(_) | ParamRange::ByColumn, _) | (_, None) => {
            Ok((doc, Dimension::Choices(values.clone())))
        }
        (_, Some([least, most])) if least >= most => {
            let message = format!("the range [{least}, {most}] of `{name}` does not rise");
            Err(fail(message, "write `[least, most]`".to_owned()))
        }
        (ParamRange::Whole(..), Some([least, most])) => {
            Ok((doc, Dimension::Whole(least as u64, most as u64)))
        }
        (_, Some([least, most])) => Ok((doc, Dimension::Number(least, most))),
    }
}
