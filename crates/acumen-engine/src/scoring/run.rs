//! The folder of one batch: what it is of, what of it is there, and what it came to.
//!
//! ```text
//! OUT/2026-03-01T02-00-00Z.partial/   while it runs, or was cut off
//!     run.json                        what it is of: fixed when it begins
//!     part-00000.parquet …            a file a batch, each whole or not there
//! OUT/2026-03-01T02-00-00Z/           when it is done: the same with coverage.json
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use acumen_base::Time;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

const RUN_FILE: &str = "run.json";
const COVERAGE_FILE: &str = "coverage.json";
const LOCK_FILE: &str = "lock";

/// What a batch is of: the same from its first part to its last, however often it is cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) use_case: String,
    /// The logical date.
    pub(super) at: Time,
    /// The date's place in the log.
    pub(super) position: u64,
    /// The model that answers.
    pub(super) model: String,
    /// Its version.
    pub(super) version: String,
    /// Keys that were known there.
    pub(super) keys: usize,
    /// Keys of a part.
    pub(super) batch_size: usize,
}

/// What a batch came to: every key that was known, scored or with a reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The use case.
    pub use_case: String,
    /// The logical date.
    pub at: Time,
    /// The model and version that answered.
    pub version: String,
    /// Keys that were known.
    pub keys: usize,
    /// Those that have a value.
    pub scored: usize,
    /// Those that have none, by reason.
    pub not_scored: BTreeMap<String, usize>,
    /// The sum of all values.
    pub value: f64,
    /// How many are in each band.
    pub segments: BTreeMap<String, usize>,
}

/// The folder of a batch, held by this process alone.
pub(super) struct RunFolder {
    partial: PathBuf,
    done: PathBuf,
    _lock: File,
}

/// What is found where a batch is to be written.
pub(super) enum Found {
    /// It is there already, in this folder.
    Done(Coverage, PathBuf),
    /// It has to be run, or run on.
    Open(RunFolder),
}

impl RunFolder {
    /// Looks at the place of a batch, and takes it.
    pub(super) fn open(out: &Path, use_case: &str, at: Time) -> Result<Found, EngineError> {
        let name = at.to_string().replace(':', "-");
        let (done, partial) = (out.join(&name), out.join(format!("{name}.partial")));
        if done.exists() {
            let coverage: Coverage = read(&done.join(COVERAGE_FILE))?;
            if coverage.use_case != use_case {
                return Err(EngineError::NotEnough(format!(
                    "{} holds scores of `{}`: name another folder for those of `{use_case}`",
                    done.display(),
                    coverage.use_case
                )));
            }
            return Ok(Found::Done(coverage, done));
        }
        fs::create_dir_all(&partial).map_err(|e| failed("make the folder", &partial, e))?;
        let lock = partial.join(LOCK_FILE);
        let file = File::create(&lock).map_err(|e| failed("write", &lock, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Found::Open(RunFolder {
                partial,
                done,
                _lock: file,
            })),
            Err(TryLockError::WouldBlock) => Err(EngineError::NotReady(format!(
                "another run is scoring `{use_case}` at {at} into {}: wait for it",
                partial.display()
            ))),
            Err(TryLockError::Error(error)) => Err(failed("lock", &lock, error)),
        }
    }

    /// What a run that was cut off was of.
    pub(super) fn begun(&self) -> Result<Option<Run>, EngineError> {
        let path = self.partial.join(RUN_FILE);
        match path.exists() {
            true => read(&path).map(Some),
            false => Ok(None),
        }
    }

    /// Notes what it is of.
    pub(super) fn begin(&self, run: &Run) -> Result<(), EngineError> {
        write(&self.partial.join(RUN_FILE), run)
    }

    /// The file of a part.
    pub(super) fn part(&self, number: usize) -> PathBuf {
        self.partial.join(format!("part-{number:05}.parquet"))
    }

    /// What a part came to is kept beside it, until all is added up.
    pub(super) fn tally(&self, number: usize) -> Option<Coverage> {
        read(&self.tally_path(number)).ok()
    }

    /// Keeps what a part came to; it counts as there from here on.
    pub(super) fn keep(&self, number: usize, tally: &Coverage) -> Result<(), EngineError> {
        write(&self.tally_path(number), tally)
    }

    fn tally_path(&self, number: usize) -> PathBuf {
        self.partial.join(format!("part-{number:05}.json"))
    }

    /// Ends it: it has its name from here on, which is given.
    pub(super) fn finish(self, parts: usize, coverage: &Coverage) -> Result<PathBuf, EngineError> {
        write(&self.partial.join(COVERAGE_FILE), coverage)?;
        for number in 0..parts {
            // One that was removed before the run was cut off is gone already.
            let _ = fs::remove_file(self.tally_path(number));
        }
        let _ = fs::remove_file(self.partial.join(LOCK_FILE));
        fs::rename(&self.partial, &self.done).map_err(|e| failed("name", &self.done, e))?;
        let folder = self.done.parent().unwrap_or(&self.done);
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| failed("sync", folder, e))?;
        Ok(self.done)
    }
}

impl Coverage {
    /// Adds what a part came to.
    pub(super) fn add(&mut self, part: &Coverage) {
        self.keys += part.keys;
        self.scored += part.scored;
        self.value += part.value;
        for (reason, count) in &part.not_scored {
            *self.not_scored.entry(reason.clone()).or_default() += count;
        }
        for (segment, count) in &part.segments {
            *self.segments.entry(segment.clone()).or_default() += count;
        }
    }
}

/// What a batch that is done was of.
pub(super) fn run_of(batch: &Path) -> Result<Run, EngineError> {
    read(&batch.join(RUN_FILE))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, EngineError> {
    let bytes = fs::read(path).map_err(|error| failed("read", path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| failed("read", path, error.into()))
}

/// Writes a file that is whole or not there.
fn write(path: &Path, content: &impl Serialize) -> Result<(), EngineError> {
    let partial = path.with_extension("partial");
    let bytes = serde_json::to_vec_pretty(content).map_err(|e| failed("write", path, e.into()))?;
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    });
    written.map_err(|error| failed("write", path, error))
}

pub(super) fn failed(action: &'static str, path: &Path, source: std::io::Error) -> EngineError {
    EngineError::File {
        action,
        path: path.to_owned(),
        source,
    }
}
