//! `POST /v1/usecases/{name}/decide`, where each key of an entity is decided on.

use std::sync::Arc;

use acumen_base::limits::KEYS_PER_REQUEST_MAX;
use acumen_engine::{Asked, Engine, Refusal, UseCasePlan};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::refused::{Problem, Refused};
use crate::wire::ReasonLine;

/// What is expected of one key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValueLine {
    /// The key.
    id: String,
    /// The sum to expect over the time that the use case names; null where there is none.
    value: Option<f64>,
    /// Its currency, where it is of money.
    currency: String,
    /// The interval that holds what will come in nine cases of ten.
    low: Option<f64>,
    /// Its upper end.
    high: Option<f64>,
    /// The probability that there will be more purchases.
    probability_alive: Option<f64>,
    /// How many purchases to expect.
    expected_purchases: Option<f64>,
    /// The band of the value.
    segment: Option<String>,
    /// What moved the value, the strongest first.
    reasons: Vec<ReasonLine>,
    /// The model that answered.
    model: Option<String>,
    /// Its version.
    version: Option<String>,
    /// When the features were read: RFC 3339.
    at: Option<String>,
    /// The log position that they were read at.
    position: Option<u64>,
    /// Whether the answer had been kept from an earlier request.
    cached: bool,
    /// Why there is no value.
    problem: Option<Problem>,
}

/// What is expected of several keys, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValuesAnswer {
    /// A line a key.
    answers: Vec<ValueLine>,
    /// How many have a value.
    answered: usize,
    /// How many have a problem instead.
    refused: usize,
}

/// One key, or several.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Valued {
    /// Of one key.
    One(Box<ValueLine>),
    /// Of several.
    Many(ValuesAnswer),
}

/// The keys of a request.
#[derive(Debug, PartialEq, Eq)]
enum Keys {
    One(Arc<str>),
    Many(Vec<Arc<str>>),
}

/// Answers a request about keys; of one that is unknown alone the refusal is the answer.
pub(crate) fn answer(engine: &Engine, name: &str, body: &[u8]) -> Result<Valued, Refused> {
    let plan = engine.plan();
    let found = plan
        .position(name)
        .map(|position| &plan.use_cases[position]);
    let plan = found.ok_or_else(|| Refusal::unknown("use case", name, plan.names()))?;
    let currency = plan.declared.currency.code();
    match keys(plan, body)? {
        Keys::One(id) => {
            let mut asked = engine.values(name, std::slice::from_ref(&id))?;
            match asked.pop() {
                Some(Asked {
                    answer: Err(refusal),
                    ..
                }) => Err(refusal.into()),
                Some(asked) => Ok(Valued::One(Box::new(line(&id, asked, currency)))),
                None => {
                    Err(Refusal::Failed("one key was asked about, and none answered".into()).into())
                }
            }
        }
        Keys::Many(ids) => {
            let asked = engine.values(name, &ids)?.into_iter();
            let lines = ids
                .iter()
                .zip(asked)
                .map(|(id, asked)| line(id, asked, currency));
            let answers: Vec<ValueLine> = lines.collect();
            let answered = answers.iter().filter(|line| line.value.is_some()).count();
            Ok(Valued::Many(ValuesAnswer {
                refused: answers.len() - answered,
                answered,
                answers,
            }))
        }
    }
}

/// Reads `{"customer_id": "c1"}` or `{"customer_id": ["c1", "c2"]}`.
fn keys(plan: &UseCasePlan, body: &[u8]) -> Result<Keys, Refusal> {
    let field = plan
        .declared
        .subject
        .as_ref()
        .map_or("", |subject| &subject.kind.fields[0].name);
    let wanted = || {
        format!(
            "send {{\"{field}\": \"…\"}}, or up to {KEYS_PER_REQUEST_MAX} of them as \
             {{\"{field}\": [\"…\", \"…\"]}}"
        )
    };
    let invalid = |what: String| Refusal::Invalid(format!("{what}: {}", wanted()));
    let parsed: Value = serde_json::from_slice(body)
        .map_err(|error| invalid(format!("this is not JSON ({error})")))?;
    let Value::Object(fields) = parsed else {
        return Err(invalid("this is no object".to_owned()));
    };
    if let Some(other) = fields.keys().find(|name| *name != field) {
        return Err(invalid(format!("`{other}` is not read here")));
    }
    let text = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Ok(Arc::from(text.as_str())),
        other => Err(invalid(format!("{other} is no id"))),
    };
    match fields.get(field) {
        None => Err(invalid(format!("`{field}` is missing"))),
        Some(Value::Array(ids)) => Ok(Keys::Many(ids.iter().map(text).collect::<Result<_, _>>()?)),
        Some(one) => Ok(Keys::One(text(one)?)),
    }
}

fn line(id: &str, asked: Asked, currency: &str) -> ValueLine {
    let (answer, problem) = match asked.answer {
        Ok(answer) => (Some(answer), None),
        Err(refusal) => (None, Some(Refused::from(refusal).into_problem())),
    };
    let answer = answer.as_deref();
    let scored = answer.map(|answer| &answer.scored);
    let reasons = answer.map_or(&[][..], |answer| &answer.reasons);
    ValueLine {
        id: id.to_owned(),
        value: scored.map(|scored| scored.value),
        currency: currency.to_owned(),
        low: scored.and_then(|scored| scored.low),
        high: scored.and_then(|scored| scored.high),
        probability_alive: scored.and_then(|scored| scored.alive),
        expected_purchases: scored.and_then(|scored| scored.purchases),
        segment: scored.and_then(|scored| scored.segment.clone()),
        reasons: reasons.iter().map(ReasonLine::from).collect(),
        model: answer.map(|answer| answer.model.clone()),
        version: answer.map(|answer| answer.version.clone()),
        at: answer.map(|answer| answer.at.to_string()),
        position: answer.map(|answer| answer.position),
        cached: asked.cached,
        problem,
    }
}
