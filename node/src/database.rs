//! The chain's database while it is new. ParityDB can't open one whose making was interrupted, and a PC that loses power in its
//! first second would never start again: such a database is made anew, and the half-made one set aside.
//!
//! It must never take away a database into which a block was stored: a block maker's votes are in there, too.

use crate::error::Error;
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Stands beside a database until a block is stored in it.
const ENDING: &str = "is-new";
/// What the file says once one is, should it still be found.
const GROWN: &[u8] = b"grown";
/// How a half-made database is called afterwards.
const ASIDE: &str = "half-made";
/// So many of them are kept: a PC that waits for its network's first block makes its database at each start.
const MAX_ASIDE: usize = 4;

/// A database without a block.
#[derive(Debug)]
pub struct Newborn {
    marker: PathBuf,
    /// Held, so that another node on the same folder leaves the database alone.
    lock: File,
}

impl Newborn {
    /// Call before the database at this path is opened. What was left half made is out of the way afterwards. `None` if it
    /// isn't new.
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
        let now = lock.metadata()?;
        // That other node was done just now.
        if now.nlink() == 0 {
            return Ok(None);
        }
        if is_there && now.len() > 0 {
            // It has said so, and could not be removed. It still counts if it can't be now.
            let _ = forget(&marker);
            return Ok(None);
        }
        if is_there {
            set_aside(path)?;
        }
        // Of a database that somebody has removed since.
        lock.set_len(0)?;
        lock.sync_all()?;
        // Where the system can't do this for a folder, nothing better can be done either.
        let _ = sync(folder_of(&marker));
        Ok(Some(Self { marker, lock }))
    }

    /// A block is stored in it.
    pub fn grown(self) {
        // First: if the name comes back after a power cut, or can't be removed, the file tells.
        let said = (&self.lock).write_all(GROWN).and_then(|()| self.lock.sync_all());
        let removed = forget(&self.marker);
        if let (Err(error), Err(_)) = (removed, said) {
            log::warn!(
                "💾 {} can't be removed ({error}): remove it, or the next start sets the database aside and makes another",
                self.marker.display()
            );
        }
    }
}

/// Puts a database out of the way that has no block, as far as is known.
fn set_aside(path: &Path) -> io::Result<()> {
    let mut names = (1..=MAX_ASIDE).map(|number| match number {
        1 => path.with_extension(ASIDE),
        _ => path.with_extension(format!("{ASIDE}-{number}")),
    });
    let is_free = |name: &PathBuf| {
        fs::symlink_metadata(name).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let Some(aside) = names.find(is_free) else {
        log::warn!(
            "💾 the database in {} was still empty when this node ended: it is made again; {MAX_ASIDE} older ones are kept beside it",
            path.display()
        );
        return fs::remove_dir_all(path);
    };
    log::warn!(
        "💾 the database in {} was still empty when this node ended: it is made again, and the old one is kept in {}, which you \
         may delete",
        path.display(),
        aside.display()
    );
    fs::rename(path, aside)
}

/// Removes the marker, so that no power cut brings it back.
fn forget(marker: &Path) -> io::Result<()> {
    fs::remove_file(marker)?;
    sync(folder_of(marker))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// What was made and removed in a folder stays so.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half_made(path: &Path) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("metadata"), "half of it").unwrap();
    }

    fn is_new(path: &Path) -> bool {
        Newborn::look(path).unwrap().is_some()
    }

    #[test]
    fn a_database_that_was_left_half_made_is_made_again_and_kept_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paritydb/full");
        let first = Newborn::look(&path).unwrap().expect("there is none yet");
        half_made(&path);
        // A power cut.
        drop(first);
        let second = Newborn::look(&path).unwrap().expect("it has no block");
        assert!(!path.exists());
        assert!(folder.path().join("paritydb/full.half-made/metadata").exists());
        half_made(&path);
        second.grown();
        assert!(!is_new(&path));
        assert!(path.join("metadata").exists());
    }

    #[test]
    fn a_pc_that_waits_for_its_first_block_keeps_a_few_of_its_databases_and_not_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        for _ in 0..=2 * MAX_ASIDE {
            assert!(is_new(&path));
            half_made(&path);
        }
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected = [
            "full",
            "full.half-made",
            "full.half-made-2",
            "full.half-made-3",
            "full.half-made-4",
            "full.is-new",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_database_of_an_earlier_release_and_one_that_is_being_made_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        half_made(&path);
        assert!(!is_new(&path));
        assert!(path.join("metadata").exists());

        let path = folder.path().join("other");
        let _making = Newborn::look(&path).unwrap().expect("there is none yet");
        half_made(&path);
        assert!(!is_new(&path));
        assert!(path.join("metadata").exists());
    }

    #[test]
    fn a_database_with_blocks_is_left_alone_though_its_marker_is_back_or_could_not_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        let Newborn { marker, lock } = Newborn::look(&path).unwrap().expect("there is none yet");
        half_made(&path);
        // A folder is not removed as a file is, by nobody.
        Newborn {
            marker: folder.path().into(),
            lock,
        }
        .grown();
        assert_eq!(fs::read(&marker).unwrap(), GROWN);
        assert!(!is_new(&path));
        assert!(path.join("metadata").exists());
        assert!(!marker.exists(), "it can be removed now");

        fs::write(&marker, GROWN).unwrap();
        assert!(!is_new(&path));
        // Somebody begins anew: the next database has no block.
        fs::write(&marker, GROWN).unwrap();
        fs::remove_dir_all(&path).unwrap();
        assert!(is_new(&path));
        assert!(fs::read(&marker).unwrap().is_empty());
    }
}
