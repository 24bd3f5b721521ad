//! What can go wrong with the log, said so that a user knows what to do.

use std::io;
use std::path::PathBuf;

/// Why an operation of the log, the snapshots or the quarantine failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file or folder cannot be opened, listed or created.
    #[error("cannot open {path}: {source} — check that the folder exists and is writable")]
    Open {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error(
        "{folder} is in use by another process — stop that process, or name another data folder; \
         two writers of one folder would destroy it"
    )]
    Locked {
        /// The data folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written; nothing that was acknowledged is lost.
    #[error("cannot write {path}: {source}{}", advice(source))]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system could not put written bytes on the disk.
    #[error(
        "cannot sync {path} to the disk: {source} — what was not acknowledged may be lost; \
         check the disk, then restart"
    )]
    Sync {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier write or sync failed, and the log acknowledges nothing since.
    #[error("the log takes no more records since a write failed ({why}) — mend that, then restart")]
    Poisoned {
        /// The first failure.
        why: String,
    },
    /// A record that was once written can no longer be read, and it is not the torn end.
    #[error(
        "{segment} is damaged at byte {offset}, position {position}: {what} — restore this file \
         from a backup, or open the log in salvage mode, which skips what is damaged and names it"
    )]
    Corrupt {
        /// The segment file.
        segment: PathBuf,
        /// Where in the file.
        offset: u64,
        /// The position of the record that should stand there.
        position: u64,
        /// What is wrong.
        what: String,
    },
    /// A position is not in the log.
    #[error("position {position} is not in the log, which holds {first} to {next} (exclusive)")]
    NotThere {
        /// The position asked for.
        position: u64,
        /// The first position that is there.
        first: u64,
        /// The position after the last.
        next: u64,
    },
    /// A record is longer than the log takes.
    #[error("a record of {bytes} bytes is longer than the limit of {limit} (RECORD_BYTES_MAX)")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is taken.
        limit: usize,
    },
    /// A record contradicts itself, such as an event with too few values.
    #[error("cannot encode a record: {what}")]
    Encode {
        /// What contradicts.
        what: String,
    },
    /// The log may not be trimmed there.
    #[error("refused to trim the log before position {position}: {why}")]
    Trim {
        /// The position asked for.
        position: u64,
        /// Why not.
        why: String,
    },
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " — the disk is full: free space (or move the data folder), then restart; \
             nothing acknowledged is lost"
        }
        _ => " — nothing acknowledged is lost; mend the cause, then restart",
    }
}
