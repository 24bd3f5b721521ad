//! A recommender on disk: one file, verified when it is read.
//!
//! The first line is `acumen recommender FORMAT SHA-256`; what follows is what the hash is of.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BrokenSource, Source};

/// The format that this build writes and reads.
const FORMAT: u32 = 2;
const MAGIC: &str = "acumen recommender";
/// How many hexadecimal digits of the hash name a version.
const VERSION_DIGITS: usize = 12;

/// A source, with everything that is needed to trust and to serve it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommender {
    /// The learner that fitted it.
    pub learner: String,
    /// All parameters of the learner as JSON, defaults included.
    pub parameters: String,
    /// The ids of the items, by number.
    pub items: Vec<Arc<str>>,
    /// What was learnt.
    pub source: Source,
    /// The seed of everything random in training.
    pub seed: u64,
    /// How many events it was fitted to.
    pub events: u64,
}

/// Why a recommender was not saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum RecommenderError {
    /// The file cannot be written or read.
    #[error("{path} cannot be {done}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// `written` or `read`.
        done: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Not a recommender of this format.
    #[error(
        "{path} is not a recommender of format {FORMAT}; train it again, or use the build that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are not those that were written.
    #[error("{path} was changed or damaged since it was written; restore it or train again")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The model is not what it says.
    #[error("{path} is broken: {source}; train it again")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: BrokenSource,
    },
}

impl Recommender {
    /// The version: the first digits of the SHA-256 of its content.
    pub fn version(&self) -> String {
        let mut version = hash(&self.content());
        version.truncate(VERSION_DIGITS);
        version
    }

    /// Saves it; the file appears whole or not at all. Returns the version.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<String, RecommenderError> {
        let content = self.content();
        let mut hash = hash(&content);
        let partial = path.with_extension("partial");
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(&partial)?;
            io::Write::write_all(&mut file, format!("{MAGIC} {FORMAT} {hash}\n").as_bytes())?;
            io::Write::write_all(&mut file, &content)?;
            file.sync_all()?;
            fs::rename(&partial, path)
        };
        write().map_err(|source| RecommenderError::File {
            path: path.to_owned(),
            done: "written",
            source,
        })?;
        hash.truncate(VERSION_DIGITS);
        Ok(hash)
    }

    /// Loads and verifies it.
    ///
    /// # Errors
    /// Where the file cannot be read, was damaged, or is of another format.
    pub fn load(path: &Path) -> Result<Recommender, RecommenderError> {
        let at = || path.to_owned();
        let bytes = fs::read(path).map_err(|source| RecommenderError::File {
            path: at(),
            done: "read",
            source,
        })?;
        let format = || RecommenderError::Format { path: at() };
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(format)?;
        let (head, content) = (&bytes[..end], &bytes[end + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| format())?;
        let known = head.strip_prefix(&format!("{MAGIC} {FORMAT} "));
        if known.ok_or_else(format)? != hash(content) {
            return Err(RecommenderError::Damaged { path: at() });
        }
        let read: Recommender = postcard::from_bytes(content).map_err(|_| format())?;
        let broken = |source| RecommenderError::Broken { path: at(), source };
        read.source.check().map_err(broken)?;
        let (known, named) = (read.source.n_items(), read.items.len());
        if known != named {
            let message = format!("it knows {known} items and names {named}");
            return Err(broken(BrokenSource(message)));
        }
        Ok(read)
    }

    fn content(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a recommender holds only text and numbers")
    }
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
