//! Files into the log, in the order in which things became known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::{Clock, Diagnostic, Event};
use acumen_event::{Quarantine, Rejected};
use acumen_table::{EventSource, Mapping, RejectedRecord, sorted_by_known_at};

use crate::error::EngineError;
use crate::offline::{Imported, Offline};

/// Bytes of refused records that are kept.
pub(crate) const QUARANTINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What became of the records of some files.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct ImportReport {
    /// New events in the log.
    pub logged: u64,
    /// Events that were there already, with the same body.
    pub repeated: u64,
    /// Records that were refused: they are in quarantine.
    pub refused: u64,
    /// The first refusals, in words.
    pub problems: Vec<String>,
}

/// Refusals that are kept in words.
const PROBLEMS_MAX: usize = 20;

/// Where an import stands, for a progress bar.
#[derive(Clone, Debug)]
pub enum ImportProgress {
    /// Reading a file: so much of so much.
    Reading(PathBuf, u64, Option<u64>),
    /// Writing the log: so many events of so many.
    Writing(u64, u64),
}

/// Reads all files, sorts their events by when they became known, and appends them. What is
/// malformed goes to quarantine; the good records beside it are taken.
pub fn import_files(
    offline: &mut Offline,
    files: &[PathBuf],
    mapping: &Mapping,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport, EngineError> {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match EventSource::open(file, mapping, &offline.sources.plan.types, clock.now()) {
            Ok(source) => sources.push((file.clone(), source)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(EngineError::Spec(problems));
    }
    let folder = offline.sources.folder.quarantine();
    let mut import = Import {
        report: ImportReport::default(),
        quarantine: Quarantine::open(&folder, QUARANTINE_BYTES_MAX)?,
    };
    let mut events = Vec::new();
    for (file, mut source) in sources {
        import.read(&file, &mut source, clock, &mut events, progress)?;
    }
    let events = sorted_by_known_at(events);
    let total = events.len() as u64;
    for (done, event) in events.iter().enumerate() {
        import.append(offline, event, clock)?;
        if done % 10_000 == 0 {
            progress(ImportProgress::Writing(done as u64, total));
        }
    }
    offline.log.commit()?;
    import.quarantine.commit()?;
    progress(ImportProgress::Writing(total, total));
    Ok(import.report)
}

struct Import {
    report: ImportReport,
    quarantine: Quarantine,
}

impl Import {
    fn read(
        &mut self,
        file: &Path,
        source: &mut EventSource,
        clock: &dyn Clock,
        events: &mut Vec<Event>,
        progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<(), EngineError> {
        while let Some(batch) = source.next_batch()? {
            events.extend(batch.events);
            for record in &batch.rejected {
                self.refuse_record(record, clock)?;
            }
            progress(ImportProgress::Reading(
                file.to_owned(),
                batch.done,
                batch.total,
            ));
        }
        Ok(())
    }

    fn append(
        &mut self,
        offline: &mut Offline,
        event: &Arc<Event>,
        clock: &dyn Clock,
    ) -> Result<(), EngineError> {
        match offline.import(event)? {
            Imported::New => self.report.logged += 1,
            Imported::Repeated => self.report.repeated += 1,
            Imported::Conflict(position) => {
                let message = format!(
                    "`{}` is already in the log with another body (at position {position})",
                    event.id
                );
                let help = "give a new event a new id";
                let original = event.id.as_bytes();
                let rejected = Rejected::because("conflict", None, message, help, original);
                self.refuse(&rejected, &event.kind.name, clock)?;
            }
        }
        Ok(())
    }

    fn refuse_record(
        &mut self,
        record: &RejectedRecord,
        clock: &dyn Clock,
    ) -> Result<(), EngineError> {
        let original = record.original.as_bytes();
        let (message, help) = (record.message.as_str(), record.help.as_str());
        let rejected = Rejected::because("record", None, message, help, original);
        let place = Diagnostic {
            place: record.place.clone(),
            ..Diagnostic::new("", "", "")
        };
        self.refuse(&rejected, place.to_string().trim(), clock)
    }

    fn refuse(
        &mut self,
        rejected: &Rejected,
        source: &str,
        clock: &dyn Clock,
    ) -> Result<(), EngineError> {
        self.report.refused += 1;
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(format!("{source} {rejected}"));
        }
        self.quarantine.put(rejected, source, clock.now())?;
        Ok(())
    }
}
