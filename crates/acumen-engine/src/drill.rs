//! Drills: a deployed member is made slow on purpose, so that people can see what decisions are
//! like when one is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use acumen_base::{Attribution, Columns, Deadline, Member, MemberError, Prediction, Row, Span};

use crate::plan::Plan;
use crate::refusal::Refusal;

/// A model whose deployed versions are to answer late; written `lstm=2s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// The model, in every use case that declares one of this name.
    pub model: String,
    /// How much later each of its answers comes.
    pub delay: Span,
}

impl FromStr for Drill {
    type Err = String;

    fn from_str(text: &str) -> Result<Drill, String> {
        let (model, delay) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not MODEL=SPAN, such as `lstm=2s`"))?;
        let delay = delay.parse::<Span>().map_err(|error| error.to_string())?;
        if model.is_empty() || delay == Span::ALL {
            return Err(format!("`{text}` is not MODEL=SPAN, such as `lstm=2s`"));
        }
        let model = model.to_owned();
        Ok(Drill { model, delay })
    }
}

impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Drill { model, delay } = self;
        write!(f, "`{model}` answers {delay} late on purpose (a drill)")
    }
}

impl Drill {
    /// Whether some use case has the model.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] with the nearest name.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), Refusal> {
        let models = plan.use_cases.iter().flat_map(|plan| &plan.declared.models);
        let names = models.map(|model| model.name.as_str());
        match names.clone().any(|name| name == self.model) {
            true => Ok(()),
            false => Err(Refusal::unknown("model", &self.model, names)),
        }
    }
}

/// The member, slowed down where a drill says so.
pub(crate) fn drilled(drills: &[Drill], member: &Arc<dyn Member>) -> Arc<dyn Member> {
    match drills.iter().find(|drill| drill.model == member.name()) {
        None => Arc::clone(member),
        Some(drill) => Arc::new(Slowed {
            member: Arc::clone(member),
            delay: Duration::from_millis(drill.delay.0.unsigned_abs()),
        }),
    }
}

/// How much later a source of candidates answers.
pub(crate) fn delay(drills: &[Drill], name: &str) -> Option<Duration> {
    let drill = drills.iter().find(|drill| drill.model == name)?;
    Some(Duration::from_millis(drill.delay.0.unsigned_abs()))
}

/// A member whose answers come late.
struct Slowed {
    member: Arc<dyn Member>,
    delay: Duration,
}

impl Member for Slowed {
    fn name(&self) -> &str {
        self.member.name()
    }

    fn version(&self) -> &str {
        self.member.version()
    }

    fn columns(&self) -> &Columns {
        self.member.columns()
    }

    fn predict(&self, row: &Row, deadline: &Deadline) -> Result<Prediction, MemberError> {
        std::thread::sleep(self.delay);
        self.member.predict(row, deadline)
    }

    fn attributions(&self, row: &Row) -> Vec<Attribution> {
        self.member.attributions(row)
    }

    fn weights(&self) -> Option<&[f64]> {
        self.member.weights()
    }

    fn explains_at_once(&self) -> bool {
        self.member.explains_at_once()
    }

    fn keeps_deadlines(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_a_model_and_a_span() {
        let drill: Drill = "lstm=2s".parse().unwrap();
        assert_eq!((drill.model.as_str(), drill.delay), ("lstm", Span(2_000)));
        assert!(drill.to_string().contains("`lstm` answers 2s late"));
        for wrong in ["lstm", "=2s", "lstm=", "lstm=soon", "lstm=all"] {
            let error = wrong.parse::<Drill>().unwrap_err();
            assert!(error.contains("such as"), "{wrong}: {error}");
        }
    }
}
