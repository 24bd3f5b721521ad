//! The log itself: appending, flushing, committing, rolling to the next segment.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::{Body, Circumstances, EventType, Record, limits};

use crate::codec::{self, FrameKind};
use crate::error::LogError;
use crate::reader::Records;
use crate::schema::Schemas;
use crate::segment::{begin_frame, finish_frame, header, list_segments, segment_path};
use crate::summary::{Summary, index_path};
use crate::sync::{Shared, SyncHandle};

mod recovery;
mod retention;

pub use recovery::Recovery;
pub use retention::Trimmed;

/// What an acknowledgement means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The record is on the disk: it outlives a loss of power.
    #[default]
    Fsync,
    /// The operating system has it: it outlives a crash of the process, not of the machine.
    Os,
}

/// Bytes that [`Log::append`] buffers before it flushes of its own accord.
pub const LOG_BUFFER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// What an acknowledgement means.
    pub durability: Durability,
    /// Bytes after which a new segment begins.
    pub segment_bytes: u64,
    /// Whether a damaged log is opened all the same, without what is damaged (which is named).
    pub salvage: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        LogOptions {
            durability: Durability::Fsync,
            segment_bytes: limits::SEGMENT_BYTES,
            salvage: false,
        }
    }
}

/// The durable, ordered log of one data folder. One thread owns and appends to it.
///
/// [`append`](Log::append) buffers, [`flush`](Log::flush) gives to the operating system,
/// [`commit`](Log::commit) or a [`SyncHandle`] puts on the disk; only then acknowledge. What is
/// only buffered when the log is dropped is lost.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    options: LogOptions,
    /// Held as long as the log is open.
    _lock: recovery::FolderLock,
    finished: Vec<Summary>,
    /// The segment that is written, with what is still in the buffer.
    active: Summary,
    buffer: Vec<u8>,
    next: u64,
    written: u64,
    schemas: Schemas,
    shared: Arc<Shared>,
}

impl Log {
    /// Opens or creates the log of a folder: locks it, checks the last segment through, cuts a
    /// torn end off, and says in [`Recovery`] what was found.
    ///
    /// # Errors
    /// [`LogError::Locked`] where another process has it open, [`LogError::Corrupt`] where
    /// records are damaged that others follow, [`LogError::Open`], `Read` and `Write` of the
    /// system.
    pub fn open(folder: &Path, options: LogOptions) -> Result<(Log, Recovery), LogError> {
        let lock = recovery::lock(folder)?;
        let found = recovery::recover(folder, options)?;
        let (file, path) = open_segment(folder, &found.active)?;
        let next = found.active.next;
        let shared = Shared::new(options.durability, file, path, next);
        let log = Log {
            folder: folder.to_owned(),
            options,
            _lock: lock,
            finished: found.finished,
            active: found.active,
            buffer: Vec::new(),
            next,
            written: next,
            schemas: found.schemas,
            shared: Arc::new(shared),
        };
        Ok((log, found.report))
    }

    /// Makes an event type known to the log, so that records share this allocation of it, and
    /// returns its number. An event of a type that was not registered registers it.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] after an earlier failure.
    pub fn register(&mut self, kind: &Arc<EventType>) -> Result<u32, LogError> {
        self.shared.check()?;
        let id = match self.schemas.find(kind) {
            Some(id) => id,
            None => self.schemas.add(Arc::clone(kind)),
        };
        self.schemas.share(id, kind);
        if !self.active.has_schema(id) {
            self.append_schema(id)?;
        }
        Ok(id)
    }

    /// Buffers a record (at most [`LOG_BUFFER_BYTES_MAX`] of them) and returns its position.
    ///
    /// # Errors
    /// [`LogError::TooLong`] and [`LogError::Encode`] of the record itself (the log goes on);
    /// [`LogError::Write`] and [`LogError::Sync`] where a full segment cannot be finished, and
    /// [`LogError::Poisoned`] after an earlier failure.
    pub fn append(&mut self, body: &Body) -> Result<u64, LogError> {
        self.shared.check()?;
        if self.active.bytes >= self.options.segment_bytes && self.active.next > self.active.first {
            self.roll()?;
        }
        if self.buffer.len() >= LOG_BUFFER_BYTES_MAX {
            self.flush()?;
        }
        let schema = match body {
            Body::Event(event) if event.values.len() != event.kind.fields.len() => {
                return Err(LogError::Encode {
                    what: format!(
                        "event `{}` has {} values, its type `{}` has {} fields",
                        event.id,
                        event.values.len(),
                        event.kind.name,
                        event.kind.fields.len()
                    ),
                });
            }
            Body::Event(event) => self.schema_of(&event.kind)?,
            _ => 0,
        };
        let kind = FrameKind::of(body);
        let start = begin_frame(&mut self.buffer, self.next, kind);
        let known_at = match body {
            Body::Event(event) => {
                codec::encode_event(&mut self.buffer, schema, event);
                Some(event.known_at)
            }
            Body::Decision(decision) => {
                self.append_postcard(start, decision)?;
                None
            }
            Body::Listing(listing) => {
                match listing.circumstances == Circumstances::default() {
                    true => self.append_postcard(start, listing)?,
                    false => self.append_postcard(start, &(listing, &listing.circumstances))?,
                }
                None
            }
            Body::Control { control, by, at } => {
                self.append_postcard(start, &(control, by, at))?;
                None
            }
        };
        let bytes = finish_frame(&mut self.buffer, start)?;
        let position = self.next;
        self.active.add_record(position, bytes as u64, known_at);
        self.next += 1;
        Ok(position)
    }

    /// Gives everything that was appended to the operating system: readers see it now.
    ///
    /// # Errors
    /// [`LogError::Write`], such as of a full disk; the log takes nothing more then.
    pub fn flush(&mut self) -> Result<(), LogError> {
        self.shared.check()?;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.shared.file().as_ref().write_all(&self.buffer);
        if let Err(source) = written {
            let path = segment_path(&self.folder, self.active.first);
            return Err(self.shared.fail(LogError::Write { path, source }));
        }
        self.buffer.clear();
        self.written = self.next;
        self.shared.written(self.next);
        Ok(())
    }

    /// Flushes and syncs; returns the position up to which (exclusive) records are durable.
    ///
    /// # Errors
    /// As [`Log::flush`] and [`SyncHandle::sync`].
    pub fn commit(&mut self) -> Result<u64, LogError> {
        self.flush()?;
        self.shared.sync()
    }

    /// A handle by which another thread syncs what was flushed.
    pub fn sync_handle(&self) -> SyncHandle {
        SyncHandle::new(Arc::clone(&self.shared))
    }

    /// The position of the next record.
    pub fn next_position(&self) -> u64 {
        self.next
    }

    /// The first position that was not trimmed.
    pub fn first_position(&self) -> u64 {
        self.finished.first().unwrap_or(&self.active).first
    }

    /// The position up to which (exclusive) records were flushed, and can be read.
    pub fn flushed_position(&self) -> u64 {
        self.written
    }

    /// The event types that the log has seen, the newest of each name.
    pub fn event_types(&self) -> Vec<Arc<EventType>> {
        self.schemas
            .live()
            .into_iter()
            .map(|entry| entry.1)
            .collect()
    }

    /// The flushed records from a position on. A position that was trimmed or lies behind the
    /// end gives one error.
    pub fn read(&self, from: u64) -> Records {
        if from < self.first_position() || from > self.next {
            return Records::failed(self.not_there(from));
        }
        let segment = self.segment_of(from);
        Records::within(
            &self.folder,
            self.schemas.clone(),
            from..self.written,
            (segment.first, segment.mark_before(from)),
            self.options.salvage,
        )
    }

    /// One flushed record.
    ///
    /// # Errors
    /// [`LogError::NotThere`], or as [`Records`].
    pub fn get(&self, position: u64) -> Result<Record, LogError> {
        let salvage = self.options.salvage;
        let is_before = |item: &Result<Record, LogError>| match item {
            Err(LogError::Corrupt { position: at, .. }) => salvage && *at < position,
            _ => false,
        };
        let record = self.read(position).find(|item| !is_before(item));
        let record = record.ok_or_else(|| self.not_there(position))??;
        if record.position == position {
            return Ok(record);
        }
        Err(self.not_there(position))
    }

    fn not_there(&self, position: u64) -> LogError {
        LogError::NotThere {
            position,
            first: self.first_position(),
            next: self.written,
        }
    }

    fn segment_of(&self, position: u64) -> &Summary {
        let after = self.finished.partition_point(|s| s.next <= position);
        self.finished.get(after).unwrap_or(&self.active)
    }

    fn schema_of(&mut self, kind: &Arc<EventType>) -> Result<u32, LogError> {
        match self.schemas.find(kind) {
            Some(id) if self.active.has_schema(id) => Ok(id),
            _ => self.register(kind),
        }
    }

    fn append_schema(&mut self, id: u32) -> Result<(), LogError> {
        let kind = self.schemas.get(id).map(Arc::clone);
        let kind = kind.expect("an id is given out with its type");
        let start = begin_frame(&mut self.buffer, self.next, FrameKind::Schema);
        self.append_postcard(start, &(id, &*kind))?;
        let bytes = finish_frame(&mut self.buffer, start)?;
        self.active.add_schema(id, (*kind).clone(), bytes as u64);
        Ok(())
    }

    fn append_postcard<T: serde::Serialize>(
        &mut self,
        start: usize,
        value: &T,
    ) -> Result<(), LogError> {
        let encoded = postcard::to_stdvec(value);
        let bytes = encoded.map_err(|error| {
            self.buffer.truncate(start);
            LogError::Encode {
                what: error.to_string(),
            }
        })?;
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }

    /// Finishes the segment (on the disk, before the next begins) and starts another.
    fn roll(&mut self) -> Result<(), LogError> {
        self.commit()?;
        // Only an aid to seeking: where it cannot be written, it is made again when needed.
        let _ = self.active.save(&self.folder);
        let fresh = Summary::new(self.next);
        let (file, path) =
            open_segment(&self.folder, &fresh).map_err(|error| self.shared.fail(error))?;
        self.shared.roll(file, &path);
        self.finished
            .push(std::mem::replace(&mut self.active, fresh));
        for (id, _) in self.schemas.live() {
            self.append_schema(id)?;
        }
        Ok(())
    }
}

/// Opens a segment to append at its end, creating it (durably, header and folder entry) if new.
fn open_segment(folder: &Path, segment: &Summary) -> Result<(File, PathBuf), LogError> {
    let path = segment_path(folder, segment.first);
    let fail = |source| LogError::Write {
        path: path.clone(),
        source,
    };
    let is_new = !path.exists();
    let options = OpenOptions::new().append(true).create(true).clone();
    let mut file = options.open(&path).map_err(fail)?;
    if is_new {
        file.write_all(&header(segment.first)).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        sync_folder(folder)?;
    }
    Ok((file, path))
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| LogError::Sync {
        path: folder.to_owned(),
        source,
    })
}

/// Removes a segment with its index.
fn remove_segment(folder: &Path, first: u64) -> Result<(), LogError> {
    let path = segment_path(folder, first);
    std::fs::remove_file(&path).map_err(|source| LogError::Write { path, source })?;
    // A missing index is made again; one that is left over is not read.
    let _ = std::fs::remove_file(index_path(folder, first));
    Ok(())
}

#[cfg(test)]
mod tests;
