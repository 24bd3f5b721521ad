//! A data folder opened without threads: for imports, training and reports.

use std::sync::Arc;

use acumen_base::{Body, Control, Event, Time};
use acumen_event::{Freshness, Log, LogOptions, LogReader, Recovery, Snapshots};
use acumen_model::ModelStore;

use crate::cases::Finding;
use crate::core::Core;
use crate::engine::Disposed;
use crate::error::EngineError;
use crate::folder::Folder;
use crate::history::Sources;
use crate::plan::Plan;
use crate::retention;
use crate::snapshot;
use crate::updates::previous;

/// Snapshots that are kept.
const SNAPSHOTS_KEPT: usize = 2;

/// Events between two commits of an import.
const COMMIT_EVERY: u64 = 50_000;

/// A data folder with its state, held by this process alone.
pub struct Offline {
    /// What replays read from.
    pub sources: Sources,
    /// The state.
    pub core: Core,
    /// The log.
    pub log: Log,
    /// What opening the log found and did.
    pub recovery: Recovery,
    appended: u64,
}

/// What became of an imported event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is new.
    New,
    /// It was there already, with the same body.
    Repeated,
    /// Another body is there under its id, at this position where it is at hand.
    Conflict(Option<u64>),
    /// Its id is older than what is left of the log: whether it was there cannot be told.
    TooOld,
}

impl Offline {
    /// Opens a data folder, creating what is not there, and brings the state up to its log.
    pub fn open(
        plan: Arc<Plan>,
        folder: Folder,
        options: LogOptions,
    ) -> Result<Offline, EngineError> {
        let (mut log, recovery) = Log::open(&folder.log(), options)?;
        for kind in &plan.types {
            log.register(kind)?;
        }
        let store = Arc::new(ModelStore::open(&folder.models())?);
        let sources = Sources {
            plan,
            store,
            folder,
        };
        log.flush()?;
        let mut core = sources.nearest(log.next_position())?;
        for record in LogReader::open(&sources.folder.log())?.read(core.next) {
            core.apply(&record?, true);
        }
        Ok(Offline {
            sources,
            core,
            log,
            recovery,
            appended: 0,
        })
    }

    /// Appends an event that is known since `event.known_at`.
    ///
    /// History comes before what is newer: an event that was known before the newest one in the
    /// log is refused, because rows that have been read since would have had to know it.
    pub fn import(&mut self, event: &Arc<Event>) -> Result<Imported, EngineError> {
        match self.core.seen.check(event) {
            Freshness::Same(_) => return Ok(Imported::Repeated),
            Freshness::Conflict(position) => return Ok(Imported::Conflict(Some(position))),
            Freshness::New => {}
        }
        if event.known_at < self.core.newest {
            return Err(EngineError::NotEnough(format!(
                "`{}` was known at {}, before the newest event in the log ({}): import all files \
                 of one history in one command, and history before going live",
                event.id, event.known_at, self.core.newest
            )));
        }
        self.append(event)?;
        Ok(Imported::New)
    }

    /// Appends an event that is new.
    pub(crate) fn append(&mut self, event: &Arc<Event>) -> Result<(), EngineError> {
        let position = self.log.append(&Body::Event(Arc::clone(event)))?;
        self.core.event(event, position, false);
        self.appended += 1;
        if self.appended.is_multiple_of(COMMIT_EVERY) {
            self.log.commit()?;
        }
        Ok(())
    }

    /// Puts on record what someone found about a decision, durably.
    pub fn dispose(
        &mut self,
        use_case: usize,
        event_id: &str,
        finding: &Finding,
        at: Time,
    ) -> Result<Disposed, EngineError> {
        let event = match self.core.finding(use_case, event_id, finding, at)? {
            Ok(event) => Arc::new(event),
            Err(position) => {
                return Ok(Disposed {
                    position,
                    repeated: true,
                });
            }
        };
        let position = self.log.append(&Body::Event(Arc::clone(&event)))?;
        self.core.event(&event, position, false);
        self.log.commit()?;
        Ok(Disposed {
            position,
            repeated: false,
        })
    }

    /// Applies an edit, durably.
    pub fn control(&mut self, control: Control, by: &str, at: Time) -> Result<u64, EngineError> {
        let deployed = self.core.check(&control)?;
        let position = self.log.append(&Body::Control {
            control: control.clone(),
            by: by.to_owned(),
            at,
        })?;
        self.core.edit(control, position, deployed.as_ref());
        self.log.commit()?;
        Ok(position)
    }

    /// Puts what was live before the last change of models and thresholds back, durably and all
    /// of it together; gives the edits that were made.
    ///
    /// # Errors
    /// Where nothing was deployed before.
    pub fn roll_back(
        &mut self,
        use_case: usize,
        by: &str,
        at: Time,
    ) -> Result<Vec<Control>, EngineError> {
        let plan = &self.sources.plan.use_cases[use_case];
        let edits = previous(plan, &self.core.controls).map_err(EngineError::NotFound)?;
        for edit in edits.iter().cloned() {
            self.control(edit, &format!("roll back by {by}"), at)?;
        }
        Ok(edits)
    }

    /// Makes everything durable, writes a snapshot, and trims what is older than the declared
    /// retention.
    pub fn close(mut self) -> Result<(), EngineError> {
        self.log.commit()?;
        write_snapshot(&self.sources, &self.core)?;
        retention::trim(&self.sources, &mut self.log, self.core.newest)
    }
}

/// Writes a snapshot of the state and drops the oldest.
pub(crate) fn write_snapshot(sources: &Sources, core: &Core) -> Result<(), EngineError> {
    if core.next == 0 {
        return Ok(());
    }
    let snapshots = Snapshots::open(&sources.folder.snapshots())?;
    snapshots.write(
        core.next,
        &snapshot::save(core),
        snapshot::fingerprint(core),
    )?;
    snapshots.prune(SNAPSHOTS_KEPT)?;
    Ok(())
}
