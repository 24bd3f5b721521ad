//! The quarantine's file: entries `[length u32][crc32 u32][postcard]`, one behind the other.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Counters, Quarantined};
use crate::error::LogError;

/// Bytes of an entry before its payload.
pub(super) const HEAD_BYTES: u64 = 8;

/// What happened to the quarantine.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry {
    /// A record was refused.
    Put(Quarantined),
    /// A record was taken for re-submission.
    Resolved(u64),
    /// A record was dropped for want of room.
    Dropped(u64),
    /// The counters when the file was rewritten.
    Counters(Counters),
}

pub(super) fn open(path: &Path) -> Result<File, LogError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|source| LogError::Open {
        path: path.to_owned(),
        source,
    })
}

/// An entry as it stands in the file.
pub(super) fn frame(entry: &Entry) -> Result<Vec<u8>, LogError> {
    let encode = |error: postcard::Error| LogError::Encode {
        what: error.to_string(),
    };
    let payload = postcard::to_stdvec(entry).map_err(encode)?;
    let mut bytes = Vec::with_capacity(payload.len() + HEAD_BYTES as usize);
    bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// Gives every entry with its payload's place to `each`; returns where the last whole one ends.
pub(super) fn scan(path: &Path, mut each: impl FnMut(Entry, u64, u32)) -> Result<u64, LogError> {
    let bytes = std::fs::read(path).map_err(|source| LogError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut offset = 0;
    while let Some(payload) = payload_at(&bytes, offset) {
        let Ok(entry) = postcard::from_bytes(payload) else {
            break;
        };
        let start = offset + HEAD_BYTES as usize;
        each(entry, start as u64, payload.len() as u32);
        offset = start + payload.len();
    }
    let behind = (offset + 1..bytes.len()).find(|next| {
        let payload = payload_at(&bytes, *next);
        payload.is_some_and(|payload| postcard::from_bytes::<Entry>(payload).is_ok())
    });
    match behind {
        None => Ok(offset as u64),
        Some(_) => Err(LogError::Corrupt {
            segment: path.to_owned(),
            offset: offset as u64,
            position: 0,
            what: "an entry of the quarantine is damaged".into(),
        }),
    }
}

/// The payload of a whole entry whose checksum is right.
fn payload_at(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let (length, rest) = bytes.get(offset..)?.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let payload = rest.get(..u32::from_le_bytes(*length) as usize)?;
    let right = crc32fast::hash(payload) == u32::from_le_bytes(*checksum);
    (right && !payload.is_empty()).then_some(payload)
}

/// Puts a file in the place of another, durably, and opens it.
pub(super) fn replace(unfinished: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    let mut file = options.open(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)?;
    Ok(file)
}
