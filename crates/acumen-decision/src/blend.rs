//! One probability out of what the members said: the deployed ensemble's, or their weighted mean.

use std::sync::Arc;

use acumen_base::decision::MemberReport;
use acumen_base::{Deadline, Prediction, Row};

use crate::asked::predict;
use crate::policy::Policy;
use crate::state::{Combiner, State};

/// What the voting members said so far.
#[derive(Default)]
pub(crate) struct Blend {
    /// The model by its place among the declared ones, and its answer.
    answers: Vec<(usize, Prediction)>,
    /// What the ensemble made of them.
    pub(crate) ensemble: Option<MemberReport>,
}

impl Blend {
    /// Takes an answer.
    pub(crate) fn take(&mut self, model: usize, prediction: Prediction) {
        self.answers.push((model, prediction));
    }

    /// The probability by those that answered; nothing where none did. A member that did not is
    /// marginalised: by the ensemble, or by taking the mean over the weights of the others.
    pub(crate) fn probability(
        &mut self,
        policy: &Policy,
        state: &State,
        at: &Row,
        patient: &Deadline,
    ) -> Option<f64> {
        if self.answers.is_empty() {
            return None;
        }
        self.stacked(policy, state, at, patient)
            .or_else(|| self.mean(policy))
            .map(|probability| probability.clamp(0.0, 1.0))
    }

    /// What the deployed ensemble says, where it answers.
    fn stacked(
        &mut self,
        policy: &Policy,
        state: &State,
        at: &Row,
        patient: &Deadline,
    ) -> Option<f64> {
        let report = state
            .ensemble
            .as_ref()?
            .ask(at, patient, |name| self.log_odds(policy, name));
        let value = report.answer.as_ref().ok();
        let value = value.map(|prediction| prediction.value);
        self.ensemble = Some(report);
        value
    }

    /// What a voting member said as log odds; NaN where it did not answer.
    pub(crate) fn log_odds(&self, policy: &Policy, name: &str) -> f64 {
        let of = |&&(model, _): &&(usize, Prediction)| policy.models[model].name == name;
        let found = self.answers.iter().find(of);
        found.map_or(f64::NAN, |(_, prediction)| prediction.log_odds())
    }

    fn mean(&self, policy: &Policy) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (model, prediction) in &self.answers {
            let by = policy.models[*model].weight;
            sum += by * prediction.value;
            weight += by;
        }
        (weight > 0.0).then(|| sum / weight)
    }
}

impl Combiner {
    /// What it makes of what its members said, as log odds; NaN is missing.
    pub(crate) fn ask(
        &self,
        at: &Row,
        patient: &Deadline,
        said: impl Fn(&str) -> f64,
    ) -> MemberReport {
        let names = self.columns.list.iter().map(|column| &*column.name);
        let row = Row {
            values: names.map(said).collect(),
            columns: Arc::clone(&self.columns),
            at: at.at,
            position: at.position,
        };
        MemberReport {
            name: self.member.name().to_owned(),
            version: self.member.version().to_owned(),
            answer: predict(&self.member, &row, patient),
            took_us: 0,
        }
    }
}
