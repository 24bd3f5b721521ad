//! Runs a use case's own tests: through the same core and policy as everything else.

use std::sync::Arc;

use acumen_base::{Clock, Control, Decision, Diagnostic, Event, ManualClock, Row, Time};
use acumen_decision::Request;
use acumen_event::DecodeLimits;
use acumen_model::ModelStore;

use crate::core::Core;
use crate::error::EngineError;
use crate::origins::Each;
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

impl EmptyLog {
    /// An event as it arrives.
    fn event(&self, given: &Given) -> Result<Event, String> {
        let body = given.body.to_string();
        let limits = DecodeLimits::default();
        let decoder = &self.plan.decoder;
        let decoded =
            decoder.decode_json(body.as_bytes(), Some(&given.event), Time::LATEST, &limits);
        let mut event = decoded.map_err(|rejected| rejected.to_string())?;
        event.known_at = given.known_at.unwrap_or(event.event_time);
        event.received_at = event.known_at;
        Ok(event)
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

    fn known_at(&self, given: &Given) -> Result<Time, String> {
        Ok(self.event(given)?.known_at)
    }

    fn read(&mut self, id: &str, at: Time) -> Option<Row> {
        let plan = &self.plan.use_cases[self.use_case];
        let each = Each::of(plan).ok()?;
        let position = self.core.next;
        let mut values = vec![f64::NAN; plan.columns.len()].into_boxed_slice();
        let features = self.core.features(self.use_case);
        let known = each.read(features, id, (at, position), &mut values);
        known.then(|| Row {
            columns: Arc::clone(&plan.columns),
            values,
            at,
            position,
        })
    }

    fn give(&mut self, given: &Given) -> Result<Option<(Row, Decision)>, String> {
        let event = self.event(given)?;
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
