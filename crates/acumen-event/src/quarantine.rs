//! Records that were refused, kept with the reason until someone mends and re-submits them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use acumen_base::Time;
use serde::{Deserialize, Serialize};

use crate::decode::{Problem, Rejected};
use crate::error::LogError;
use crate::log::sync_folder;

mod file;

use file::Entry;

/// Bytes of refused records that are kept; beyond it the oldest are dropped, and counted.
pub const QUARANTINE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of one refused record that are kept.
pub const QUARANTINED_ORIGINAL_BYTES_MAX: usize = 256 * 1024;

/// The refused records of a data folder. Its owner holds the log's lock.
#[derive(Debug)]
pub struct Quarantine {
    path: PathBuf,
    file: File,
    /// Where the next entry is written: what a failed write left behind it is overwritten.
    length: u64,
    bytes_max: u64,
    open: BTreeMap<u64, Place>,
    open_bytes: u64,
    counters: Counters,
}

/// Where an entry's payload lies in the file.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    bytes: u32,
}

/// One refused record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its number; rises.
    pub id: u64,
    /// Everything that is wrong with it.
    pub problems: Vec<Problem>,
    /// The bytes that were sent (the first [`QUARANTINED_ORIGINAL_BYTES_MAX`]).
    pub original: Vec<u8>,
    /// Where it came from, such as `POST /v1/events, line 3` or a file and line.
    pub source: String,
    /// When it was refused.
    pub at: Time,
}

/// What became of all the records that were ever refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Put here.
    pub refused: u64,
    /// Taken for re-submission.
    pub resolved: u64,
    /// Dropped because there was no more room.
    pub dropped: u64,
}

impl Counters {
    /// Still here.
    pub fn open(&self) -> u64 {
        self.refused - self.resolved - self.dropped
    }
}

impl Quarantine {
    /// Opens or creates the quarantine of a folder, keeping at most `bytes_max` bytes of records
    /// (such as [`QUARANTINE_BYTES_MAX`]). An entry that a crash left half-written is cut off.
    ///
    /// # Errors
    /// [`LogError::Open`], [`LogError::Read`] and [`LogError::Write`] of the system;
    /// [`LogError::Corrupt`] where entries are damaged that others follow.
    pub fn open(folder: &Path, bytes_max: u64) -> Result<Quarantine, LogError> {
        std::fs::create_dir_all(folder).map_err(|source| LogError::Open {
            path: folder.to_owned(),
            source,
        })?;
        let path = folder.join("quarantine");
        let is_new = !path.exists();
        let file = file::open(&path)?;
        if is_new {
            sync_folder(folder)?;
        }
        let mut quarantine = Quarantine {
            path,
            file,
            length: 0,
            bytes_max,
            open: BTreeMap::new(),
            open_bytes: 0,
            counters: Counters::default(),
        };
        let scanned = quarantine.path.clone();
        let length = file::scan(&scanned, |entry, offset, bytes| {
            quarantine.apply(&entry, Place { offset, bytes });
        })?;
        quarantine.length = length;
        quarantine.written(quarantine.file.set_len(length))?;
        Ok(quarantine)
    }

    /// Keeps a refused record and returns its number; durable behind [`Quarantine::commit`].
    ///
    /// # Errors
    /// [`LogError::Write`], such as of a full disk: the record is not kept.
    pub fn put(&mut self, rejected: &Rejected, source: &str, at: Time) -> Result<u64, LogError> {
        let id = self.counters.refused + 1;
        let kept = rejected.original.len().min(QUARANTINED_ORIGINAL_BYTES_MAX);
        self.write(&Entry::Put(Quarantined {
            id,
            problems: rejected.problems.clone(),
            original: rejected.original[..kept].to_owned(),
            source: source.to_owned(),
            at,
        }))?;
        self.make_room()?;
        Ok(id)
    }

    /// Makes durable what was put.
    ///
    /// # Errors
    /// [`LogError::Sync`].
    pub fn commit(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(|source| LogError::Sync {
            path: self.path.clone(),
            source,
        })
    }

    /// The records behind a number (0: from the start), oldest first, at most `count`.
    ///
    /// # Errors
    /// [`LogError::Read`] or [`LogError::Corrupt`].
    pub fn list(&self, after: u64, count: usize) -> Result<Vec<Quarantined>, LogError> {
        let places = self.open.range(after.saturating_add(1)..).take(count);
        places.map(|(id, place)| self.read(*id, *place)).collect()
    }

    /// One record, if it is (still) here.
    ///
    /// # Errors
    /// [`LogError::Read`] or [`LogError::Corrupt`].
    pub fn get(&self, id: u64) -> Result<Option<Quarantined>, LogError> {
        let place = self.open.get(&id);
        place.map(|place| self.read(id, *place)).transpose()
    }

    /// Takes a record out, for re-submission: it is marked resolved, durably.
    ///
    /// # Errors
    /// As [`Quarantine::get`] and [`Quarantine::put`]; the record stays then.
    pub fn take(&mut self, id: u64) -> Result<Option<Quarantined>, LogError> {
        let Some(taken) = self.get(id)? else {
            return Ok(None);
        };
        self.write(&Entry::Resolved(id))?;
        self.commit()?;
        Ok(Some(taken))
    }

    /// What became of all the records that were ever refused.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn read(&self, id: u64, place: Place) -> Result<Quarantined, LogError> {
        let mut payload = vec![0; place.bytes as usize];
        let read = self.file.read_exact_at(&mut payload, place.offset);
        read.map_err(|source| LogError::Read {
            path: self.path.clone(),
            source,
        })?;
        match postcard::from_bytes(&payload) {
            Ok(Entry::Put(record)) if record.id == id => Ok(record),
            _ => Err(LogError::Corrupt {
                segment: self.path.clone(),
                offset: place.offset,
                position: id,
                what: "the refused record cannot be read".into(),
            }),
        }
    }

    fn write(&mut self, entry: &Entry) -> Result<(), LogError> {
        let frame = file::frame(entry)?;
        self.written(self.file.write_all_at(&frame, self.length))?;
        let place = Place {
            offset: self.length + file::HEAD_BYTES,
            bytes: (frame.len() as u64 - file::HEAD_BYTES) as u32,
        };
        self.length += frame.len() as u64;
        self.apply(entry, place);
        Ok(())
    }

    fn apply(&mut self, entry: &Entry, place: Place) {
        match entry {
            Entry::Put(record) => {
                // After a rewrite the counters come first, and count this record already.
                self.counters.refused = self.counters.refused.max(record.id);
                self.open.insert(record.id, place);
                self.open_bytes += u64::from(place.bytes);
            }
            Entry::Resolved(id) => {
                self.counters.resolved += u64::from(self.remove(*id));
            }
            Entry::Dropped(id) => {
                self.counters.dropped += u64::from(self.remove(*id));
            }
            Entry::Counters(counters) => self.counters = *counters,
        }
    }

    fn remove(&mut self, id: u64) -> bool {
        let removed = self.open.remove(&id);
        self.open_bytes -= removed.map_or(0, |place| u64::from(place.bytes));
        removed.is_some()
    }

    /// Drops the oldest records until the rest fits, and rewrites a file that is mostly gone.
    fn make_room(&mut self) -> Result<(), LogError> {
        while self.open_bytes > self.bytes_max
            && let Some((oldest, _)) = self.open.first_key_value()
        {
            let oldest = *oldest;
            self.write(&Entry::Dropped(oldest))?;
        }
        if self.length > self.bytes_max.saturating_mul(2).saturating_add(64 * 1024) {
            self.rewrite()?;
        }
        Ok(())
    }

    fn rewrite(&mut self) -> Result<(), LogError> {
        let mut bytes = file::frame(&Entry::Counters(self.counters))?;
        let mut open = BTreeMap::new();
        for (id, place) in &self.open {
            let frame = file::frame(&Entry::Put(self.read(*id, *place)?))?;
            let offset = bytes.len() as u64 + file::HEAD_BYTES;
            open.insert(*id, Place { offset, ..*place });
            bytes.extend_from_slice(&frame);
        }
        let unfinished = self.path.with_extension("unfinished");
        let replaced = file::replace(&unfinished, &self.path, &bytes);
        self.file = match replaced {
            Ok(file) => file,
            Err(error) => return self.written(Err(error)),
        };
        self.open = open;
        self.length = bytes.len() as u64;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        sync_folder(folder)
    }

    fn written(&self, result: std::io::Result<()>) -> Result<(), LogError> {
        result.map_err(|source| LogError::Write {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests;
