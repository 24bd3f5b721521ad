//! Sources that are read beside the engine: how far, and what was refused of them.

use acumen_base::{Control, SourceMark};
use acumen_event::Rejected;

use super::Engine;
use crate::refusal::Refusal;

impl Engine {
    /// How far each source has been read.
    pub fn sources_read(&self) -> Result<Vec<SourceMark>, Refusal> {
        self.ask(|core, _| core.source_marks().cloned().collect())
    }

    /// Notes how far a declared source has been read, durably: all before that has been taken.
    ///
    /// # Errors
    /// Where no such source is declared.
    pub fn source_read(&self, mark: SourceMark) -> Result<u64, Refusal> {
        let names = self.plan.sources.iter().map(|source| source.name.as_str());
        if names.clone().all(|name| name != mark.source) {
            return Err(Refusal::unknown("source", &mark.source, names));
        }
        self.control_now(Control::Source(Box::new(mark)), "ingest")
    }

    /// Keeps records that were refused before they became events, each with where it came from.
    ///
    /// # Errors
    /// Where they cannot be kept.
    pub fn quarantine(&self, records: &[(Rejected, String)]) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.with_quarantine(|quarantine| {
            for (rejected, source) in records {
                self.metrics.refused(rejected.code());
                quarantine.put(rejected, source, now)?;
            }
            quarantine.commit()
        })
    }
}
