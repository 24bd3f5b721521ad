//! Files into the log, in the order in which things became known.

mod early;
mod sink;

use std::path::PathBuf;

use acumen_base::{Clock, Diagnostic, Event, SourceMark};
use acumen_event::Rejected;
use acumen_table::{Batch, EventSource, Mapping, RejectedRecord, sorted_by_known_at};

use crate::error::EngineError;
use crate::offline::Offline;

pub(crate) use early::{Rule, rules};
pub(crate) use sink::FolderSink;
pub use sink::{NotTaken, Sink, Taken};

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

/// Reads all files, sorts their events by when they became known, and appends them to the log of a
/// folder. What is malformed goes to quarantine; the good records beside it are taken.
///
/// # Errors
/// As [`import_files_into`], and where an event was known before the newest one of the log.
pub fn import_files(
    offline: &mut Offline,
    files: &[PathBuf],
    mapping: &Mapping,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport, EngineError> {
    let mut sink = FolderSink::open(offline, false)?;
    import_files_into(&mut sink, files, mapping, clock, progress)
}

/// The same, to wherever events go.
///
/// # Errors
/// Where a file or the mapping is wrong, or events cannot be written.
pub fn import_files_into(
    sink: &mut dyn Sink,
    files: &[PathBuf],
    mapping: &Mapping,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport, EngineError> {
    let plan = sink.plan();
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match EventSource::open(file, mapping, &plan.types, clock.now()) {
            Ok(source) => sources.push((file.clone(), source)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(EngineError::Spec(problems));
    }
    let mut import = Import::new(sink);
    import.rules.extend(rules(&mapping.events));
    for (file, mut source) in sources {
        while let Some(batch) = source.next_batch()? {
            let (done, total) = (batch.done, batch.total);
            import.take(batch, clock)?;
            progress(ImportProgress::Reading(file.clone(), done, total));
        }
    }
    import.finish(Vec::new(), clock, progress)
}

/// Events that are taken at once.
const TAKEN_AT_ONCE: usize = 10_000;

/// Records on their way into the log.
pub(crate) struct Import<'a> {
    pub(crate) report: ImportReport,
    pub(crate) sink: &'a mut dyn Sink,
    /// What must not come before what.
    pub(crate) rules: Vec<Rule>,
    events: Vec<Event>,
}

impl<'a> Import<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Import<'a> {
        Import {
            report: ImportReport::default(),
            sink,
            rules: Vec::new(),
            events: Vec::new(),
        }
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

    /// Hands everything over in the order in which it became known, and then how far each source
    /// was read.
    pub(crate) fn finish(
        mut self,
        marks: Vec<SourceMark>,
        clock: &dyn Clock,
        progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<ImportReport, EngineError> {
        self.refuse_what_is_too_early(clock)?;
        let events = sorted_by_known_at(std::mem::take(&mut self.events));
        let (mut done, total) = (0, events.len() as u64);
        for part in events.chunks(TAKEN_AT_ONCE) {
            progress(ImportProgress::Writing(done, total));
            let taken = self.sink.take(part)?;
            self.note(taken, clock)?;
            done += part.len() as u64;
        }
        progress(ImportProgress::Writing(total, total));
        self.sink.finish(marks, clock.now())?;
        Ok(self.report)
    }

    fn note(&mut self, taken: Taken, clock: &dyn Clock) -> Result<(), EngineError> {
        self.report.logged += taken.logged;
        self.report.too_late += taken.too_late;
        self.report.repeated += taken.repeated;
        for NotTaken { event, why, kept } in taken.refused {
            let kind = &event.kind.name;
            let like = format!("{kind} {}", why.code());
            self.count(&why, kind, &like);
            if !kept {
                self.sink.refuse(&why, kind, clock.now())?;
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
        self.count(rejected, source, like);
        self.sink.refuse(rejected, source, clock.now())
    }

    fn count(&mut self, rejected: &Rejected, source: &str, like: &str) {
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
    }
}

/// What a message is about, without the value that is wrong: `order: \`amount\``.
fn about(message: &str) -> &str {
    let parts = message.match_indices(": ").nth(1);
    parts.map_or(message, |(end, _)| &message[..end])
}
