//! Reading records in log order, from any position, beside the writer.

use std::path::{Path, PathBuf};

use acumen_base::Record;

use crate::codec::{BodyReader, FrameKind, decode_schema};
use crate::error::LogError;
use crate::schema::Schemas;
use crate::segment::{Frame, Frames, HEADER_BYTES, Next, list_segments, segment_path};
use crate::summary::Summary;

/// Reads a log's folder while another thread or process writes it.
#[derive(Debug)]
pub struct LogReader {
    folder: PathBuf,
    salvage: bool,
}

impl LogReader {
    /// Looks at a log's folder without locking it.
    ///
    /// # Errors
    /// [`LogError::Open`] where the folder cannot be listed.
    pub fn open(folder: &Path) -> Result<LogReader, LogError> {
        list_segments(folder)?;
        Ok(LogReader {
            folder: folder.to_owned(),
            salvage: false,
        })
    }

    /// Looks at a damaged log: [`Records`] gives each damage as an error and goes on behind it.
    ///
    /// # Errors
    /// As [`LogReader::open`].
    pub fn open_salvaging(folder: &Path) -> Result<LogReader, LogError> {
        let reader = LogReader::open(folder)?;
        Ok(LogReader {
            salvage: true,
            ..reader
        })
    }

    /// The first position that was not trimmed; 0 of an empty log.
    ///
    /// # Errors
    /// [`LogError::Open`] where the folder cannot be listed.
    pub fn first_position(&self) -> Result<u64, LogError> {
        Ok(list_segments(&self.folder)?.first().copied().unwrap_or(0))
    }

    /// The records from a position on, up to what is written. At the end the iterator gives
    /// `None`, and again records once more are written.
    pub fn read(&self, from: u64) -> Records {
        let mut records = Records::new(self.folder.clone(), Schemas::default(), from, self.salvage);
        match self.start(from) {
            // Schemas may stand before a mark: only an index, which names them, allows a jump.
            Ok((first, Some(index))) => {
                records.start = Some((first, index.mark_before(from)));
                for (id, kind) in index.schemas {
                    records.schemas.put(id, kind);
                }
            }
            Ok((first, None)) => records.start = Some((first, (first, HEADER_BYTES))),
            Err(error) => records.failure = Some(error),
        }
        records
    }

    /// The segment that holds a position, and what its index knows.
    fn start(&self, from: u64) -> Result<(u64, Option<Summary>), LogError> {
        let firsts = list_segments(&self.folder)?;
        let after = firsts.partition_point(|first| *first <= from);
        match after.checked_sub(1).map(|index| firsts[index]) {
            Some(first) => Ok((first, Summary::load(&self.folder, first))),
            None => Err(LogError::NotThere {
                position: from,
                first: firsts.first().copied().unwrap_or(0),
                next: firsts.last().copied().unwrap_or(0),
            }),
        }
    }
}

/// Records in log order.
pub struct Records {
    folder: PathBuf,
    schemas: Schemas,
    bodies: BodyReader,
    salvage: bool,
    /// The first position that is wanted.
    from: u64,
    /// The end (exclusive), where it is known.
    until: Option<u64>,
    /// The segment to begin in, with the position and offset of a frame, until that is done.
    start: Option<(u64, (u64, u64))>,
    frames: Option<Frames>,
    /// The position of the next frame.
    expected: u64,
    failure: Option<LogError>,
    done: bool,
}

impl Records {
    fn new(folder: PathBuf, schemas: Schemas, from: u64, salvage: bool) -> Records {
        Records {
            folder,
            schemas,
            bodies: BodyReader::default(),
            salvage,
            from,
            until: None,
            start: None,
            frames: None,
            expected: from,
            failure: None,
            done: false,
        }
    }

    /// Records of a log whose end is known, beginning in a segment at the offset of a frame.
    pub(crate) fn within(
        folder: &Path,
        schemas: Schemas,
        range: std::ops::Range<u64>,
        start: (u64, (u64, u64)),
        salvage: bool,
    ) -> Records {
        Records {
            until: Some(range.end),
            start: Some(start),
            ..Records::new(folder.to_owned(), schemas, range.start, salvage)
        }
    }

    /// Nothing but an error.
    pub(crate) fn failed(error: LogError) -> Records {
        Records {
            failure: Some(error),
            ..Records::new(PathBuf::new(), Schemas::default(), 0, false)
        }
    }

    fn step(&mut self) -> Result<Option<Record>, LogError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        loop {
            if self.until.is_some_and(|until| self.expected >= until) || self.done {
                return Ok(None);
            }
            if self.frames.is_none() && !self.open()? {
                return Ok(None);
            }
            let Some(frames) = &mut self.frames else {
                return Ok(None);
            };
            match frames.next()? {
                Next::Frame(frame) => {
                    if let Some(record) = self.take(&frame)? {
                        return Ok(Some(record));
                    }
                }
                Next::End => {
                    if !self.next_segment()? {
                        return Ok(None);
                    }
                }
                Next::Bad(what) => {
                    if !self.pass_damage(what)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Opens the segment to begin in; false where its head is not written yet.
    fn open(&mut self) -> Result<bool, LogError> {
        let Some((first, (position, offset))) = self.start else {
            return Ok(false);
        };
        let Some(mut frames) = Frames::open(&self.folder, first)? else {
            if self.until.is_none() && self.is_last(first)? {
                return Ok(false);
            }
            self.start = None;
            return Err(LogError::Corrupt {
                segment: segment_path(&self.folder, first),
                offset: 0,
                position: first,
                what: "the segment's head is damaged".into(),
            });
        };
        if offset > HEADER_BYTES {
            frames.seek(offset)?;
        }
        self.expected = position;
        self.start = None;
        self.frames = Some(frames);
        Ok(true)
    }

    fn is_last(&self, first: u64) -> Result<bool, LogError> {
        Ok(list_segments(&self.folder)?.last() == Some(&first))
    }

    fn take(&mut self, frame: &Frame) -> Result<Option<Record>, LogError> {
        let jumps = frame.position != self.expected;
        if jumps && (!self.salvage || frame.position < self.expected) {
            return Err(self.corrupt(
                frame.offset,
                format!("position {} stands there", frame.position),
            ));
        }
        let frames = self.frames.as_ref().expect("a frame was just read from it");
        let payload = frames.payload(frame);
        let read = match frame.kind {
            FrameKind::Schema => decode_schema(payload).map(|(id, kind)| {
                self.schemas.put(id, kind);
                None
            }),
            _ if frame.position < self.from => {
                self.expected = frame.position + 1;
                Ok(None)
            }
            kind => {
                self.expected = frame.position + 1;
                let body = self.bodies.read(kind, payload, &self.schemas);
                let position = frame.position;
                body.map(|body| Some(Record { position, body }))
            }
        };
        read.map_err(|what| self.corrupt(frame.offset, what.to_string()))
    }

    /// Goes on in the segment that begins where this one ends; false at the end of the log.
    fn next_segment(&mut self) -> Result<bool, LogError> {
        let following = self.following()?;
        match following {
            Some(first) if first == self.expected || self.salvage => {
                self.frames = None;
                self.start = Some((first, (first, HEADER_BYTES)));
                Ok(true)
            }
            None if self.until.is_none() => Ok(false),
            // The writer may have gone on in this segment, and begun the next one, since its end
            // was seen.
            Some(_) if self.has_grown()? => Ok(true),
            _ => {
                let offset = self.frames.as_ref().map_or(0, Frames::offset);
                Err(self.corrupt(offset, "the records from here on are missing".into()))
            }
        }
    }

    /// The first segment behind the one that is being read.
    fn following(&self) -> Result<Option<u64>, LogError> {
        let firsts = list_segments(&self.folder)?;
        let mut behind = firsts.into_iter().filter(|first| *first >= self.expected);
        Ok(behind.find(|first| !self.is_in(*first)))
    }

    /// Whether a frame can be read now where the end was, or bytes that were no frame.
    fn has_grown(&mut self) -> Result<bool, LogError> {
        let Some(frames) = &mut self.frames else {
            return Ok(false);
        };
        let offset = frames.offset();
        let grown = matches!(frames.next()?, Next::Frame(_));
        frames.seek(offset)?;
        Ok(grown)
    }

    /// Whether the segment that is being read begins with a position.
    fn is_in(&self, first: u64) -> bool {
        let path = self.frames.as_ref().map(Frames::path);
        path == Some(segment_path(&self.folder, first).as_path())
    }

    /// Bytes that are no frame: the end that is just being written, or damage. False at the end.
    fn pass_damage(&mut self, what: &'static str) -> Result<bool, LogError> {
        let expected = self.expected;
        let frames = self.frames.as_mut().expect("bytes were just read from it");
        let offset = frames.offset();
        let behind = frames.resync(expected)?;
        let goes_on = behind.is_some() || self.following()?.is_some();
        if let Some(frames) = &mut self.frames {
            frames.seek(offset)?;
        }
        if goes_on && self.has_grown()? {
            return Ok(true);
        }
        if !goes_on && (self.until.is_none() || self.salvage) {
            return Ok(false);
        }
        let error = self.corrupt(offset, what.into());
        match (behind, &mut self.frames) {
            (Some(target), Some(frames)) => frames.seek(target)?,
            _ if self.salvage => {
                self.next_segment()?;
            }
            _ => {}
        }
        Err(error)
    }

    /// The error of a damage; reading ends there unless the damage may be passed.
    fn corrupt(&mut self, offset: u64, what: String) -> LogError {
        self.done = !self.salvage;
        let segment = self.frames.as_ref().map(|frames| frames.path().to_owned());
        LogError::Corrupt {
            segment: segment.unwrap_or_else(|| self.folder.clone()),
            offset,
            position: self.expected,
            what,
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records")
            .field("folder", &self.folder)
            .field("expected", &self.expected)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
