//! Looking after the folder: what is in it, what was used, and damaged files that nobody needs any more.
//!
//! What may be deleted is somebody else's decision, except for damaged files: those are kept for diagnosis only.

use crate::{
    error::BlobError,
    name::{self, H256},
    store::BlobStore,
};
use std::{
    cmp::Reverse,
    collections::HashSet,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// A blob's file, as the file system describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredFile {
    /// The blob's name.
    pub hash: H256,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was written.
    pub written: SystemTime,
}

impl BlobStore {
    /// All blobs here with their sizes, in no particular order. No file is opened, and no content verified.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn files(&self) -> Result<Vec<StoredFile>, BlobError> {
        let found = listed(self.folder.dir())?;
        let files = found.into_iter().filter_map(|(path, file)| {
            let hash = name::parse(path.file_name()?.to_str()?)?;
            file.is_file().then(|| StoredFile {
                hash,
                size: file.len(),
                written: file.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            })
        });
        Ok(files.collect())
    }

    /// The blobs of which something was read since the last call, be it for us or for a peer.
    pub fn take_used(&self) -> HashSet<H256> {
        self.uses.take()
    }

    /// Deletes damaged files that were moved aside, but for the newest `keep` that together have at most `bytes` and were moved
    /// at most `age` ago. Returns how many bytes were freed.
    ///
    /// # Errors
    /// [`BlobError::Io`] of the first that can't be deleted; the others are.
    pub fn prune_corrupt(&self, keep: usize, bytes: u64, age: Duration) -> Result<u64, BlobError> {
        let mut files = listed(&self.folder.corrupt())?;
        files.retain(|(_, file)| file.is_file());
        files.sort_by_key(|(path, file)| (Reverse(file.modified().ok()), path.clone()));
        let (mut kept, mut freed, mut failed) = (0u64, 0u64, None);
        for (at, (path, file)) in files.into_iter().enumerate() {
            let is_old = file
                .modified()
                .is_ok_and(|written| written.elapsed().is_ok_and(|since| since > age));
            if at < keep && !is_old && kept.saturating_add(file.len()) <= bytes {
                kept = kept.saturating_add(file.len());
                continue;
            }
            match fs::remove_file(&path) {
                // One that can't be deleted keeps no other.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    failed.get_or_insert(BlobError::io("delete", path)(error));
                }
                _ => freed = freed.saturating_add(file.len()),
            }
        }
        failed.map_or(Ok(freed), Err)
    }
}

/// The files in a folder, if it is there. What vanishes meanwhile is left out.
fn listed(dir: &Path) -> Result<Vec<(PathBuf, Metadata)>, BlobError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BlobError::io("list", dir)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BlobError::io("list", dir))?;
        match entry.metadata() {
            Ok(file) => files.push((entry.path(), file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BlobError::io("read", entry.path())(error)),
        }
    }
    Ok(files)
}
