//! Why a decision is what it is, with all that its record, its models and the log tell.
//!
//! ```text
//! record ──▶ explanation: layers, rules, attributions that add up
//!        ├─▶ what would have changed it
//!        ├─▶ the features that moved it: value, age, source
//!        ├─▶ the neighbours that raised it
//!        └─▶ what the person concerned is told: no number, no threshold
//! ```
//!
//! Ages and neighbours stand in no record. They are read from the state as it was, which the log
//! gives back; where that would take too long, the answer says so.

mod levers;
mod neighbours;
mod person;
mod sources;

use std::sync::Arc;

use acumen_base::{Decision, Event};
use acumen_decision::{Explanation, State, WhatIf};
use serde::Serialize;

use crate::core::Core;
use crate::error::EngineError;
use crate::history::Sources;

pub use neighbours::{NeighbourLine, NeighbourhoodLine};
pub use person::Told;
pub use sources::{FeatureLine, Source};

/// How many records may be read again to see the state that a decision was made on.
pub const REPLAYED_MAX: u64 = 1_000_000;

/// Why a decision is what it is.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// From its record alone.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The smallest change of what a person can change that would have led to a milder action.
    pub what_if: WhatIf,
    /// Every column that moved the score, weightiest first, with where it comes from.
    pub features: Vec<FeatureLine>,
    /// The neighbours from which columns that raised the score were gathered.
    pub neighbourhoods: Vec<NeighbourhoodLine>,
    /// What is missing of ages and neighbours, and why; empty where nothing is.
    pub missing: String,
    /// What the person concerned is told, weightiest first.
    pub told: Vec<Told>,
}

/// How much of the log may be read for an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// As many records as it takes.
    Any,
    /// At most so many.
    AtMost(u64),
}

/// Explains a decision on an event under the state that governed it.
///
/// # Errors
/// Where the log can no longer be read.
pub fn why(
    sources: &Sources,
    use_case: usize,
    decision: &Decision,
    (event, state): (&Event, &State),
    reread: Reread,
) -> Result<Why, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let explanation = plan.policy.explain(decision, event, state);
    let levers = levers::levers(sources, use_case, decision);
    let what_if = plan.policy.what_if(decision, event, state, &levers);
    let mut found = Why {
        features: sources::features(plan, &explanation),
        told: person::told(plan, decision),
        explanation,
        what_if,
        neighbourhoods: Vec::new(),
        missing: String::new(),
    };
    match state_before(sources, decision.position, reread) {
        Ok(core) => found.read_from(sources, use_case, decision, core)?,
        Err(why) => found.missing = format!("ages and neighbours are not shown: {why}"),
    }
    Ok(found)
}

impl Why {
    /// Adds what the state as it was tells.
    fn read_from(
        &mut self,
        sources: &Sources,
        use_case: usize,
        decision: &Decision,
        mut core: Core,
    ) -> Result<(), EngineError> {
        let plan = Arc::clone(&sources.plan);
        let plan = &plan.use_cases[use_case];
        let record = sources.record(decision.position)?;
        let acumen_base::Body::Event(event) = &record.body else {
            return Ok(());
        };
        let event = match sources.plan.event_type(&event.kind.name) {
            Some(kind) => crate::core::as_declared(event, kind),
            None => Arc::clone(event),
        };
        let before = sources::read(plan, &mut core, use_case, &event);
        let raised = neighbours::raised(&self.features);
        let (pipeline, view) = core.features(use_case);
        let reached = pipeline.neighbourhoods(view, &event, decision.position);
        self.neighbourhoods = neighbours::lines(sources, plan, reached, &raised)?;
        core.apply(&record, false);
        let after = sources::read(plan, &mut core, use_case, &event);
        sources::date(&mut self.features, plan, decision, (&before, &after));
        Ok(())
    }
}

/// The state before a position, or why it is not read.
fn state_before(sources: &Sources, position: u64, reread: Reread) -> Result<Core, String> {
    if let Reread::AtMost(most) = reread {
        let begin = sources
            .nearest_position(position)
            .map_err(|error| error.to_string())?;
        let records = position.saturating_sub(begin);
        if records > most {
            return Err(format!(
                "{records} records lie between the decision and the newest snapshot before it, and \
                 at most {most} are read beside a running server: `acumen explain` reads them all"
            ));
        }
    }
    sources
        .state_before(position)
        .map_err(|error| error.to_string())
}
