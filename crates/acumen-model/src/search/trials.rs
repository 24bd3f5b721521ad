//! The file of trials: what a search that was cut off need not do again.
//!
//! One JSON object a line: first what the search was about, then a trial each, on the disk before
//! the next one begins. A line that was torn is cut off; a file about something else is begun
//! anew. Neither the number of trials nor the method is part of what it is about, because a trial
//! depends on neither: a longer search goes on from a shorter one.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{SearchPlan, Trial};
use crate::data::Dataset;

/// The trials of one search on the disk.
#[derive(Debug)]
pub struct TrialFile {
    path: PathBuf,
    file: File,
    known: BTreeMap<(usize, u64), Trial>,
}

/// A file of trials that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error(
    "the trials at {path} cannot be kept: {source}; mend that, or remove the file to search anew"
)]
pub struct TrialFileError {
    path: PathBuf,
    source: io::Error,
}

#[derive(Serialize, Deserialize)]
struct Head {
    search: String,
}

impl TrialFile {
    /// Opens the file at a path for a search on some rows by a version of the code; folders that
    /// are not there are made.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn open(
        path: &Path,
        plan: &SearchPlan<'_>,
        rows: &Dataset,
        code: &str,
    ) -> Result<TrialFile, TrialFileError> {
        let opened = TrialFile::try_open(path, &about(plan, rows, code));
        opened.map_err(|source| TrialFileError {
            path: path.to_owned(),
            source,
        })
    }

    fn try_open(path: &Path, about: &str) -> io::Result<TrialFile> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        let bytes = fs::read(path)?;
        let (known, length) = understood(&bytes, about);
        file.set_len(length as u64)?;
        if length == 0 {
            let head = Head {
                search: about.to_owned(),
            };
            write(&mut file, &head)?;
        }
        Ok(TrialFile {
            path: path.to_owned(),
            file,
            known,
        })
    }

    /// A trial that was judged before on a share of the rows.
    pub fn get(&self, number: usize, share: f64) -> Option<&Trial> {
        self.known.get(&(number, share.to_bits()))
    }

    /// How many trials it holds.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Adds a trial, durably.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, trial: &Trial) -> Result<(), TrialFileError> {
        write(&mut self.file, trial).map_err(|source| TrialFileError {
            path: self.path.clone(),
            source,
        })?;
        self.known
            .insert((trial.number, trial.share.to_bits()), trial.clone());
        Ok(())
    }
}

fn write(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    file.sync_data()
}

/// The trials of the whole lines at the beginning, and how long those lines are; nothing where the
/// file is about something else.
fn understood(bytes: &[u8], about: &str) -> (BTreeMap<(usize, u64), Trial>, usize) {
    let mut known = BTreeMap::new();
    let mut length = 0;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let whole = line.ends_with(b"\n");
        if index == 0 {
            match serde_json::from_slice::<Head>(line) {
                Ok(head) if whole && head.search == about => {}
                _ => break,
            }
        } else {
            match serde_json::from_slice::<Trial>(line) {
                Ok(trial) if whole => known.insert((trial.number, trial.share.to_bits()), trial),
                _ => break,
            };
        }
        length += line.len();
    }
    (known, length)
}

/// A hash of everything that the value of a trial depends on.
fn about(plan: &SearchPlan<'_>, rows: &Dataset, code: &str) -> String {
    let said = json!([
        code,
        plan.learner.name(),
        plan.given,
        plan.space,
        plan.spec.folds,
        plan.spec.metric,
        plan.gap,
        plan.seed,
        rows.matrix.columns.fingerprint,
    ]);
    let mut hash = Sha256::new();
    hash.update(said.to_string());
    let weight = rows.weight.iter();
    for values in rows.matrix.data.iter().chain([&rows.outcome]).chain(weight) {
        for value in values {
            hash.update(value.to_bits().to_le_bytes());
        }
    }
    for time in &rows.time {
        hash.update(time.0.to_le_bytes());
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
