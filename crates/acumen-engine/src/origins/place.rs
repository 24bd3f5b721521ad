//! The state at the place of one origin.

use std::sync::Arc;

use acumen_base::{Body, Time};
use acumen_event::LogReader;
use acumen_feature::Pipeline;

use super::Each;
use crate::error::EngineError;
use crate::history::Sources;

/// The features of a use case as an origin finds them.
pub(crate) struct Standing {
    /// The date.
    pub(crate) at: Time,
    /// Its place in the log.
    pub(crate) position: u64,
    /// The state there.
    pub(crate) pipeline: Pipeline,
    /// Which view of it the rows are.
    pub(crate) view: usize,
    /// Every key that was known there, in the order in which they came.
    pub(crate) ids: Vec<Arc<str>>,
}

/// Brings the state to the place of an origin: at `position` where it is known already.
pub(crate) fn standing_at(
    sources: &Sources,
    use_case: usize,
    at: Time,
    position: Option<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<Standing, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    Each::of(plan)?;
    let mut core = sources.nearest(position.unwrap_or(u64::MAX))?;
    if core.newest > at {
        core = sources.oldest()?;
    }
    if core.newest > at {
        return Err(EngineError::NotFound(format!(
            "{at} lies before what `retention` keeps of the log: name a date after {}",
            core.newest
        )));
    }
    for record in LogReader::open(&sources.folder.log())?.read(core.next) {
        let record = record?;
        let later = matches!(&record.body, Body::Event(event) if event.known_at > at);
        if later || position.is_some_and(|position| record.position >= position) {
            break;
        }
        progress(record.position);
        core.apply(&record, false);
    }
    let position = core.next;
    let pipeline = core.pipelines.swap_remove(plan.shared);
    Ok(Standing {
        at,
        position,
        ids: pipeline.ids(plan.view).cloned().collect(),
        view: plan.view,
        pipeline,
    })
}
