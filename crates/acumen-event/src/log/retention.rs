//! Trimming the log: whole segments, and only behind a verified snapshot.

use acumen_base::{Span, Time};

use super::{Log, remove_segment, sync_folder};
use crate::error::LogError;
use crate::snapshots::Snapshots;

/// What a trim removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Segment files.
    pub segments: usize,
    /// Records in them.
    pub records: u64,
}

impl Log {
    /// Deletes the segments that lie wholly before a position and before the newest snapshot
    /// that can be read back.
    ///
    /// # Errors
    /// [`LogError::Trim`] where no verified snapshot stands at `position` or behind it.
    pub fn trim_before(
        &mut self,
        position: u64,
        snapshots: &Snapshots,
    ) -> Result<Trimmed, LogError> {
        let refuse = |why: String| LogError::Trim { position, why };
        let latest = snapshots.latest()?;
        match latest.snapshot {
            None => return Err(refuse("there is no snapshot that can be read back".into())),
            Some(snapshot) if snapshot.position < position => {
                return Err(refuse(format!(
                    "the newest snapshot that can be read back stands at position {}",
                    snapshot.position
                )));
            }
            Some(_) => {}
        }
        let mut trimmed = Trimmed::default();
        while let Some(oldest) = self.finished.first()
            && oldest.next <= position
        {
            remove_segment(&self.folder, oldest.first)?;
            trimmed.segments += 1;
            trimmed.records += oldest.next - oldest.first;
            self.finished.remove(0);
        }
        sync_folder(&self.folder)?;
        Ok(trimmed)
    }

    /// The position before which every event became known longer than `retention` before `now`:
    /// what [`Log::trim_before`] may be given.
    pub fn expired_before(&self, retention: Span, now: Time) -> u64 {
        let oldest_kept = now - retention;
        let expired = self
            .finished
            .iter()
            .take_while(|segment| segment.newest_known_at.is_none_or(|at| at < oldest_kept))
            .last();
        expired.map_or(self.first_position(), |segment| segment.next)
    }
}
