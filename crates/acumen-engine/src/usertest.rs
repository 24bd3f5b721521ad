//! Runs a use case's own tests: through the same core and policy as everything else.

use std::sync::Arc;

use acumen_base::{Clock, Control, Decision, Diagnostic, ManualClock, Row, Time};
use acumen_decision::Request;
use acumen_event::DecodeLimits;
use acumen_model::ModelStore;

use crate::core::Core;
use crate::error::EngineError;
use crate::plan::Plan;
use crate::spec::test_file::{Bench, Given, TestFile};

/// Runs all tests of a use case: how many there are, and what came out differently.
pub fn run(
    plan: &Arc<Plan>,
    use_case: usize,
    store: &Arc<ModelStore>,
) -> Result<(usize, Vec<Diagnostic>), EngineError> {
    let (tests, mut found) = TestFile::load_all(&plan.use_cases[use_case].declared);
    for test in &tests {
        let mut bench = EmptyLog::new(plan, use_case, store);
        found.extend(test.run(&mut bench));
    }
    Ok((tests.len(), found))
}

/// A use case with nothing in its log, on a clock that stands still.
struct EmptyLog {
    plan: Arc<Plan>,
    use_case: usize,
    core: Core,
    clock: Arc<ManualClock>,
}

impl EmptyLog {
    fn new(plan: &Arc<Plan>, use_case: usize, store: &Arc<ModelStore>) -> EmptyLog {
        let core = Core::new(Arc::clone(plan), Arc::clone(store));
        EmptyLog {
            plan: Arc::clone(plan),
            use_case,
            core,
            clock: ManualClock::at(Time(0)),
        }
    }
}

impl Bench for EmptyLog {
    fn add_to_list(&mut self, list: &str, ids: &[String]) -> Result<(), String> {
        let control = Control::ListAdd {
            list: list.to_owned(),
            ids: ids.to_vec(),
            until: None,
        };
        self.core
            .control(&control, self.core.next)
            .map_err(|error| error.to_string())
    }

    fn give(&mut self, given: &Given) -> Result<Option<(Row, Decision)>, String> {
        let body = given.body.to_string();
        let decoder = &self.plan.decoder;
        let limits = DecodeLimits::default();
        let latest = Time::LATEST;
        let mut event = decoder
            .decode_json(body.as_bytes(), Some(&given.event), latest, &limits)
            .map_err(|rejected| rejected.to_string())?;
        event.known_at = given.known_at.unwrap_or(event.event_time);
        event.received_at = event.known_at;
        self.clock.set(event.known_at);
        let event = Arc::new(event);
        let rows = self.core.event(&event, self.core.next, true);
        let Some((_, from)) = rows.into_iter().find(|(i, _)| *i == self.use_case) else {
            return Ok(None);
        };
        let plan = &self.plan.use_cases[self.use_case];
        let request = Request {
            id: format!("{}:{}", plan.declared.name, event.id),
            event: &event,
            row: &from.row,
            received_nanos: self.clock.nanos(),
            decided_at: self.clock.now(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            seed: plan.seed(),
            build: crate::BUILD,
            pool: None,
            waiting: 0,
        };
        let decision = Arc::new(plan.policy.decide(&request, &from.state));
        self.core.decision(&decision, self.core.next, Some(&event));
        Ok(Some(((*from.row).clone(), (*decision).clone())))
    }
}
