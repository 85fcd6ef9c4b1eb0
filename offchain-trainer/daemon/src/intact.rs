//! Which files were found intact, so that a large one isn't hashed again for everyone who asks for it.
//!
//! Must never take a file for intact that has changed since: inode, length and times must be what they were.

use std::{
    collections::VecDeque,
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    sync::Mutex,
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_primitives::{BlobRef, H256};

use crate::lock;

/// How many files are remembered: those that are asked for are the newest versions of a few models.
const REMEMBERED: usize = 16;

/// A file as it was when it was found intact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    hash: H256,
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    fn of(hash: H256, file: &Metadata) -> Self {
        Self {
            hash,
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// The files that were found intact lately.
#[derive(Debug, Default)]
pub(crate) struct Intact(Mutex<VecDeque<Mark>>);

impl Intact {
    /// The blob's file, open for reading; `None` if it isn't in the store. Blocks: for as long as hashing takes, the
    /// first time.
    pub(crate) fn open(&self, store: &BlobStore, blob: BlobRef) -> Result<Option<File>, BlobError> {
        let path = store.path(blob.hash);
        let failed = |source| BlobError::Io {
            action: "read",
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mark = Mark::of(blob.hash, &file.metadata().map_err(failed)?);
        if mark.length != blob.size {
            return Ok(None);
        }
        // Held while hashing: who asks for the same file meanwhile waits instead of hashing it, too.
        let mut known = lock(&self.0);
        if known.contains(&mark) {
            return Ok(Some(file));
        }
        match store.verify(blob.hash) {
            Ok(true) => {}
            Ok(false) | Err(BlobError::Corrupt { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        // Verified was what has the name now: it must be what is open here.
        let now = fs::metadata(&path).map_err(failed)?;
        if Mark::of(blob.hash, &now) != mark {
            return Ok(None);
        }
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back(mark);
        Ok(Some(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_file_is_hashed_once_and_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).unwrap();
        let hash = store.put(b"weights").unwrap();
        let blob = BlobRef { hash, size: 7 };
        let intact = Intact::default();
        let mut file = intact.open(&store, blob).unwrap().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"weights");
        assert!(intact.open(&store, blob).unwrap().is_some());
        assert_eq!(lock(&intact.0).len(), 1);
        // As long as before, and wrong.
        let mut damaged = File::create(store.path(hash)).unwrap();
        damaged.write_all(b"weightS").unwrap();
        // The clock of files may be coarser than this test is quick.
        damaged.set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(intact.open(&store, blob).unwrap().is_none());
        assert!(!store.has(hash), "it is moved aside");
        store.put(b"weights").unwrap();
        assert!(intact.open(&store, blob).unwrap().is_some());
        assert!(intact.open(&store, BlobRef { hash, size: 8 }).unwrap().is_none());
    }

    #[test]
    fn only_a_few_files_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).unwrap();
        let intact = Intact::default();
        for n in 0..2 * REMEMBERED as u64 {
            let hash = store.put(&n.to_le_bytes()).unwrap();
            assert!(intact.open(&store, BlobRef { hash, size: 8 }).unwrap().is_some());
        }
        assert_eq!(lock(&intact.0).len(), REMEMBERED);
    }
}
