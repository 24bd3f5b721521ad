//! Snapshots of derived state: written atomically, verified when read, the last few kept.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::LogError;
use crate::log::sync_folder;

const MAGIC: &[u8; 8] = b"ACUMSNP1";
/// Magic, position, fingerprint, length, checksum.
const HEADER_BYTES: usize = 36;

/// The snapshots of a folder.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
}

/// A snapshot whose checksum was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// It holds the effect of every record before this position.
    pub position: u64,
    /// The fingerprint of what it is state of; of another one it is no use.
    pub fingerprint: u64,
    /// The state.
    pub bytes: Vec<u8>,
}

/// The newest snapshot that can be read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    /// It, if there is one.
    pub snapshot: Option<Snapshot>,
    /// Newer ones that cannot be read back, and why, in words.
    pub rejected: Vec<String>,
}

impl Snapshots {
    /// Opens or creates a folder of snapshots.
    ///
    /// # Errors
    /// [`LogError::Open`] where it cannot be created.
    pub fn open(folder: &Path) -> Result<Snapshots, LogError> {
        std::fs::create_dir_all(folder).map_err(|source| LogError::Open {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Snapshots {
            folder: folder.to_owned(),
        })
    }

    /// Writes a snapshot: wholly there and durable when this returns, or not there at all.
    ///
    /// # Errors
    /// [`LogError::Write`] or [`LogError::Sync`]; earlier snapshots are untouched.
    pub fn write(&self, position: u64, bytes: &[u8], fingerprint: u64) -> Result<(), LogError> {
        let path = self.path(position);
        let unfinished = path.with_extension("unfinished");
        let mut head = Vec::with_capacity(HEADER_BYTES);
        head.extend_from_slice(MAGIC);
        for number in [position, fingerprint, bytes.len() as u64] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&checksum(&head, bytes).to_le_bytes());
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&unfinished)?;
            file.write_all(&head)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)
        };
        if let Err(source) = write() {
            // What is left of it would only take the space that is missing.
            let _ = std::fs::remove_file(&unfinished);
            return Err(LogError::Write { path, source });
        }
        sync_folder(&self.folder)
    }

    /// The newest snapshot that can be read back, and the newer ones that cannot.
    ///
    /// # Errors
    /// [`LogError::Open`] where the folder cannot be listed.
    pub fn latest(&self) -> Result<Latest, LogError> {
        let mut latest = Latest::default();
        for position in self.list()?.into_iter().rev() {
            match self.read(position) {
                Ok(snapshot) => {
                    latest.snapshot = Some(snapshot);
                    return Ok(latest);
                }
                Err(why) => latest.rejected.push(format!(
                    "{} cannot be read back ({why}): an older snapshot, or the log from its \
                     start, is used instead",
                    self.path(position).display()
                )),
            }
        }
        Ok(latest)
    }

    /// The positions of the snapshots, rising.
    ///
    /// # Errors
    /// [`LogError::Open`] where the folder cannot be listed.
    pub fn list(&self) -> Result<Vec<u64>, LogError> {
        let open = |source| LogError::Open {
            path: self.folder.clone(),
            source,
        };
        let mut positions = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(open)? {
            let name = entry.map_err(open)?.file_name();
            let position = name.to_str().and_then(|n| n.strip_suffix(".snapshot"));
            positions.extend(position.and_then(|n| n.parse::<u64>().ok()));
        }
        positions.sort_unstable();
        Ok(positions)
    }

    /// Deletes all but the newest `keep` snapshots; returns how many went.
    ///
    /// # Errors
    /// [`LogError::Write`] where one cannot be deleted.
    pub fn prune(&self, keep: usize) -> Result<usize, LogError> {
        let positions = self.list()?;
        let surplus = positions.len().saturating_sub(keep);
        for position in &positions[..surplus] {
            let path = self.path(*position);
            std::fs::remove_file(&path).map_err(|source| LogError::Write { path, source })?;
        }
        Ok(surplus)
    }

    fn path(&self, position: u64) -> PathBuf {
        self.folder.join(format!("{position:020}.snapshot"))
    }

    fn read(&self, position: u64) -> Result<Snapshot, String> {
        let bytes = std::fs::read(self.path(position)).map_err(|error| error.to_string())?;
        let (head, body) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or("its head is incomplete")?;
        let number = |at: usize| {
            let bytes = head[at..]
                .first_chunk()
                .expect("the head holds three numbers");
            u64::from_le_bytes(*bytes)
        };
        if &head[..8] != MAGIC || number(8) != position {
            return Err("its head is not that of this snapshot".into());
        }
        if number(24) != body.len() as u64 {
            return Err(format!(
                "it has {} bytes instead of {}",
                body.len(),
                number(24)
            ));
        }
        if checksum(&head[..32], body).to_le_bytes() != head[32..] {
            return Err("its checksum is wrong".into());
        }
        Ok(Snapshot {
            position,
            fingerprint: number(16),
            bytes: body.to_vec(),
        })
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_can_be_read_back_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(folder.path()).unwrap();
        assert_eq!(snapshots.latest().unwrap(), Latest::default());
        for position in [10, 20, 30] {
            let state = vec![position as u8; 100];
            snapshots.write(position, &state, 0xfeed).unwrap();
        }
        assert_eq!(snapshots.prune(2).unwrap(), 1);
        assert_eq!(snapshots.list().unwrap(), [20, 30]);
        let path = snapshots.path(30);
        let whole = std::fs::read(&path).unwrap();
        for offset in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[offset] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let latest = snapshots.latest().unwrap();
            assert_eq!(latest.snapshot.unwrap().position, 20, "byte {offset}");
            assert_eq!(latest.rejected.len(), 1);
            std::fs::write(&path, &whole[..offset]).unwrap();
            assert_eq!(snapshots.latest().unwrap().rejected.len(), 1);
        }
        std::fs::write(&path, &whole).unwrap();
        let latest = snapshots.latest().unwrap();
        let expected = Snapshot {
            position: 30,
            fingerprint: 0xfeed,
            bytes: vec![30; 100],
        };
        assert_eq!(
            (latest.snapshot, latest.rejected.len()),
            (Some(expected), 0)
        );
    }
}
