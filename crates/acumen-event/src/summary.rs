//! What is known of a segment without reading it: its end, its newest instant, marks for seeking.
//!
//! Written beside a finished segment as `.index`; disposable, since a scan gives it back.

use std::io::Write;
use std::path::{Path, PathBuf};

use acumen_base::{EventType, Time};
use serde::{Deserialize, Serialize};

use crate::codec::{self, FrameKind};
use crate::error::LogError;
use crate::segment::{Frame, Frames, HEADER_BYTES, Next, segment_path};

/// Bytes of log between two marks.
const MARK_BYTES: u64 = 64 * 1024;

/// What is known of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Its first position.
    pub(crate) first: u64,
    /// The position after its last.
    pub(crate) next: u64,
    /// Its length.
    pub(crate) bytes: u64,
    /// The newest `known_at` of its events.
    pub(crate) newest_known_at: Option<Time>,
    /// Pairs of (position, offset of its frame), rising.
    marks: Vec<(u64, u64)>,
    /// Its schemas.
    pub(crate) schemas: Vec<(u32, EventType)>,
}

/// A segment as a scan found it.
pub(crate) struct Scan {
    /// What is known of it, up to its last whole frame.
    pub(crate) summary: Summary,
    /// Why the bytes behind that are no records, where there are any.
    pub(crate) torn: Option<&'static str>,
    /// What was skipped in salvage mode.
    pub(crate) damage: Vec<LogError>,
}

impl Summary {
    /// An empty segment.
    pub(crate) fn new(first: u64) -> Summary {
        Summary {
            first,
            next: first,
            bytes: HEADER_BYTES,
            newest_known_at: None,
            marks: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// Notes a record of a length that stands at the segment's end.
    pub(crate) fn add_record(&mut self, position: u64, bytes: u64, known_at: Option<Time>) {
        let offset = self.bytes;
        if self.marks.last().map_or(HEADER_BYTES, |mark| mark.1) + MARK_BYTES <= offset {
            self.marks.push((position, offset));
        }
        self.bytes += bytes;
        self.next = position + 1;
        self.newest_known_at = self.newest_known_at.max(known_at);
    }

    /// Notes a schema of a length that stands at the segment's end.
    pub(crate) fn add_schema(&mut self, id: u32, kind: EventType, bytes: u64) {
        self.schemas.push((id, kind));
        self.bytes += bytes;
    }

    /// Whether a schema was written in this segment.
    pub(crate) fn has_schema(&self, id: u32) -> bool {
        self.schemas.iter().any(|schema| schema.0 == id)
    }

    /// The (position, offset) of a frame at or before that of a position.
    pub(crate) fn mark_before(&self, position: u64) -> (u64, u64) {
        let after = self.marks.partition_point(|mark| mark.0 <= position);
        match after.checked_sub(1) {
            Some(mark) => self.marks[mark],
            None => (self.first, HEADER_BYTES),
        }
    }

    /// Reads a segment through, checking every frame.
    pub(crate) fn scan(
        folder: &Path,
        first: u64,
        is_last: bool,
        salvage: bool,
    ) -> Result<Scan, LogError> {
        let mut scan = Scan {
            summary: Summary::new(first),
            torn: None,
            damage: Vec::new(),
        };
        let Some(mut frames) = Frames::open(folder, first)? else {
            return scan.without_header(folder, is_last);
        };
        loop {
            match frames.next()? {
                Next::End => return Ok(scan),
                Next::Frame(frame) => scan.take(&frames, &frame, salvage)?,
                Next::Bad(what) => {
                    let damage = scan.corrupt(&frames, frames.offset(), what);
                    let behind = frames.resync(scan.summary.next)?;
                    if behind.is_none() && is_last {
                        scan.torn = Some(what);
                        return Ok(scan);
                    }
                    if !salvage {
                        return Err(damage);
                    }
                    scan.damage.push(damage);
                    if behind.is_none() {
                        return Ok(scan);
                    }
                }
            }
        }
    }

    fn add_frame(
        &mut self,
        kind: FrameKind,
        position: u64,
        payload: &[u8],
    ) -> Result<(), crate::bytes::Malformed> {
        let bytes = (payload.len() + crate::segment::FRAME_BYTES) as u64;
        match kind {
            FrameKind::Schema => {
                let (id, schema) = codec::decode_schema(payload)?;
                self.add_schema(id, schema, bytes);
            }
            FrameKind::Event => {
                self.add_record(position, bytes, Some(codec::peek_known_at(payload)?));
            }
            FrameKind::Decision | FrameKind::Listing | FrameKind::Control => {
                self.add_record(position, bytes, None);
            }
        }
        Ok(())
    }

    /// Reads the index of a segment; `None` where it is missing, damaged or of another length.
    pub(crate) fn load(folder: &Path, first: u64) -> Option<Summary> {
        let bytes = std::fs::read(index_path(folder, first)).ok()?;
        let (checksum, rest) = bytes.split_first_chunk::<4>()?;
        if crc32fast::hash(rest) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let summary: Summary = postcard::from_bytes(rest).ok()?;
        let length = std::fs::metadata(segment_path(folder, first)).ok()?.len();
        (summary.first == first && summary.bytes == length).then_some(summary)
    }

    /// Writes the index; it need not be durable, since it is checked and can be made again.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), LogError> {
        let path = index_path(folder, self.first);
        let body = postcard::to_stdvec(self).map_err(|error| LogError::Encode {
            what: error.to_string(),
        })?;
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&path)?;
            file.write_all(&crc32fast::hash(&body).to_le_bytes())?;
            file.write_all(&body)
        };
        write().map_err(|source| LogError::Write { path, source })
    }
}

impl Scan {
    fn take(&mut self, frames: &Frames, frame: &Frame, salvage: bool) -> Result<(), LogError> {
        let expected = self.summary.next;
        let jumps = frame.position != expected;
        if jumps && (!salvage || frame.position < expected) {
            let what = format!("position {} stands there", frame.position);
            return Err(self.corrupt(frames, frame.offset, &what));
        }
        self.summary.bytes = frame.offset;
        let payload = frames.payload(frame);
        let added = self.summary.add_frame(frame.kind, frame.position, payload);
        added.map_err(|what| self.corrupt(frames, frame.offset, &what.to_string()))
    }

    fn corrupt(&self, frames: &Frames, offset: u64, what: &str) -> LogError {
        LogError::Corrupt {
            segment: frames.path().to_owned(),
            offset,
            position: self.summary.next,
            what: what.into(),
        }
    }

    /// A segment without a whole header: the crash fell between making it and its first record.
    fn without_header(mut self, folder: &Path, is_last: bool) -> Result<Scan, LogError> {
        let path = segment_path(folder, self.summary.first);
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        if is_last && length <= HEADER_BYTES {
            self.torn = Some("the segment's head is incomplete");
            self.summary.bytes = 0;
            return Ok(self);
        }
        Err(LogError::Corrupt {
            segment: path,
            offset: 0,
            position: self.summary.first,
            what: "the segment's head is damaged".into(),
        })
    }
}

/// Where the index of a segment lies.
pub(crate) fn index_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.index"))
}
