//! Reading the log again: rows as they were, decisions made again, and the proof that they agree.

use std::sync::Arc;

use acumen_base::{Body, Control, Decision, Record};
use acumen_decision::State;
use acumen_event::{LogReader, Snapshots};
use acumen_model::ModelStore;
use serde::Serialize;

use crate::core::{Applied, Core, Undecided};
use crate::error::EngineError;
use crate::folder::Folder;
use crate::plan::Plan;
use crate::snapshot::{self, Changed};

/// What a replay reads from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The compiled project.
    pub plan: Arc<Plan>,
    /// Where model versions lie.
    pub store: Arc<ModelStore>,
    /// Where the log and the snapshots lie.
    pub folder: Folder,
}

/// What making decisions again gave.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Replayed {
    /// Decisions made again.
    pub decisions: u64,
    /// Decisions of which a row or a result differed in any bit.
    pub mismatches: u64,
    /// Decisions that another build made: their differences are reported, not counted.
    pub other_builds: u64,
    /// Decisions whose event is no longer in the log.
    pub unknown: u64,
    /// The first differences, in words.
    pub differences: Vec<String>,
}

/// How many differences are kept in words.
const DIFFERENCES_MAX: usize = 20;

impl Sources {
    /// The state before `position`: the newest snapshot that is not later, or the start of the
    /// log, brought forward.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where the log has been trimmed beyond it.
    pub fn state_before(&self, position: u64) -> Result<Core, EngineError> {
        let mut core = self.nearest(position)?;
        if core.next > position {
            return Err(EngineError::NotFound(format!(
                "position {position} is no longer in the log: what `retention` keeps begins at {}",
                core.next
            )));
        }
        let reader = LogReader::open(&self.folder.log())?;
        for record in reader.read(core.next) {
            let record = record?;
            if record.position >= position {
                break;
            }
            core.apply(&record, false);
        }
        Ok(core)
    }

    /// The newest verified state that is not later than `position`, or else the oldest.
    ///
    /// A snapshot of features that are defined differently since is of no use: they are read
    /// from the log.
    pub fn nearest(&self, position: u64) -> Result<Core, EngineError> {
        let taken = Snapshots::open(&self.folder.snapshots())?
            .latest()?
            .snapshot;
        let usable = taken
            .filter(|taken| taken.position <= position)
            .and_then(|taken| snapshot::load(self.fresh(), &taken, Changed::Refused).ok());
        match usable {
            Some(core) => Ok(core),
            None => self.oldest(),
        }
    }

    /// Where reading would begin to bring the state to `position`: at the newest snapshot that is
    /// not later, or where the log begins.
    pub(crate) fn nearest_position(&self, position: u64) -> Result<u64, EngineError> {
        let snapshots = Snapshots::open(&self.folder.snapshots())?;
        let first = LogReader::open(&self.folder.log())?.first_position()?;
        let known = snapshots.list()?.pop();
        Ok(known.filter(|known| *known <= position).unwrap_or(first))
    }

    /// The state where the log begins: nothing, unless it has been trimmed.
    pub fn oldest(&self) -> Result<Core, EngineError> {
        let first = LogReader::open(&self.folder.log())?.first_position()?;
        if first == 0 {
            return Ok(self.fresh());
        }
        let base = Snapshots::open(&self.folder.base())?.latest()?.snapshot;
        match base.filter(|base| base.position >= first) {
            Some(base) => snapshot::load(self.fresh(), &base, Changed::BeginAnew),
            None => Err(EngineError::NotFound(format!(
                "the log begins at position {first}, and {} holds no state from before it: bring \
                 that folder back from a backup",
                self.folder.base().display()
            ))),
        }
    }

    /// What governs a use case after some edits.
    pub(crate) fn state_after(&self, use_case: usize, edits: &[(u64, Control)]) -> Arc<State> {
        let mut core = self.fresh();
        for (position, control) in edits {
            core.control_again(control, *position);
        }
        Arc::clone(&core.live[use_case].state)
    }

    fn fresh(&self) -> Core {
        Core::new(Arc::clone(&self.plan), Arc::clone(&self.store))
    }

    /// The record at a position.
    pub fn record(&self, position: u64) -> Result<Record, EngineError> {
        let mut records = LogReader::open(&self.folder.log())?.read(position);
        match records.next() {
            Some(record) if record.as_ref().map_or(true, |r| r.position == position) => Ok(record?),
            _ => Err(EngineError::NotFound(format!(
                "position {position} is not in the log"
            ))),
        }
    }
}

/// The row of the event at a position, as it was read there.
pub fn row_at(sources: &Sources, use_case: usize, position: u64) -> Result<Undecided, EngineError> {
    let mut core = sources.state_before(position)?;
    let record = sources.record(position)?;
    let rows = match core.apply(&record, true) {
        Applied::Event(rows) => rows,
        _ => Vec::new(),
    };
    let row = rows
        .into_iter()
        .find(|(i, _)| *i == use_case)
        .map(|(_, row)| row);
    row.ok_or_else(|| EngineError::NotFound(format!("position {position} holds no such event")))
}

/// Makes one decision again from the log and says what differs.
pub fn replay_one(sources: &Sources, decision: &Decision) -> Result<Replayed, EngineError> {
    let use_case = sources.plan.position(&decision.use_case);
    let use_case =
        use_case.ok_or_else(|| EngineError::unknown_use_case(&decision.use_case, &sources.plan))?;
    let undecided = row_at(sources, use_case, decision.position)?;
    let mut replayed = Replayed::default();
    replayed.compare(&sources.plan, use_case, decision, &undecided);
    Ok(replayed)
}

/// Makes every decision of the log again, in one pass.
pub fn replay_all(
    sources: &Sources,
    progress: &mut dyn FnMut(u64),
) -> Result<Replayed, EngineError> {
    let mut core = sources.oldest()?;
    let reader = LogReader::open(&sources.folder.log())?;
    let first = core.next;
    let mut replayed = Replayed::default();
    for record in reader.read(first) {
        let record = record?;
        if let (Applied::Decision(use_case, undecided), Body::Decision(decision)) =
            (core.apply(&record, true), &record.body)
        {
            match undecided {
                Some(undecided) => {
                    replayed.compare(&sources.plan, use_case, decision, &undecided);
                }
                None if decision.position < first => replayed.unknown += 1,
                None => replayed.add(replay_one(sources, decision)?),
            }
        }
        progress(record.position);
    }
    Ok(replayed)
}

impl Replayed {
    fn compare(&mut self, plan: &Plan, use_case: usize, made: &Decision, from: &Undecided) {
        let policy = &plan.use_cases[use_case].policy;
        let again = policy.replay(made, &from.event, &from.row, &from.state);
        let mut differences = acumen_decision::differences(made, &again);
        if !acumen_base::row::same_bits(&made.row, &from.row.values) {
            differences.push("the row read from the log holds other bits".to_owned());
        }
        self.decisions += 1;
        if made.build != crate::BUILD {
            self.other_builds += 1;
        } else if !differences.is_empty() {
            self.mismatches += 1;
        }
        let room = DIFFERENCES_MAX.saturating_sub(self.differences.len());
        let named = differences
            .into_iter()
            .take(room)
            .map(|text| format!("{}: {text}", made.id));
        self.differences.extend(named);
    }

    fn add(&mut self, other: Replayed) {
        self.decisions += other.decisions;
        self.mismatches += other.mismatches;
        self.other_builds += other.other_builds;
        self.unknown += other.unknown;
        self.differences.extend(other.differences);
        self.differences.truncate(DIFFERENCES_MAX);
    }
}
