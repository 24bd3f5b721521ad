//! A decision made again from what its members said, with one vote exchanged.

use std::sync::Arc;

use acumen_base::control::CHALLENGER;
use acumen_base::{Attribution, Columns, Deadline, ENSEMBLE, Member, MemberError, Prediction, Row};
use acumen_decision::State;

use super::gathered::Decided;
use crate::plan::UseCasePlan;

/// Whose vote counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// The one that voted.
    Champion,
    /// The one that answered beside it.
    Challenger,
}

/// A member that says again what a record has of it.
struct Echo {
    name: String,
    version: String,
    columns: Arc<Columns>,
    answer: Result<Prediction, MemberError>,
}

impl Member for Echo {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn predict(&self, _: &Row, _: &Deadline) -> Result<Prediction, MemberError> {
        self.answer.clone()
    }

    fn attributions(&self, _: &Row) -> Vec<Attribution> {
        Vec::new()
    }
}

/// The action, without exploration, that today's rules and thresholds give under a vote.
pub(super) fn action(plan: &UseCasePlan, state: &State, decided: &Decided, voice: Voice) -> String {
    let record = &decided.record;
    let mut state = state.clone();
    let members = record.layers.iter().flat_map(|layer| &layer.members);
    for member in members.chain(&record.ensemble) {
        let exchanged = decided.exchanges.contains(&member.name) && voice == Voice::Challenger;
        let of_ensemble = member.name.strip_suffix(CHALLENGER).unwrap_or(&member.name) == ENSEMBLE;
        let answer = match exchanged {
            true => Ok(decided.challenger),
            // It combines again what is said of the others.
            false if member.name == ENSEMBLE => continue,
            false => member.answer.clone(),
        };
        let echo = Echo {
            name: member.name.clone(),
            version: member.version.clone(),
            columns: match of_ensemble {
                true => Arc::new(Columns::new(Vec::new(), "")),
                false => Arc::clone(&plan.columns),
            },
            answer,
        };
        state.deploy(state.control(), Arc::new(echo));
    }
    let row = Row {
        columns: Arc::clone(&plan.columns),
        values: record.row.clone().into(),
        at: record.event_time,
        position: record.position,
    };
    let again = plan.policy.replay(record, &decided.event, &row, &state);
    again.action_without_exploration
}
