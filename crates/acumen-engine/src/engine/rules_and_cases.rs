//! What the running engine is asked about its rules and cases.

use std::sync::Arc;

use acumen_base::limits::{BACKTEST_MICROS_MAX, BACKTEST_ROWS_MAX, CASES_LISTED_MAX};
use acumen_base::{Body, Deadline};
use acumen_event::Log;

use super::{Disposed, Engine};
use crate::backtest::{Backtest, BacktestLimits, BacktestQuery, backtest};
use crate::cases::{Case, CaseList, CaseOrder, CaseState, Finding, Found};
use crate::refusal::{Refusal, Reply};
use crate::rules::RuleStatus;
use crate::sequencer::Command;

impl Engine {
    /// What a new rule would have done on the log so far, within the limits of a request
    /// ([`BACKTEST_ROWS_MAX`], [`BACKTEST_MICROS_MAX`]): one at a time for a use case.
    pub fn backtest(&self, use_case: &str, query: &BacktestQuery) -> Result<Backtest, Refusal> {
        let position = self.position(use_case)?;
        let clock = Arc::clone(&self.clock);
        let begun = clock.nanos();
        let limits = BacktestLimits {
            until: Some(self.ask(|core, _| core.next)?),
            deadline: Some(Deadline::after(clock, begun, BACKTEST_MICROS_MAX)),
            rows_max: Some(BACKTEST_ROWS_MAX),
        };
        let found = backtest(&self.sources, position, query, &limits, &mut |_| ());
        found.map_err(Refusal::from)
    }

    /// The first so many cases of a use case.
    pub fn cases(
        &self,
        use_case: &str,
        state: CaseState,
        order: CaseOrder,
        most: usize,
    ) -> Result<CaseList, Refusal> {
        let position = self.position(use_case)?;
        let most = most.min(CASES_LISTED_MAX);
        self.ask(move |core, _| core.cases(position, state, order, most))
    }

    /// A case by the id of its decision, with all that was found about it, oldest first.
    pub fn case(&self, id: &str) -> Result<(Case, Vec<Found>), Refusal> {
        let (position, event_id) = self.decision_id(id)?;
        self.ask(move |core, log| {
            let case = core.case(position, &event_id)?.clone();
            let found = case.findings.iter().map(|at| read_finding(log, *at));
            let found = found.collect::<Result<_, Refusal>>()?;
            Ok((case, found))
        })?
    }

    /// Puts on record what someone found about a decision: an event of the log, which counts as
    /// the outcome from then on. The same finding again writes nothing; another one supersedes.
    pub fn dispose(&self, id: &str, finding: Finding, reply: Reply<Disposed>) {
        let (use_case, event_id) = match self.decision_id(id) {
            Ok(found) => found,
            Err(refusal) => return reply(Err(refusal)),
        };
        let Some(reply) = self.admit(reply) else {
            return;
        };
        self.send(Command::Dispose {
            use_case,
            event_id,
            finding,
            reply,
        });
    }

    /// How the rules of a use case fare.
    pub fn rules(&self, use_case: &str) -> Result<Vec<RuleStatus>, Refusal> {
        let position = self.position(use_case)?;
        self.ask(move |core, _| {
            RuleStatus::all(&core.plan().use_cases[position], &core.live[position])
        })
    }

    /// Counters and latencies in the Prometheus text format, with what the log says of the rules.
    pub fn metrics_text(&self) -> String {
        for use_case in self.plan.names() {
            // An engine that is closing has counted all that it will.
            if let Ok(rules) = self.rules(use_case) {
                self.metrics.rules(use_case, &rules);
            }
        }
        self.metrics.text()
    }
}

/// The finding at a log position.
fn read_finding(log: &Log, position: u64) -> Result<Found, Refusal> {
    match log.get(position).map(|record| record.body) {
        Ok(Body::Event(event)) => Ok(Found::of(&event, position)),
        Ok(_) => Err(Refusal::Log(format!("position {position} holds no event"))),
        Err(error) => Err(Refusal::Log(error.to_string())),
    }
}
