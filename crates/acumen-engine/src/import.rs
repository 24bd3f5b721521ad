//! Files into the log, in the order in which things became known.

mod early;

use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::{Clock, Diagnostic, Event};
use acumen_event::{Quarantine, Rejected};
use acumen_table::{Batch, EventSource, Mapping, RejectedRecord, sorted_by_known_at};

use crate::error::EngineError;
use crate::folder::Folder;
use crate::offline::{Imported, Offline};

pub(crate) use early::{Rule, rules};

/// Bytes of refused records that are kept.
pub(crate) const QUARANTINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What became of the records of some files or sources.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct ImportReport {
    /// New events in the log.
    pub logged: u64,
    /// Events that were there already, with the same body.
    pub repeated: u64,
    /// Events among the new ones that came later than their type allows: they are in the log, and
    /// no feature counts them.
    pub too_late: u64,
    /// Records that were refused: they are in quarantine.
    pub refused: u64,
    /// Records of guests, without the id that the mapping names: left out.
    pub guests: u64,
    /// Records of which no condition of the mapping holds: left out.
    pub unmatched: u64,
    /// Rows of tables without a value in the watermark column: they were not read.
    pub unmarked: u64,
    /// What was refused and why: the first record of each kind in words, and how many there are.
    pub problems: Vec<Refused>,
    /// Sources that could not be read, or not to their end; what was read of them is in.
    pub failed: Vec<String>,
}

/// Records that were refused for one reason.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Refused {
    /// How many.
    pub records: u64,
    /// The first of them, in words.
    pub first: String,
    #[serde(skip)]
    like: String,
}

/// Reasons of refusals that are told apart.
const PROBLEMS_MAX: usize = 20;

/// Where an import stands, for a progress bar.
#[derive(Clone, Debug)]
pub enum ImportProgress {
    /// Reading a file or source: so much of so much.
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
    let mut import = Import::new(&offline.sources.folder)?;
    import.rules.extend(rules(&mapping.events));
    for (file, mut source) in sources {
        while let Some(batch) = source.next_batch()? {
            let (done, total) = (batch.done, batch.total);
            import.take(batch, clock)?;
            progress(ImportProgress::Reading(file.clone(), done, total));
        }
    }
    import.refuse_what_is_too_early(offline, clock)?;
    import.append(clock, progress, &mut |event| {
        offline
            .import(event)
            .map(|imported| (imported, Arc::clone(event)))
    })?;
    import.quarantine.commit()?;
    offline.log.commit()?;
    Ok(import.report)
}

/// Appends an event: what became of it, and the event as it stands in the log.
pub(crate) type Append<'a> =
    dyn FnMut(&Arc<Event>) -> Result<(Imported, Arc<Event>), EngineError> + 'a;

/// Records on their way into the log.
pub(crate) struct Import {
    pub(crate) report: ImportReport,
    pub(crate) quarantine: Quarantine,
    /// What must not come before what.
    pub(crate) rules: Vec<Rule>,
    events: Vec<Event>,
}

impl Import {
    pub(crate) fn new(folder: &Folder) -> Result<Import, EngineError> {
        Ok(Import {
            report: ImportReport::default(),
            quarantine: Quarantine::open(&folder.quarantine(), QUARANTINE_BYTES_MAX)?,
            rules: Vec::new(),
            events: Vec::new(),
        })
    }

    /// Takes what was read over, and puts what was refused into quarantine.
    pub(crate) fn take(&mut self, batch: Batch, clock: &dyn Clock) -> Result<(), EngineError> {
        self.report.guests += batch.guests;
        self.report.unmatched += batch.unmatched;
        self.events.extend(batch.events);
        for record in &batch.rejected {
            self.refuse_record(record, clock)?;
        }
        Ok(())
    }

    /// Appends everything in the order in which it became known.
    pub(crate) fn append(
        &mut self,
        clock: &dyn Clock,
        progress: &mut dyn FnMut(ImportProgress),
        append: &mut Append<'_>,
    ) -> Result<(), EngineError> {
        let events = sorted_by_known_at(std::mem::take(&mut self.events));
        let total = events.len() as u64;
        for (done, event) in events.iter().enumerate() {
            let (imported, event) = append(event)?;
            self.note(imported, &event, clock)?;
            if done % 10_000 == 0 {
                progress(ImportProgress::Writing(done as u64, total));
            }
        }
        progress(ImportProgress::Writing(total, total));
        Ok(())
    }

    fn note(
        &mut self,
        imported: Imported,
        event: &Event,
        clock: &dyn Clock,
    ) -> Result<(), EngineError> {
        let (code, why, help) = match imported {
            Imported::New => {
                self.report.logged += 1;
                self.report.too_late += u64::from(event.is_too_late());
                return Ok(());
            }
            Imported::Repeated => {
                self.report.repeated += 1;
                return Ok(());
            }
            Imported::Conflict(position) => {
                let at = position.map(|position| format!(" (at position {position})"));
                let at = at.unwrap_or_default();
                let why = format!("is already in the log with another body{at}");
                let help = "give a new event a new id: what changes needs what it changed at in it";
                ("conflict", why, help)
            }
            Imported::TooOld => {
                let why = "is older than what is left of the log".to_owned();
                (
                    "too_old",
                    why,
                    "whether it was there cannot be told: it is not taken",
                )
            }
        };
        let message = format!("`{}` {why}", event.id);
        let rejected = Rejected::because(code, None, message, help, event.id.as_bytes());
        self.refuse(
            &rejected,
            &event.kind.name,
            &format!("{} {code}", event.kind.name),
            clock,
        )
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
        let like = format!("{} {} {help}", record.place.file, about(message));
        self.refuse(&rejected, place.to_string().trim(), &like, clock)
    }

    fn refuse(
        &mut self,
        rejected: &Rejected,
        source: &str,
        like: &str,
        clock: &dyn Clock,
    ) -> Result<(), EngineError> {
        self.report.refused += 1;
        let problems = &mut self.report.problems;
        match problems.iter().position(|known| known.like == like) {
            Some(known) => problems[known].records += 1,
            None if problems.len() < PROBLEMS_MAX => problems.push(Refused {
                records: 1,
                first: format!("{source} {rejected}"),
                like: like.to_owned(),
            }),
            None => {}
        }
        self.quarantine.put(rejected, source, clock.now())?;
        Ok(())
    }
}

/// What a message is about, without the value that is wrong: `order: \`amount\``.
fn about(message: &str) -> &str {
    let parts = message.match_indices(": ").nth(1);
    parts.map_or(message, |(end, _)| &message[..end])
}
