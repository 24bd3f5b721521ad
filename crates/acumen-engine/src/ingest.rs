//! Declared sources into the log: each time what is new in them, once.
//!
//! How far a source has been read is a record of the log that stands behind the events that were
//! read, so a crash between leaves events without a mark: they are read again, and known by their
//! ids. ADR 13 says why.

use acumen_base::{Body, Clock, Control, SourceMark};
use acumen_event::LogReader;
use acumen_table::{Environment, Opening, SourceDecl, SourceReader};

use crate::error::EngineError;
use crate::history::Sources;
use crate::import::{FolderSink, Import, ImportProgress, ImportReport, Sink, rules};
use crate::offline::Offline;
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
    Ok(core.source_marks().cloned().collect())
}

/// Reads what is new in the named sources (all, where none is named), sorts it by when it became
/// known, and appends it to the log of a folder with how far each source has been read.
///
/// # Errors
/// As [`ingest_sources_into`].
pub fn ingest_sources(
    offline: &mut Offline,
    names: &[String],
    options: IngestOptions<'_>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport, EngineError> {
    let mut sink = FolderSink::open(offline, true)?;
    ingest_sources_into(&mut sink, names, options, clock, progress)
}

/// The same, to wherever events go.
///
/// A source that cannot be reached, has changed or goes away takes nothing from the others: what
/// was read of it is kept, and the report says what happened.
///
/// # Errors
/// Where there is no such source, or the log cannot be written.
pub fn ingest_sources_into(
    sink: &mut dyn Sink,
    names: &[String],
    options: IngestOptions<'_>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport, EngineError> {
    let plan = sink.plan();
    let mut import = Import::new(sink);
    let mut marks = Vec::new();
    for source in plan.named_sources(names)? {
        let since = import.sink.mark(&source.name);
        let opening = Opening {
            root: &plan.root,
            environment: options.environment,
            since: since.as_ref(),
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
        if since.as_ref() != Some(reader.mark()) {
            marks.push(reader.mark().clone());
        }
    }
    import.finish(marks, clock, progress)
}

fn read(
    reader: &mut SourceReader,
    source: &SourceDecl,
    import: &mut Import<'_>,
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
