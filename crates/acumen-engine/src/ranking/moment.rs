//! What is said of the moment of a request, or of an event: where, by which device, in which
//! weather, as far as the use case declares it (`feedback.context`).
//!
//! A word goes to the sources as it is, and to bandits and rankers as [`CATEGORY_NUMBERS`] signs
//! that follow from its hash: which words there are need not be known, and two of them have the same
//! signs once in sixteen times. A flag is 1 or −1, a number `±ln(1 + |x|)`, and what is not said 0.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::limits::TEXT_BYTES_MAX;
use acumen_base::{Event, EventType, FieldType, Seed, Value};
use serde_json::Value as Json;

use crate::refusal::Refusal;
use crate::spec::{CATEGORY_NUMBERS, ContextDecl, FeedbackDecl};

/// What may be said, and where an event of feedback says it.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    declared: Vec<(ContextDecl, usize)>,
}

/// What is said, in the order in which it is declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Moment {
    said: Vec<(String, Value)>,
}

/// What is said in a word, with its name before it.
pub(crate) type Said = (Arc<str>, Arc<str>);
/// All that is said in words.
pub(crate) type Words = Vec<Said>;

impl Moments {
    /// What events of a type say, as it is declared; fields that there are not, which the check of
    /// the specification has refused, say nothing.
    pub(crate) fn new(feedback: &FeedbackDecl, event: &EventType) -> Moments {
        let declared = feedback.context.iter();
        let declared = declared.filter_map(|of| Some((of.clone(), event.position(&of.name)?)));
        Moments {
            declared: declared.collect(),
        }
    }

    /// By how many numbers a moment is known.
    pub(crate) fn width(&self) -> usize {
        self.declared.iter().map(|(of, _)| of.width()).sum()
    }

    /// The names with the types, such as `weather (category)`.
    pub(crate) fn names(&self) -> Vec<(String, FieldType)> {
        let named = |(of, _): &(ContextDecl, usize)| (of.name.clone(), of.kind);
        self.declared.iter().map(named).collect()
    }

    /// The names of what is said in words.
    pub(crate) fn word_names(&self) -> impl Iterator<Item = &str> {
        let words = self.declared.iter().filter(|(of, _)| of.is_word());
        words.map(|(of, _)| of.name.as_str())
    }

    /// What an event says in words, in the order of [`Moments::word_names`].
    pub(crate) fn words_of(&self, event: &Event) -> impl Iterator<Item = Option<Arc<str>>> {
        let words = self.declared.iter().filter(|(of, _)| of.is_word());
        words.map(|(_, place)| word(&event.values[*place]))
    }

    /// What a request says.
    ///
    /// # Errors
    /// Everything that is not declared or of another type, with what is declared.
    pub(crate) fn read(&self, given: &BTreeMap<String, Json>) -> Result<Moment, Refusal> {
        let declared = |name: &str| self.declared.iter().find(|(of, _)| of.name == name);
        let mut wrong: Vec<String> = Vec::new();
        let mut said: BTreeMap<&str, Value> = BTreeMap::new();
        for (name, value) in given {
            match declared(name).map(|(of, _)| (of.kind, typed(value, of.kind))) {
                None => wrong.push(format!("`{name}` is not declared")),
                Some((_, Some(value))) => drop(said.insert(name, value)),
                Some((kind, None)) => wrong.push(format!("`{name}` is {value}, not a {kind}")),
            }
        }
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(format!(
                "`context`: {}; {}",
                wrong.join(", "),
                self.in_words()
            )));
        }
        let in_order = self.declared.iter();
        let in_order = in_order.filter_map(|(of, _)| {
            let value = said.remove(of.name.as_str())?;
            (value != Value::Missing).then(|| (of.name.clone(), value))
        });
        Ok(Moment {
            said: in_order.collect(),
        })
    }

    /// What may be said.
    fn in_words(&self) -> String {
        let names = self.names();
        let named = names
            .iter()
            .map(|(name, kind)| format!("`{name}` ({kind})"));
        match names.is_empty() {
            true => "this use case declares no `feedback.context`".to_owned(),
            false => format!("declared is {}", named.collect::<Vec<String>>().join(", ")),
        }
    }

    /// What a list was made under, as a request says it; what is declared no more is left out.
    pub(crate) fn again(&self, said: &[(String, Value)]) -> BTreeMap<String, Json> {
        let known = |name: &str| self.declared.iter().any(|(of, _)| of.name == name);
        let said = said.iter().filter(|(name, _)| known(name));
        let value = |value: &Value| match value {
            Value::Text(word) => Json::from(&**word),
            Value::Bool(flag) => Json::from(*flag),
            Value::Int(number) => Json::from(*number),
            Value::Number(number) => Json::from(*number),
            _ => Json::Null,
        };
        said.map(|(name, of)| (name.clone(), value(of))).collect()
    }

    /// The numbers by which a moment is known to whoever learns.
    pub(crate) fn numbers(&self, moment: &Moment) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(self.width());
        for (of, _) in &self.declared {
            let said = moment.said.iter().find(|(name, _)| *name == of.name);
            match said.map(|(_, value)| value) {
                Some(Value::Text(word)) => numbers.extend(signs(&of.name, word)),
                Some(Value::Bool(flag)) => numbers.push(if *flag { 1.0 } else { -1.0 }),
                Some(Value::Int(number)) => numbers.push(squashed(*number as f64)),
                Some(Value::Number(number)) => numbers.push(squashed(*number)),
                _ => numbers.resize(numbers.len() + of.width(), 0.0),
            }
        }
        numbers
    }
}

impl Moment {
    /// What the log keeps.
    pub(crate) fn said(&self) -> &[(String, Value)] {
        &self.said
    }

    /// What is said in words.
    pub(crate) fn words(&self) -> Words {
        let named =
            |(name, value): &(String, Value)| Some((Arc::from(name.as_str()), word(value)?));
        self.said.iter().filter_map(named).collect()
    }
}

/// A value of a request as one of a type; `null` says nothing.
fn typed(value: &Json, kind: FieldType) -> Option<Value> {
    match (value, kind) {
        (Json::Null, _) => Some(Value::Missing),
        (Json::String(word), FieldType::Category) => {
            (word.len() <= TEXT_BYTES_MAX).then(|| Value::Text(word.as_str().into()))
        }
        (Json::Bool(flag), FieldType::Bool) => Some(Value::Bool(*flag)),
        (Json::Number(number), FieldType::Int) => number.as_i64().map(Value::Int),
        (Json::Number(number), FieldType::Number) => number.as_f64().map(Value::Number),
        _ => None,
    }
}

/// What is said in a word.
fn word(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Text(word) => Some(Arc::clone(word)),
        Value::Bool(flag) => Some(if *flag { "yes" } else { "no" }.into()),
        _ => None,
    }
}

/// The signs of a word: together of length 1.
fn signs(name: &str, word: &str) -> [f32; CATEGORY_NUMBERS] {
    let hash = Seed(0).derive(name).derive(word).0;
    let size = (CATEGORY_NUMBERS as f32).sqrt().recip();
    std::array::from_fn(|place| match hash >> place & 1 {
        1 => size,
        _ => -size,
    })
}

/// Numbers of any unit, so that none drowns the others.
fn squashed(number: f64) -> f32 {
    (number.signum() * number.abs().ln_1p()) as f32
}
