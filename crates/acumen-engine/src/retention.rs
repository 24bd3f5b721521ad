//! How long the log is kept, and the state that stands in for what is trimmed.
//!
//! Whole segments are trimmed, behind a verified snapshot of the state at that very place: the
//! base. Rows of the records that are kept are then read as if nothing had been trimmed.

use acumen_base::{Span, Time};
use acumen_event::{Log, Snapshots};

use crate::error::EngineError;
use crate::history::Sources;
use crate::plan::Plan;
use crate::snapshot;

/// Bases that are kept.
const BASES_KEPT: usize = 2;

/// How long the log is kept: as long as the use case that keeps it longest; `None` is for ever.
pub(crate) fn retention(plan: &Plan) -> Option<Span> {
    let declared = plan.use_cases.iter().map(|plan| plan.declared.retention);
    let all: Option<Vec<Span>> = declared.collect();
    all?.into_iter().max()
}

/// Up to where the log may be trimmed, when there is something to trim.
pub(crate) fn boundary(log: &Log, plan: &Plan, newest: Time) -> Option<u64> {
    let position = log.expired_before(retention(plan)?, newest);
    (position > log.first_position()).then_some(position)
}

/// Writes the state before `boundary` as the new base.
pub(crate) fn write_base(sources: &Sources, boundary: u64) -> Result<Snapshots, EngineError> {
    let core = sources.state_before(boundary)?;
    let bases = Snapshots::open(&sources.folder.base())?;
    bases.write(
        boundary,
        &snapshot::save(&core),
        snapshot::fingerprint(&core),
    )?;
    bases.prune(BASES_KEPT)?;
    Ok(bases)
}

/// Trims what is older than the declared retention.
pub(crate) fn trim(sources: &Sources, log: &mut Log, newest: Time) -> Result<(), EngineError> {
    if let Some(boundary) = boundary(log, &sources.plan, newest) {
        let bases = write_base(sources, boundary)?;
        log.trim_before(boundary, &bases)?;
    }
    Ok(())
}
