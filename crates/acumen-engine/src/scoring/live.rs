//! The model that answers for a use case that decides on each key.

use std::sync::Arc;

use acumen_base::{Columns, Time};
use acumen_decision::State;
use acumen_model::{Answered, Artifact, ArtifactMember, ModelStore, Says};
use serde::Serialize;

use crate::error::EngineError;
use crate::plan::UseCasePlan;
use crate::projected::Projected;

/// What is said of one key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// The sum to expect, in major units where it is money.
    pub value: f64,
    /// The interval around it, where the model has some.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// The probability that there will be more purchases, where a model of them answers.
    pub alive: Option<f64>,
    /// Purchases to expect within the time that is summed up.
    pub purchases: Option<f64>,
    /// The band of the value, where bands are declared.
    pub segment: Option<String>,
}

/// The deployed version of a use case, ready to answer.
#[derive(Debug)]
pub(crate) struct LiveModel {
    model: Projected,
    version: String,
    floor: f64,
    segments: Vec<(String, f64)>,
}

impl LiveModel {
    /// The version that a state deploys: one of the declared models.
    ///
    /// # Errors
    /// Where none is deployed, or it was trained on other rows.
    pub(crate) fn of_state(
        store: &ModelStore,
        plan: &UseCasePlan,
        state: &State,
    ) -> Result<LiveModel, EngineError> {
        let declared = &plan.declared;
        let mut live = declared
            .member_names()
            .filter_map(|name| state.member(name));
        let Some(member) = live.next() else {
            return Err(EngineError::NotFound(format!(
                "no model of `{0}` is live: `acumen train {0}` fits and deploys the best",
                declared.name
            )));
        };
        LiveModel::of_version(store, plan, member.name(), member.version())
    }

    /// A stored version.
    ///
    /// # Errors
    /// Where there is none, or it was trained on other rows.
    pub(crate) fn of_version(
        store: &ModelStore,
        plan: &UseCasePlan,
        member: &str,
        version: &str,
    ) -> Result<LiveModel, EngineError> {
        let artifact = store.get(&plan.declared.name, member, version)?;
        let floor = plan
            .declared
            .target
            .as_ref()
            .and_then(|target| target.floor);
        Ok(LiveModel {
            version: version.to_owned(),
            model: Projected::new(ArtifactMember::new(Arc::new(artifact)), &plan.columns)?,
            floor: floor.unwrap_or(f64::NEG_INFINITY),
            segments: plan.declared.segments.clone(),
        })
    }

    /// Whether it is this version of this model.
    pub(crate) fn is(&self, member: &str, version: &str) -> bool {
        self.artifact().member == member && self.version == version
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn artifact(&self) -> &Artifact {
        self.model.artifact()
    }

    /// The values of many rows, given column by column.
    pub(crate) fn values(&self, data: &[Vec<f64>]) -> Vec<f64> {
        let mut values = self.model.predict_many(data);
        values
            .iter_mut()
            .for_each(|value| *value = value.max(self.floor));
        values
    }

    /// Everything about many rows, with so many drivers each.
    pub(crate) fn answer_many<'a>(
        &self,
        rows: impl Iterator<Item = &'a [f64]>,
        drivers: usize,
    ) -> Vec<Answered> {
        let mut answered = self.model.answer_many(rows, drivers);
        answered
            .iter_mut()
            .for_each(|one| one.value = one.value.max(self.floor));
        answered
    }

    /// What a model of purchases says of many rows.
    pub(crate) fn says_many<'a>(&self, rows: impl Iterator<Item = &'a [f64]>) -> Vec<Option<Says>> {
        self.model.says_many(rows)
    }

    /// What is said of a row with this value.
    pub(crate) fn scored(&self, value: f64, says: Option<Says>) -> Scored {
        let around = self.artifact().intervals.as_ref();
        let (low, high) = around.map(|intervals| intervals.around(value)).unzip();
        let mut below = self.segments.iter().rev();
        let band = below.find(|(_, least)| *least <= value);
        // What is below every band is in the lowest.
        let band = band.or(self.segments.first());
        Scored {
            value,
            low,
            high,
            alive: says.map(|says| says.alive),
            purchases: says.map(|says| says.purchases),
            segment: band.map(|(name, _)| name.clone()),
        }
    }

    /// The columns that drivers are of.
    pub(crate) fn columns(&self) -> &Columns {
        self.model.seen()
    }

    /// What the version saw of a time in training, in words.
    pub(crate) fn seen(&self, at: Time) -> String {
        let until = self.artifact().seen_until();
        match at < until {
            true => format!(
                "it was fitted with what was known at {until}: figures of times before that flatter \
                 it"
            ),
            false => String::new(),
        }
    }
}
