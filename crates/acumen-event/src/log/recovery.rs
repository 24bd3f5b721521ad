//! What opening a log does: lock, check, cut the torn end off, and say so.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::{LogOptions, list_segments, remove_segment, segment_path, sync_folder};
use crate::error::LogError;
use crate::schema::Schemas;
use crate::summary::{Scan, Summary};

/// What opening a log found and did.
#[derive(Debug, Default)]
pub struct Recovery {
    /// Records of the log, those in salvaged damage included.
    pub records: u64,
    /// Segment files.
    pub segments: usize,
    /// Bytes of a half-written end that were cut off; none of them was acknowledged.
    pub torn_bytes: u64,
    /// What was done, in words, one sentence each; empty where all was well.
    pub notes: Vec<String>,
    /// What is damaged and was skipped (salvage mode only).
    pub damage: Vec<LogError>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records in {} segments", self.records, self.segments)?;
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        for damage in &self.damage {
            write!(f, "\n  skipped: {damage}")?;
        }
        Ok(())
    }
}

/// A log as it was found.
pub(super) struct Found {
    pub(super) finished: Vec<Summary>,
    pub(super) active: Summary,
    pub(super) schemas: Schemas,
    pub(super) report: Recovery,
}

/// One process's hold on a folder.
#[derive(Debug)]
pub(super) struct FolderLock(File);

impl Drop for FolderLock {
    /// Closing the file is not enough: a child that is just being started may share it.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Locks a folder, creating it if need be.
pub(super) fn lock(folder: &Path) -> Result<FolderLock, LogError> {
    let open = |source| LogError::Open {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(open)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options.open(folder.join("lock")).map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(open(source)),
    }
}

/// Reads what is known of every segment, and checks the last one through.
pub(super) fn recover(folder: &Path, options: LogOptions) -> Result<Found, LogError> {
    let mut report = Recovery::default();
    let mut segments = Vec::new();
    let firsts = list_segments(folder)?;
    for (index, first) in firsts.iter().enumerate() {
        let is_last = index + 1 == firsts.len();
        let summary = match Summary::load(folder, *first) {
            Some(summary) if !is_last => summary,
            _ => {
                let scan = Summary::scan(folder, *first, is_last, options.salvage)?;
                settle(folder, scan, is_last, &mut report)?
            }
        };
        segments.push(summary);
    }
    check_joins(folder, &segments, options.salvage, &mut report)?;
    let active = segments.pop().unwrap_or_else(|| Summary::new(0));
    let mut schemas = Schemas::default();
    for (id, kind) in segments.iter().chain([&active]).flat_map(|s| &s.schemas) {
        schemas.put(*id, kind.clone());
    }
    let first = segments.first().map_or(active.first, |s| s.first);
    report.records = active.next - first;
    report.segments = segments.len() + 1;
    Ok(Found {
        finished: segments,
        active,
        schemas,
        report,
    })
}

/// Cuts the torn end off a scanned segment, and writes the index that a finished one lacked.
fn settle(
    folder: &Path,
    scan: Scan,
    is_last: bool,
    report: &mut Recovery,
) -> Result<Summary, LogError> {
    let summary = scan.summary;
    report.damage.extend(scan.damage);
    if let Some(what) = scan.torn {
        let path = segment_path(folder, summary.first);
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let torn = length - summary.bytes;
        report.torn_bytes += torn;
        let note = format!(
            "cut {torn} bytes off the end of {} behind position {} ({what}): a crash in the \
             middle of a write; none of it was acknowledged",
            path.display(),
            summary.next,
        );
        // A segment that was made and nothing written to it is no loss worth a word.
        report.notes.extend((torn > 0).then_some(note));
        if summary.bytes == 0 {
            remove_segment(folder, summary.first)?;
            sync_folder(folder)?;
            return Ok(Summary::new(summary.first));
        }
        cut(&path, summary.bytes)?;
    } else if !is_last {
        // Only an aid to seeking: where it cannot be written, it is made again when needed.
        let _ = summary.save(folder);
    }
    Ok(summary)
}

fn cut(path: &Path, bytes: u64) -> Result<(), LogError> {
    let cut = || -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(bytes)?;
        file.sync_all()
    };
    cut().map_err(|source| LogError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Each segment must begin where the one before it ends.
fn check_joins(
    folder: &Path,
    segments: &[Summary],
    salvage: bool,
    report: &mut Recovery,
) -> Result<(), LogError> {
    for pair in segments.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        if before.next == after.first {
            continue;
        }
        let gap = LogError::Corrupt {
            segment: segment_path(folder, before.first),
            offset: before.bytes,
            position: before.next,
            what: format!("the next segment begins with position {}", after.first),
        };
        if !salvage {
            return Err(gap);
        }
        report.damage.push(gap);
    }
    Ok(())
}
