//! The latest score of each key, to be answered at once: what a batch leaves beside its Parquet.
//!
//! ```text
//! DATA/online/USE_CASE     a header, then 64 bytes a key, in the order of the keys' hashes
//! ```
//!
//! The file is written anew when a batch is complete and takes its name in one step, so that every
//! answer is of one batch, whole, and a crash leaves the one before or this. A reader keeps every
//! 256th key in memory and reads one block of the file for an answer, so what it holds grows with
//! the number of keys by a 256th of what the file does.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use acumen_base::key::hash64;
use acumen_base::{Key, Time};
use acumen_table::{Scores, read_scores};
use serde::{Deserialize, Serialize};

use super::run::{Run, failed, run_of};
use crate::error::EngineError;
use crate::folder::Folder;

/// What the file begins with; another layout has another one.
const MAGIC: &[u8; 8] = b"acuscor1";
/// Bytes of an entry.
const ENTRY: usize = 64;
/// Entries of a block, of which a reader keeps the first key.
const BLOCK: usize = 256;
/// Bytes of a header.
const HEADER_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// What the entries are of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    use_case: String,
    at: Time,
    position: u64,
    model: String,
    version: String,
    job: String,
    keys: usize,
    segments: Vec<String>,
    reasons: Vec<String>,
}

/// The score of a key in the latest batch.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredScore {
    /// What is expected; `None` where the key was not scored.
    pub value: Option<f64>,
    /// The interval around it, where the model has some.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// The probability that there will be more purchases.
    pub alive: Option<f64>,
    /// Purchases to expect.
    pub purchases: Option<f64>,
    /// The band of the value.
    pub segment: Option<String>,
    /// Why there is no value.
    pub reason: Option<String>,
    /// The model that answered.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The date that was scored.
    pub at: Time,
    /// Its place in the log.
    pub position: u64,
    /// The batch: the name of its folder.
    pub job: String,
}

/// Puts the scores of a complete batch in place of those of an earlier date; those of a later one
/// stay.
pub(super) fn publish(folder: &Folder, batch: &Path) -> Result<(), EngineError> {
    let run = run_of(batch)?;
    let path = folder.online(&run.use_case);
    let parent = path.parent().unwrap_or(&path).to_owned();
    fs::create_dir_all(&parent).map_err(|e| failed("make the folder", &parent, e))?;
    // One at a time: two that end together leave the later date.
    let lock = path.with_extension("lock");
    let held = File::create(&lock).map_err(|e| failed("write", &lock, e))?;
    held.lock().map_err(|e| failed("lock", &lock, e))?;
    let job = batch.file_name().unwrap_or_default().to_string_lossy();
    let stays = |known: &Header| {
        let same = known.at == run.at && known.version == run.version && known.job == job;
        known.at > run.at || same
    };
    // One that is damaged is replaced, too.
    if Held::open(&path).is_ok_and(|known| known.is_some_and(|known| stays(&known.header))) {
        return Ok(());
    }
    let mut writing = Writing {
        header: Header {
            use_case: run.use_case.clone(),
            at: run.at,
            position: run.position,
            model: run.model.clone(),
            version: run.version.clone(),
            job: job.into_owned(),
            keys: run.keys,
            segments: Vec::new(),
            reasons: Vec::new(),
        },
        entries: Vec::with_capacity(run.keys),
    };
    for part in parts(&run, batch) {
        writing.take(&read_scores(&part)?);
    }
    writing.write(&path)
}

/// The files of a batch.
fn parts(run: &Run, batch: &Path) -> impl Iterator<Item = PathBuf> {
    let count = run.keys.div_ceil(run.batch_size.max(1));
    (0..count).map(|number| batch.join(format!("part-{number:05}.parquet")))
}

/// The file while it is put together.
struct Writing {
    header: Header,
    entries: Vec<(Key, [u8; ENTRY])>,
}

impl Writing {
    fn take(&mut self, scores: &Scores) {
        for (row, id) in scores.ids.iter().enumerate() {
            let key = Key::of(id);
            let segment = number(&mut self.header.segments, scores.segment[row].as_deref());
            let reason = number(&mut self.header.reasons, scores.reason[row].as_deref());
            let mut entry = [0; ENTRY];
            entry[..16].copy_from_slice(&key.0.to_le_bytes());
            let numbers = [
                scores.value[row],
                scores.low[row],
                scores.high[row],
                scores.alive[row],
                scores.purchases[row],
            ];
            for (place, value) in numbers.into_iter().enumerate() {
                let value = value.unwrap_or(f64::NAN).to_le_bytes();
                entry[16 + place * 8..][..8].copy_from_slice(&value);
            }
            entry[56..58].copy_from_slice(&segment.to_le_bytes());
            entry[58..60].copy_from_slice(&reason.to_le_bytes());
            let check = check(&entry);
            entry[60..].copy_from_slice(&check);
            self.entries.push((key, entry));
        }
    }

    fn write(mut self, path: &Path) -> Result<(), EngineError> {
        self.entries.sort_unstable_by_key(|(key, _)| *key);
        self.header.keys = self.entries.len();
        let partial = path.with_extension("partial");
        let header = serde_json::to_vec(&self.header);
        let header = header.map_err(|error| failed("write", &partial, error.into()))?;
        let written = File::create(&partial).and_then(|file| {
            let mut out = BufWriter::new(file);
            out.write_all(MAGIC)?;
            out.write_all(&(header.len() as u32).to_le_bytes())?;
            out.write_all(&header)?;
            for (_, entry) in &self.entries {
                out.write_all(entry)?;
            }
            out.into_inner()?.sync_all()?;
            fs::rename(&partial, path)?;
            let folder = path.parent().unwrap_or(path);
            File::open(folder)?.sync_all()
        });
        written.map_err(|error| failed("write", path, error))
    }
}

/// The number of a text among those seen so far, from 1; 0 is none.
fn number(texts: &mut Vec<String>, text: Option<&str>) -> u16 {
    let Some(text) = text else {
        return 0;
    };
    let known = texts.iter().position(|known| known == text);
    let place = known.unwrap_or_else(|| {
        texts.push(text.to_owned());
        texts.len() - 1
    });
    u16::try_from(place + 1).unwrap_or(0)
}

/// Tells an entry that was damaged.
fn check(entry: &[u8; ENTRY]) -> [u8; 4] {
    (hash64(&entry[..60]) as u32).to_le_bytes()
}

/// Answers from the file of a use case, whichever is in place.
#[derive(Debug)]
pub(crate) struct OnlineScores {
    path: PathBuf,
    held: Mutex<Option<Arc<Held>>>,
}

impl OnlineScores {
    pub(crate) fn new(folder: &Folder, use_case: &str) -> OnlineScores {
        OnlineScores {
            path: folder.online(use_case),
            held: Mutex::default(),
        }
    }

    /// The score of a key; `None` where no batch is complete.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where the latest batch does not have the key, and where the file
    /// cannot be read.
    pub(crate) fn get(&self, id: &str) -> Result<Option<StoredScore>, EngineError> {
        let Some(held) = self.current()? else {
            return Ok(None);
        };
        match held.get(id).map_err(|e| failed("read", &self.path, e))? {
            Some(score) => Ok(Some(score)),
            None => Err(EngineError::NotFound(format!(
                "`{id}` is not among the {} keys of the batch {}: no event had named it by then",
                held.header.keys, held.header.job
            ))),
        }
    }

    /// The file that is in place now, opened once.
    fn current(&self) -> Result<Option<Arc<Held>>, EngineError> {
        // What it holds is whole whenever it changes.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let inode = fs::metadata(&self.path).map(|found| found.ino()).ok();
        if held.as_ref().map(|held| held.inode) != inode {
            *held = Held::open(&self.path)?.map(Arc::new);
        }
        Ok(held.clone())
    }
}

/// An open file.
#[derive(Debug)]
struct Held {
    file: File,
    inode: u64,
    header: Header,
    /// Where the entries begin.
    begin: u64,
    /// The first key of each block.
    firsts: Vec<Key>,
}

impl Held {
    fn open(path: &Path) -> Result<Option<Held>, EngineError> {
        match File::open(path) {
            Ok(file) => Held::read(file)
                .map(Some)
                .map_err(|error| failed("read", path, error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", path, error)),
        }
    }

    fn read(mut file: File) -> std::io::Result<Held> {
        let (mut magic, mut length) = ([0; 8], [0; 4]);
        file.read_exact(&mut magic)?;
        file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if magic != *MAGIC || length > HEADER_BYTES_MAX {
            return Err(damaged());
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header)?;
        let header: Header = serde_json::from_slice(&header)?;
        let found = file.metadata()?;
        let begin = 12 + u64::from(length);
        if found.len() != begin + (header.keys * ENTRY) as u64 {
            return Err(damaged());
        }
        let mut held = Held {
            inode: found.ino(),
            firsts: Vec::with_capacity(header.keys.div_ceil(BLOCK)),
            begin,
            header,
            file,
        };
        for first in (0..held.header.keys).step_by(BLOCK) {
            let mut key = [0; 16];
            held.file.read_exact_at(&mut key, held.place(first))?;
            held.firsts.push(Key(u128::from_le_bytes(key)));
        }
        Ok(held)
    }

    fn place(&self, entry: usize) -> u64 {
        self.begin + (entry * ENTRY) as u64
    }

    fn get(&self, id: &str) -> std::io::Result<Option<StoredScore>> {
        let key = Key::of(id);
        let Some(block) = self
            .firsts
            .partition_point(|first| *first <= key)
            .checked_sub(1)
        else {
            return Ok(None);
        };
        let first = block * BLOCK;
        let count = BLOCK.min(self.header.keys - first);
        let mut bytes = vec![0; count * ENTRY];
        self.file.read_exact_at(&mut bytes, self.place(first))?;
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        let key_of =
            |entry: &[u8; ENTRY]| u128::from_le_bytes(*entry.first_chunk().unwrap_or(&[0; 16]));
        match entries.binary_search_by_key(&key.0, key_of) {
            Ok(found) => self.decode(&entries[found]).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn decode(&self, entry: &[u8; ENTRY]) -> std::io::Result<StoredScore> {
        if entry[60..] != check(entry) {
            return Err(damaged());
        }
        let (numbers, _) = entry[16..56].as_chunks::<8>();
        let value = |place: usize| {
            let value = f64::from_le_bytes(numbers[place]);
            (!value.is_nan()).then_some(value)
        };
        let text = |texts: &[String], at: usize| {
            let number = u16::from_le_bytes([entry[at], entry[at + 1]]);
            texts.get(usize::from(number).checked_sub(1)?).cloned()
        };
        let header = &self.header;
        Ok(StoredScore {
            value: value(0),
            low: value(1),
            high: value(2),
            alive: value(3),
            purchases: value(4),
            segment: text(&header.segments, 56),
            reason: text(&header.reasons, 58),
            model: header.model.clone(),
            version: header.version.clone(),
            at: header.at,
            position: header.position,
            job: header.job.clone(),
        })
    }
}

fn damaged() -> std::io::Error {
    let what = "it is damaged: delete it, and score again; the next batch writes it anew";
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}
