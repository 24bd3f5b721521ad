//! Declared sources into the log: each time what is new in them, once.
//!
//! How far a source has been read is a record of the log that stands behind the events that were
//! read, so a crash between leaves events without a mark: they are read again, and known by their
//! ids. ADR 13 says why.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::{Body, Clock, Control, Event, Key, SourceMark};
use acumen_event::{Freshness, LogReader};
use acumen_table::{Environment, Opening, SourceDecl, SourceReader};

use crate::error::EngineError;
use crate::history::Sources;
use crate::import::{Import, ImportProgress, ImportReport, rules};
use crate::offline::{Imported, Offline};
use crate::plan::Plan;
use crate::refusal::Refusal;

/// How sources are read.
#[derive(Clone, Copy)]
pub struct IngestOptions<'a> {
    /// What addresses and credentials are read from.
    pub environment: &'a Environment,
    /// Whether columns may be of another type than last time.
    pub accept_changes: bool,
}

impl Plan {
    /// The declared sources of these names; all of them, where none is named.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where there is no source, or none of a name.
    pub fn named_sources(&self, names: &[String]) -> Result<Vec<&SourceDecl>, EngineError> {
        if self.sources.is_empty() {
            let help = "declare one in `catalogue/sources`, or name files and `--mapping`";
            return Err(EngineError::NotFound(format!(
                "no source is declared: {help}"
            )));
        }
        if names.is_empty() {
            return Ok(self.sources.iter().collect());
        }
        let all = || self.sources.iter().map(|source| source.name.as_str());
        let find = |name: &String| {
            let found = self.sources.iter().find(|source| source.name == *name);
            let unknown = || Refusal::unknown("source", name, all()).to_string();
            found.ok_or_else(|| EngineError::NotFound(unknown()))
        };
        names.iter().map(find).collect()
    }
}

/// How far each source of a log has been read.
pub fn source_marks(sources: &Sources) -> Result<Vec<SourceMark>, EngineError> {
    let mut core = sources.nearest(u64::MAX)?;
    for record in LogReader::open(&sources.folder.log())?.read(core.next) {
        let record = record?;
        if let Body::Control {
            control: control @ Control::Source(_),
            ..
        } = &record.body
        {
            core.control_again(control, record.position);
        }
    }
    let marks = core
        .controls
        .into_iter()
        .filter_map(|(_, control)| match control {
            Control::Source(mark) => Some(*mark),
            _ => None,
        });
    Ok(marks.collect())
}

/// Reads what is new in the named sources (all, where none is named), sorts it by when it became
/// known, and appends it with how far each source has been read.
///
/// A source that cannot be reached, has changed or goes away takes nothing from the others: what
/// was read of it is kept, and the report says what happened.
///
/// # Errors
/// Where there is no such source, or the log cannot be written.
pub fn ingest_sources(
    offline: &mut Offline,
    names: &[String],
    options: IngestOptions<'_>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport, EngineError> {
    let plan = Arc::clone(&offline.sources.plan);
    let mut import = Import::new(&offline.sources.folder)?;
    let mut marks = Vec::new();
    for source in plan.named_sources(names)? {
        let since = offline.core.source_mark(&source.name);
        let opening = Opening {
            root: &plan.root,
            environment: options.environment,
            since,
            types: &plan.types,
            received_at: clock.now(),
            accept_changes: options.accept_changes,
        };
        let mut reader = match SourceReader::open(source, &opening) {
            Ok(reader) => reader,
            Err(problems) => {
                let failed = problems.iter().map(ToString::to_string);
                import.report.failed.extend(failed);
                continue;
            }
        };
        import.rules.extend(rules(&source.events));
        read(&mut reader, source, &mut import, clock, progress)?;
        if since != Some(reader.mark()) {
            marks.push(reader.mark().clone());
        }
    }
    import.refuse_what_is_too_early(offline, clock)?;
    let mut ids = None;
    import.append(clock, progress, &mut |event| {
        take_up(offline, event, &mut ids)
    })?;
    import.quarantine.commit()?;
    for mark in marks {
        offline.control(Control::Source(Box::new(mark)), "ingest", clock.now())?;
    }
    offline.log.commit()?;
    Ok(import.report)
}

fn read(
    reader: &mut SourceReader,
    source: &SourceDecl,
    import: &mut Import,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<(), EngineError> {
    import.report.unmarked += reader.unmarked();
    loop {
        match reader.next_batch() {
            Ok(None) => return Ok(()),
            Ok(Some(batch)) => {
                let (done, total) = (batch.done, batch.total);
                import.take(batch, clock)?;
                let name = source.name.clone().into();
                progress(ImportProgress::Reading(name, done, total));
            }
            Err(error) => import.report.failed.push(error.to_string()),
        }
    }
}

/// What the events of a log say, by their ids.
type Ids = HashMap<Key, u64>;

/// Appends an event of a source. One that was known before the newest of the log is known to us
/// only now: rows that were read since did not know it, and no row of before may.
fn take_up(
    offline: &mut Offline,
    event: &Arc<Event>,
    ids: &mut Option<Ids>,
) -> Result<(Imported, Arc<Event>), EngineError> {
    let newest = offline.core.newest;
    let known = Arc::clone(event);
    match offline.core.seen.check(event) {
        Freshness::Same(_) => return Ok((Imported::Repeated, known)),
        Freshness::Conflict(position) => return Ok((Imported::Conflict(Some(position)), known)),
        Freshness::New => {}
    }
    if event.known_at >= newest {
        offline.append(event)?;
        return Ok((Imported::New, known));
    }
    // Ids this old may have been forgotten: the log has not.
    if event.known_at < newest - offline.core.ids_kept {
        if ids.is_none() {
            *ids = Some(all_ids(offline)?);
        }
        match ids.as_ref().and_then(|ids| ids.get(&event.dedup_key())) {
            Some(body) if *body == event.body_hash() => return Ok((Imported::Repeated, known)),
            Some(_) => return Ok((Imported::Conflict(None), known)),
            None if offline.log.first_position() > 0 => return Ok((Imported::TooOld, known)),
            None => {}
        }
    }
    let late = Arc::new(Event {
        known_at: newest,
        ..Event::clone(event)
    });
    offline.append(&late)?;
    if let Some(ids) = ids {
        ids.insert(late.dedup_key(), late.body_hash());
    }
    Ok((Imported::New, late))
}

fn all_ids(offline: &mut Offline) -> Result<Ids, EngineError> {
    offline.log.flush()?;
    let first = offline.log.first_position();
    let mut ids = Ids::new();
    for record in offline.log.read(first) {
        if let Body::Event(event) = record?.body {
            ids.insert(event.dedup_key(), event.body_hash());
        }
    }
    Ok(ids)
}
