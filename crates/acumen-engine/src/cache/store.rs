//! The files of one use case's rows: an index that names everything, the streams, and the state
//! of the features behind them.
//!
//! The index is replaced in one step and carries a hash of all that it names, so that what was
//! half written is never read: it is made again. One process at a time works with the folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use acumen_base::key::hash64;
use serde::{Deserialize, Serialize};

use super::part::{Layout, Part};
use crate::error::EngineError;

/// The version of the layout of these files.
const FORMAT: u32 = 1;

/// What is where.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Index {
    format: u32,
    /// The hash of everything that rows depend on.
    definition: u64,
    /// Where the log began.
    first: u64,
    /// The position behind the last record that is in here.
    next: u64,
    /// The hash of that record.
    last: u64,
    stretches: Vec<Stretch>,
    /// Bytes of the streams.
    bytes: u64,
    /// The state of the features behind the last record.
    state: Stream,
}

/// One stretch of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stretch {
    rows: u32,
    streams: Vec<Stream>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Stream {
    offset: u64,
    length: u64,
    hash: u64,
}

/// The folder, held by this process.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    data: PathBuf,
    index: Index,
    /// Held as long as this lives.
    _lock: File,
}

/// A stretch that is not on disk.
pub(super) type Fresh = (usize, Vec<Vec<u8>>);

/// Everything that a log gives, ready to be asked.
#[derive(Debug)]
pub(crate) struct Prepared {
    layout: Layout,
    store: Store,
    fresh: Vec<Fresh>,
}

/// Where the streams of a stretch lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    Disk(&'a Path, &'a [Stream]),
    Memory(&'a Path, &'a [Vec<u8>]),
}

impl Store {
    /// Takes hold of a folder; while another holds it, waits or says so.
    pub(super) fn open(folder: &Path, wait: bool) -> Result<Store, EngineError> {
        fs::create_dir_all(folder).map_err(|error| failed("create", folder, error))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).append(true).open(&path);
        let lock = lock.map_err(|error| failed("open", &path, error))?;
        match wait {
            true => lock.lock().map_err(|error| failed("lock", &path, error))?,
            false => lock.try_lock().map_err(|error| match error {
                TryLockError::WouldBlock => EngineError::NotReady(
                    "another question about the past is being answered: ask again in a moment"
                        .to_owned(),
                ),
                TryLockError::Error(error) => failed("lock", &path, error),
            })?,
        }
        let index = fs::read(folder.join("index")).ok();
        let index = index.and_then(|bytes| postcard::from_bytes::<Index>(&bytes).ok());
        Ok(Store {
            folder: folder.to_owned(),
            data: folder.join("streams"),
            index: index
                .filter(|index| index.format == FORMAT)
                .unwrap_or_default(),
            _lock: lock,
        })
    }

    /// Whether it holds rows of this definition of a log that begins there.
    pub(super) fn is_of(&self, definition: u64, first: u64) -> bool {
        let index = &self.index;
        (index.format, index.definition, index.first) == (FORMAT, definition, first)
    }

    /// The position behind what is in here, and the hash of the record before it.
    pub(super) fn end(&self) -> (u64, u64) {
        (self.index.next, self.index.last)
    }

    /// Whether anything has been written down.
    pub(super) fn is_begun(&self) -> bool {
        self.index.next > self.index.first
    }

    /// Begins anew.
    pub(super) fn clear(&mut self, definition: u64, first: u64) {
        self.index = Index {
            format: FORMAT,
            definition,
            first,
            next: first,
            ..Index::default()
        };
    }

    /// The state of the features behind what is in here; `None` where it is damaged.
    pub(super) fn state(&self) -> Option<Vec<u8>> {
        let bytes = fs::read(self.folder.join("state")).ok()?;
        (hash64(&bytes) == self.index.state.hash).then_some(bytes)
    }

    /// Adds stretches up to a position, with the state behind them.
    pub(super) fn extend(
        &mut self,
        fresh: &[Fresh],
        (next, last): (u64, u64),
        state: &[u8],
    ) -> Result<(), EngineError> {
        let mut index = self.index.clone();
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true);
        let mut data = file
            .open(&self.data)
            .map_err(|error| failed("open", &self.data, error))?;
        // What an earlier process left behind the last stretch is written over.
        let placed = data
            .set_len(index.bytes)
            .and_then(|()| data.seek(SeekFrom::End(0)));
        placed.map_err(|error| failed("write", &self.data, error))?;
        for (rows, streams) in fresh {
            let mut stretch = Stretch {
                rows: *rows as u32,
                streams: Vec::with_capacity(streams.len()),
            };
            for bytes in streams {
                data.write_all(bytes)
                    .map_err(|error| failed("write", &self.data, error))?;
                stretch.streams.push(Stream {
                    offset: index.bytes,
                    length: bytes.len() as u64,
                    hash: hash64(bytes),
                });
                index.bytes += bytes.len() as u64;
            }
            index.stretches.push(stretch);
        }
        index.state = Stream {
            offset: 0,
            length: state.len() as u64,
            hash: hash64(state),
        };
        (index.next, index.last) = (next, last);
        self.replace("state", state)?;
        let bytes = postcard::to_stdvec(&index).expect("an index consists of plain values");
        self.replace("index", &bytes)?;
        self.index = index;
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
        let (new, path) = (
            self.folder.join(format!("{name}.new")),
            self.folder.join(name),
        );
        fs::write(&new, bytes)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|error| failed("write", &path, error))
    }
}

impl Prepared {
    pub(super) fn new(layout: Layout, store: Store, fresh: Vec<Fresh>) -> Prepared {
        Prepared {
            layout,
            store,
            fresh,
        }
    }

    /// All stretches in log order.
    pub(crate) fn parts(&self) -> Vec<Part<'_>> {
        let (layout, data) = (self.layout, self.store.data.as_path());
        let on_disk = self.store.index.stretches.iter().map(|stretch| Part {
            layout,
            rows: stretch.rows as usize,
            source: Source::Disk(data, &stretch.streams),
        });
        let fresh = self.fresh.iter().map(|(rows, streams)| Part {
            layout,
            rows: *rows,
            source: Source::Memory(data, streams),
        });
        on_disk.chain(fresh).collect()
    }
}

impl Source<'_> {
    pub(super) fn read(&self, stream: usize) -> Result<Vec<u8>, EngineError> {
        let (path, stream) = match self {
            Source::Memory(_, streams) => {
                return streams.get(stream).cloned().ok_or_else(|| self.damaged());
            }
            Source::Disk(path, streams) => (path, streams.get(stream)),
        };
        let stream = stream.ok_or_else(|| self.damaged())?;
        let mut bytes = vec![0; stream.length as usize];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(stream.offset))?;
            file.read_exact(&mut bytes)
        });
        if read.is_err() || hash64(&bytes) != stream.hash {
            return Err(self.damaged());
        }
        Ok(bytes)
    }

    pub(super) fn damaged(&self) -> EngineError {
        let (Source::Disk(path, _) | Source::Memory(path, _)) = self;
        EngineError::NotEnough(format!(
            "the rows kept in {} are damaged: delete that folder, and they are read from the log \
             again",
            path.parent().unwrap_or(path).display()
        ))
    }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> EngineError {
    EngineError::File {
        action,
        path: path.to_owned(),
        source,
    }
}
