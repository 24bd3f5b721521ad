//! One file of the log: a header, then frames `[length u32][crc32 u32][position u64][kind u8][payload]`.
//!
//! The checksum covers everything behind itself; `length` counts everything behind the checksum.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use acumen_base::limits::RECORD_BYTES_MAX;

use crate::codec::FrameKind;
use crate::error::LogError;

/// Bytes before the first frame.
pub(crate) const HEADER_BYTES: u64 = 20;
/// Bytes of a frame besides its payload.
pub(crate) const FRAME_BYTES: usize = 17;
const MAGIC: &[u8; 8] = b"ACUMLOG1";
/// Bytes of a frame before what the checksum covers.
const UNCHECKED_BYTES: usize = 8;
const READ_BYTES: usize = 64 * 1024;

/// Where the segment that begins with a position lies.
pub(crate) fn segment_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.segment"))
}

/// The first positions of the segments of a folder, rising.
pub(crate) fn list_segments(folder: &Path) -> Result<Vec<u64>, LogError> {
    let open = |source| LogError::Open {
        path: folder.to_owned(),
        source,
    };
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(open)? {
        let name = entry.map_err(open)?.file_name();
        let first = name.to_str().and_then(|n| n.strip_suffix(".segment"));
        firsts.extend(first.and_then(|n| n.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// The header of a segment that begins with a position.
pub(crate) fn header(first: u64) -> [u8; HEADER_BYTES as usize] {
    let mut bytes = [0; HEADER_BYTES as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&first.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Begins a frame at the end of `bytes`; the payload is to follow, then [`finish_frame`].
pub(crate) fn begin_frame(bytes: &mut Vec<u8>, position: u64, kind: FrameKind) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; UNCHECKED_BYTES]);
    bytes.extend_from_slice(&position.to_le_bytes());
    bytes.push(kind.byte());
    start
}

/// Fills in length and checksum of the frame that began at `start`, or takes it back.
pub(crate) fn finish_frame(bytes: &mut Vec<u8>, start: usize) -> Result<usize, LogError> {
    let payload = bytes.len() - start - FRAME_BYTES;
    if payload > RECORD_BYTES_MAX {
        bytes.truncate(start);
        return Err(LogError::TooLong {
            bytes: payload,
            limit: RECORD_BYTES_MAX,
        });
    }
    let (unchecked, checked) = bytes[start..].split_at_mut(UNCHECKED_BYTES);
    unchecked[..4].copy_from_slice(&(checked.len() as u32).to_le_bytes());
    unchecked[4..].copy_from_slice(&crc32fast::hash(checked).to_le_bytes());
    Ok(bytes.len() - start)
}

/// A frame whose checksum is right.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// Its record's position (of a schema: the next record's).
    pub(crate) position: u64,
    /// What its payload is.
    pub(crate) kind: FrameKind,
    /// Where the payload lies in the reader's buffer until the next call.
    payload: Range<usize>,
}

/// What stands next in a segment.
pub(crate) enum Next {
    /// A whole frame.
    Frame(Frame),
    /// The file ends here.
    End,
    /// Bytes that are no frame; the reader stays before them.
    Bad(&'static str),
}

/// Reads the frames of one segment file.
pub(crate) struct Frames {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// The unread part of the buffer.
    unread: Range<usize>,
    /// The file offset of `unread.start`.
    offset: u64,
}

impl Frames {
    /// Opens a segment after its header; `Ok(None)` where the header is not (wholly) there.
    pub(crate) fn open(folder: &Path, first: u64) -> Result<Option<Frames>, LogError> {
        let path = segment_path(folder, first);
        let file = File::open(&path).map_err(|source| LogError::Open {
            path: path.clone(),
            source,
        })?;
        let mut frames = Frames {
            path,
            file,
            buffer: Vec::new(),
            unread: 0..0,
            offset: 0,
        };
        if !frames.fill(HEADER_BYTES as usize)? || frames.unread()[..20] != header(first) {
            return Ok(None);
        }
        frames.consume(HEADER_BYTES as usize);
        Ok(Some(frames))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The offset of what comes next.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The payload of the frame that was just read.
    pub(crate) fn payload(&self, frame: &Frame) -> &[u8] {
        &self.buffer[frame.payload.clone()]
    }

    /// Goes to a place where a frame begins.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<(), LogError> {
        self.unread = 0..0;
        self.offset = offset;
        match self.file.seek(SeekFrom::Start(offset)) {
            Ok(_) => Ok(()),
            Err(source) => Err(self.read_error(source)),
        }
    }

    /// Reads the next frame.
    pub(crate) fn next(&mut self) -> Result<Next, LogError> {
        if !self.fill(UNCHECKED_BYTES)? {
            return Ok(match self.unread.is_empty() {
                true => Next::End,
                false => Next::Bad("a record's head is incomplete"),
            });
        }
        let Some(length) = plausible_length(self.unread()) else {
            return Ok(Next::Bad("a record's length is impossible"));
        };
        if !self.fill(UNCHECKED_BYTES + length)? {
            return Ok(Next::Bad("a record is incomplete"));
        }
        let Some((position, kind)) = check(self.unread(), length) else {
            return Ok(Next::Bad("a record's checksum is wrong"));
        };
        let start = self.unread.start;
        let frame = Frame {
            offset: self.offset,
            position,
            kind,
            payload: start + FRAME_BYTES..start + UNCHECKED_BYTES + length,
        };
        self.consume(UNCHECKED_BYTES + length);
        Ok(Next::Frame(frame))
    }

    /// Looks behind bad bytes for the next whole frame of position `expected` or later, and goes
    /// there. `None`: there is none, and the reader has not moved.
    pub(crate) fn resync(&mut self, expected: u64) -> Result<Option<u64>, LogError> {
        let before = self.offset;
        self.seek(before)?;
        let mut rest = Vec::new();
        if let Err(source) = self.file.read_to_end(&mut rest) {
            return Err(self.read_error(source));
        }
        let furthest = expected.saturating_add((rest.len() / FRAME_BYTES) as u64);
        let is_frame = |start: &usize| {
            let bytes = &rest[*start..];
            plausible_length(bytes)
                .filter(|length| UNCHECKED_BYTES + length <= bytes.len())
                .filter(|_| (expected..=furthest).contains(&position_of(bytes)))
                .and_then(|length| check(bytes, length))
                .is_some()
        };
        let last = rest.len().saturating_sub(FRAME_BYTES - 1);
        let found = (1..last).find(is_frame);
        let target = before + found.unwrap_or(0) as u64;
        self.seek(target)?;
        Ok(found.map(|_| target))
    }

    fn unread(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    fn consume(&mut self, count: usize) {
        self.unread.start += count;
        self.offset += count as u64;
    }

    /// Makes `count` unread bytes available; false where the file ends before.
    fn fill(&mut self, count: usize) -> Result<bool, LogError> {
        if self.unread.len() >= count {
            return Ok(true);
        }
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        self.buffer.resize(count.max(READ_BYTES), 0);
        while self.unread.len() < count {
            match self.file.read(&mut self.buffer[self.unread.end..]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.unread.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.read_error(source)),
            }
        }
        Ok(true)
    }

    fn read_error(&self, source: io::Error) -> LogError {
        LogError::Read {
            path: self.path.clone(),
            source,
        }
    }
}

fn plausible_length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    let shortest = FRAME_BYTES - UNCHECKED_BYTES;
    (shortest..=RECORD_BYTES_MAX + shortest)
        .contains(&length)
        .then_some(length)
}

fn position_of(bytes: &[u8]) -> u64 {
    let position = bytes.get(UNCHECKED_BYTES..).and_then(<[u8]>::first_chunk);
    position.map_or(0, |position| u64::from_le_bytes(*position))
}

/// Position and kind of a frame whose checksum and kind are right.
fn check(bytes: &[u8], length: usize) -> Option<(u64, FrameKind)> {
    let checked = bytes.get(UNCHECKED_BYTES..UNCHECKED_BYTES + length)?;
    let checksum = u32::from_le_bytes(*bytes[4..].first_chunk()?);
    let kind = FrameKind::from_byte(checked[8])?;
    (crc32fast::hash(checked) == checksum).then(|| (position_of(bytes), kind))
}
