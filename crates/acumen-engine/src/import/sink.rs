//! Where what is taken in goes to: a data folder that this process holds, or a server that does.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::{Body, Control, Event, Key, SourceMark, Time};
use acumen_event::{Freshness, Quarantine, Rejected};

use super::QUARANTINE_BYTES_MAX;
use crate::error::EngineError;
use crate::offline::{Imported, Offline};
use crate::plan::Plan;

/// Where events, refused records and the marks of sources go to.
pub trait Sink {
    /// What they are checked against.
    fn plan(&self) -> Arc<Plan>;

    /// How far a source was read.
    fn mark(&self, source: &str) -> Option<SourceMark>;

    /// Shows the events of a type that are there already.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn known(&mut self, kind: &str, see: &mut dyn FnMut(&Event)) -> Result<(), EngineError>;

    /// Takes events that stand in the order in which they became known.
    ///
    /// # Errors
    /// Where none of them, or not all, could be taken; all may be given again.
    fn take(&mut self, events: &[Arc<Event>]) -> Result<Taken, EngineError>;

    /// Keeps a refused record.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn refuse(&mut self, rejected: &Rejected, source: &str, at: Time) -> Result<(), EngineError>;

    /// Makes durable what was given, and then notes how far sources were read.
    ///
    /// # Errors
    /// Where it is not durable.
    fn finish(&mut self, marks: Vec<SourceMark>, at: Time) -> Result<(), EngineError>;
}

/// What became of some events.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// New ones.
    pub logged: u64,
    /// Those among them that came later than their type allows.
    pub too_late: u64,
    /// Those that were there already, with the same body.
    pub repeated: u64,
    /// Those that were not taken.
    pub refused: Vec<NotTaken>,
}

/// An event that was not taken.
#[derive(Clone, Debug)]
pub struct NotTaken {
    /// The event.
    pub event: Arc<Event>,
    /// Why, and what to do.
    pub why: Rejected,
    /// Whether it is in quarantine already.
    pub kept: bool,
}

impl NotTaken {
    /// One whose id stands for another event.
    pub fn conflict(event: &Arc<Event>, position: Option<u64>) -> NotTaken {
        let at = position.map(|position| format!(" (at position {position})"));
        let at = at.unwrap_or_default();
        let why = format!("is already in the log with another body{at}");
        let help = "give a new event a new id: what changes needs what it changed at in it";
        NotTaken::because(event, "conflict", &why, help)
    }

    fn too_old(event: &Arc<Event>) -> NotTaken {
        let why = "is older than what is left of the log";
        let help = "whether it was there cannot be told: it is not taken";
        NotTaken::because(event, "too_old", why, help)
    }

    fn because(event: &Arc<Event>, code: &str, why: &str, help: &str) -> NotTaken {
        let message = format!("`{}` {why}", event.id);
        NotTaken {
            why: Rejected::because(code, None, message, help, event.id.as_bytes()),
            event: Arc::clone(event),
            kept: false,
        }
    }
}

/// What the events of a log say, by their ids.
type Ids = HashMap<Key, u64>;

/// A data folder.
pub(crate) struct FolderSink<'a> {
    offline: &'a mut Offline,
    quarantine: Quarantine,
    /// Whether an event may be taken as known only now that was known before the newest one.
    late: bool,
    ids: Option<Ids>,
}

impl<'a> FolderSink<'a> {
    pub(crate) fn open(offline: &'a mut Offline, late: bool) -> Result<Self, EngineError> {
        let folder = offline.sources.folder.quarantine();
        Ok(FolderSink {
            quarantine: Quarantine::open(&folder, QUARANTINE_BYTES_MAX)?,
            offline,
            late,
            ids: None,
        })
    }

    /// Appends an event of a source. One that was known before the newest of the log is known to us
    /// only now: rows that were read since did not know it, and no row of before may.
    fn take_up(&mut self, event: &Arc<Event>) -> Result<(Imported, Arc<Event>), EngineError> {
        let newest = self.offline.core.newest;
        let known = Arc::clone(event);
        match self.offline.core.seen.check(event) {
            Freshness::Same(_) => return Ok((Imported::Repeated, known)),
            Freshness::Conflict(position) => {
                return Ok((Imported::Conflict(Some(position)), known));
            }
            Freshness::New => {}
        }
        if event.known_at >= newest {
            self.offline.append(event)?;
            return Ok((Imported::New, known));
        }
        // Ids this old may have been forgotten: the log has not.
        if event.known_at < newest - self.offline.core.ids_kept {
            if self.ids.is_none() {
                self.ids = Some(all_ids(self.offline)?);
            }
            let ids = self.ids.as_ref();
            match ids.and_then(|ids| ids.get(&event.dedup_key())) {
                Some(body) if *body == event.body_hash() => return Ok((Imported::Repeated, known)),
                Some(_) => return Ok((Imported::Conflict(None), known)),
                None if self.offline.log.first_position() > 0 => {
                    return Ok((Imported::TooOld, known));
                }
                None => {}
            }
        }
        let late = Arc::new(Event {
            known_at: newest,
            ..Event::clone(event)
        });
        self.offline.append(&late)?;
        if let Some(ids) = &mut self.ids {
            ids.insert(late.dedup_key(), late.body_hash());
        }
        Ok((Imported::New, late))
    }
}

fn all_ids(offline: &mut Offline) -> Result<Ids, EngineError> {
    let mut ids = Ids::new();
    each_event(offline, &mut |event| {
        ids.insert(event.dedup_key(), event.body_hash());
    })?;
    Ok(ids)
}

fn each_event(offline: &mut Offline, see: &mut dyn FnMut(&Event)) -> Result<(), EngineError> {
    offline.log.flush()?;
    for record in offline.log.read(offline.log.first_position()) {
        if let Body::Event(event) = record?.body {
            see(&event);
        }
    }
    Ok(())
}

impl Sink for FolderSink<'_> {
    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.offline.sources.plan)
    }

    fn mark(&self, source: &str) -> Option<SourceMark> {
        self.offline.core.source_mark(source).cloned()
    }

    fn known(&mut self, kind: &str, see: &mut dyn FnMut(&Event)) -> Result<(), EngineError> {
        each_event(self.offline, &mut |event| {
            if event.kind.name == kind {
                see(event);
            }
        })
    }

    fn take(&mut self, events: &[Arc<Event>]) -> Result<Taken, EngineError> {
        let mut taken = Taken::default();
        for event in events {
            let (imported, event) = match self.late {
                true => self.take_up(event)?,
                false => (self.offline.import(event)?, Arc::clone(event)),
            };
            match imported {
                Imported::New => {
                    taken.logged += 1;
                    taken.too_late += u64::from(event.is_too_late());
                }
                Imported::Repeated => taken.repeated += 1,
                Imported::Conflict(at) => taken.refused.push(NotTaken::conflict(&event, at)),
                Imported::TooOld => taken.refused.push(NotTaken::too_old(&event)),
            }
        }
        Ok(taken)
    }

    fn refuse(&mut self, rejected: &Rejected, source: &str, at: Time) -> Result<(), EngineError> {
        self.quarantine.put(rejected, source, at)?;
        Ok(())
    }

    fn finish(&mut self, marks: Vec<SourceMark>, at: Time) -> Result<(), EngineError> {
        self.quarantine.commit()?;
        for mark in marks {
            let control = Control::Source(Box::new(mark));
            self.offline.control(control, "ingest", at)?;
        }
        self.offline.log.commit()?;
        Ok(())
    }
}
