//! The chain's database while it is new. ParityDB can't open one whose making was interrupted, and a PC that loses power in its
//! first second would never start again: such a database is made anew.
//!
//! It must never take away a database into which a block was stored: a block maker's votes are in there, too.

use crate::error::Error;
use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Stands beside a database until a block is stored in it.
const ENDING: &str = "is-new";

/// A database without a block.
#[derive(Debug)]
pub struct Newborn {
    marker: PathBuf,
    /// Held, so that another node on the same folder leaves the database alone.
    _lock: File,
}

impl Newborn {
    /// Call before the database at this path is opened. What was left half made is gone afterwards. `None` if it isn't new.
    pub fn look(path: &Path) -> Result<Option<Self>, Error> {
        Self::prepare(path).map_err(|source| Error::BasePath {
            path: path.into(),
            source,
        })
    }

    fn prepare(path: &Path) -> io::Result<Option<Self>> {
        let marker = path.with_extension(ENDING);
        let is_there = path.exists();
        if let Some(folder) = marker.parent() {
            fs::create_dir_all(folder)?;
        }
        let opened = File::options()
            .write(true)
            .truncate(false)
            .create(!is_there)
            .open(&marker);
        let lock = match opened {
            Ok(file) => file,
            Err(error) if is_there && error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match lock.try_lock() {
            Ok(()) => {}
            // Another node is making it. The database has a lock of its own, which tells the user.
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // That other node was done just now.
        if lock.metadata()?.nlink() == 0 {
            return Ok(None);
        }
        if is_there {
            log::warn!(
                "💾 the database in {} was still empty when this node ended: it is made again",
                path.display()
            );
            fs::remove_dir_all(path)?;
        }
        lock.sync_all()?;
        Ok(Some(Self { marker, _lock: lock }))
    }

    /// A block is stored in it.
    pub fn grown(self) {
        if let Err(error) = fs::remove_file(&self.marker) {
            log::warn!(
                "💾 {} can't be removed ({error}): remove it, or the next start makes the database again",
                self.marker.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half_made(path: &Path) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("metadata"), "half of it").unwrap();
    }

    #[test]
    fn a_database_that_was_left_half_made_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paritydb/full");
        let first = Newborn::look(&path).unwrap().expect("there is none yet");
        half_made(&path);
        // A power cut.
        drop(first);
        let second = Newborn::look(&path).unwrap().expect("it has no block");
        assert!(!path.exists());
        half_made(&path);
        second.grown();
        assert!(Newborn::look(&path).unwrap().is_none());
        assert!(path.join("metadata").exists());
    }

    #[test]
    fn a_database_of_an_earlier_release_and_one_that_is_being_made_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        half_made(&path);
        assert!(Newborn::look(&path).unwrap().is_none());
        assert!(path.join("metadata").exists());

        let path = folder.path().join("other");
        let _making = Newborn::look(&path).unwrap().expect("there is none yet");
        half_made(&path);
        assert!(Newborn::look(&path).unwrap().is_none());
        assert!(path.join("metadata").exists());
    }
}
