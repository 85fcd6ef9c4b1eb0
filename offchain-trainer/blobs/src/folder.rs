//! The folder with the blobs: names, locks, and how a file gets its name.
//!
//! Layout: `<hash>` holds a blob, `<hash>.obao` its outboard, `.tmp-*` what is being written, `corrupt/` what was
//! found damaged; hashes are 64 lower-case hex digits. The outboard always appears before its blob.
//!
//! Several processes may use one folder, since files only ever appear whole; the lock file merely tells whether leftovers
//! may be swept. What is in the files isn't looked at here.

use crate::{
    error::BlobError,
    name::{self, H256},
};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::NamedTempFile;

const TEMP_PREFIX: &str = ".tmp-";
const OUTBOARD_SUFFIX: &str = ".obao";

/// One folder. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    dir: PathBuf,
    // Held so that another process sees the folder in use.
    _lock: Arc<File>,
}

impl Folder {
    /// Opens `dir`, creating it if needed, and sweeps what a crash left behind.
    pub(crate) fn open(dir: PathBuf) -> Result<Self, BlobError> {
        fs::create_dir_all(&dir).map_err(BlobError::io("create the blob folder", &dir))?;
        let lock_path = dir.join(".lock");
        let lock = File::create(&lock_path).map_err(BlobError::io("create", &lock_path))?;
        // Alone in the folder: temporary files are nobody's.
        if lock.try_lock().is_ok() {
            sweep(&dir)?;
            lock.unlock().map_err(BlobError::io("unlock", &lock_path))?;
        }
        lock.lock_shared().map_err(BlobError::io("lock", &lock_path))?;
        Ok(Self {
            dir,
            _lock: Arc::new(lock),
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where damaged files are moved.
    pub(crate) fn corrupt(&self) -> PathBuf {
        self.dir.join("corrupt")
    }

    /// Where the blob is or would be.
    pub(crate) fn path(&self, name: H256) -> PathBuf {
        self.dir.join(format!("{name:x}"))
    }

    pub(crate) fn outboard_path(&self, name: H256) -> PathBuf {
        let mut path = self.path(name).into_os_string();
        path.push(OUTBOARD_SUFFIX);
        path.into()
    }

    /// The blobs here, in no particular order.
    pub(crate) fn hashes(&self) -> Result<Vec<H256>, BlobError> {
        Ok(file_names(&self.dir)?
            .iter()
            .filter_map(|name| name::parse(name))
            .collect())
    }

    /// The blob's file and its size in bytes, if it is here.
    pub(crate) fn open_blob(&self, name: H256) -> Result<Option<(File, u64)>, BlobError> {
        let path = self.path(name);
        match File::open(&path) {
            Ok(file) => {
                let size = file.metadata().map_err(BlobError::io("read", &path))?.len();
                Ok(Some((file, size)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::io("open", path)(error)),
        }
    }

    /// Deletes the blob; `false` if it wasn't here.
    pub(crate) fn remove(&self, name: H256) -> Result<bool, BlobError> {
        // The blob first: an outboard alone is harmless, and swept when the store is next opened.
        let removed = remove_if_there(&self.path(name))?;
        remove_if_there(&self.outboard_path(name))?;
        Ok(removed)
    }

    /// A file that has no name yet, and is gone if it never gets one.
    pub(crate) fn temp_file(&self) -> Result<NamedTempFile, BlobError> {
        tempfile::Builder::new()
            .prefix(TEMP_PREFIX)
            .tempfile_in(&self.dir)
            .map_err(BlobError::io("create a file in", &self.dir))
    }

    /// Gives a complete, verified file its name.
    pub(crate) fn install(&self, name: H256, file: NamedTempFile, outboard: &[u8]) -> Result<(), BlobError> {
        self.install_outboard(name, outboard)?;
        persist(file, &self.path(name))?;
        sync_dir(&self.dir)
    }

    pub(crate) fn install_outboard(&self, name: H256, outboard: &[u8]) -> Result<(), BlobError> {
        if outboard.is_empty() {
            return Ok(());
        }
        let mut file = self.temp_file()?;
        file.write_all(outboard)
            .map_err(BlobError::io("write", file.path()))?;
        persist(file, &self.outboard_path(name))
    }

    /// Moves a damaged blob aside and returns the error that says so.
    pub(crate) fn quarantine(&self, name: H256) -> Result<BlobError, BlobError> {
        let dir = self.corrupt();
        fs::create_dir_all(&dir).map_err(BlobError::io("create", &dir))?;
        let from = self.path(name);
        let moved_to = from
            .file_name()
            .map_or_else(|| dir.clone(), |file| dir.join(file));
        match fs::rename(&from, &moved_to) {
            Ok(()) => {}
            // Another thread found the same damage first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BlobError::io("move aside", from)(error)),
        }
        remove_if_there(&self.outboard_path(name))?;
        tracing::error!(hash = ?name, ?moved_to, "a blob was damaged on disk and has been moved aside");
        Ok(BlobError::Corrupt { hash: name, moved_to })
    }
}

/// Deletes unfinished files and outboards without a blob.
fn sweep(dir: &Path) -> Result<(), BlobError> {
    for name in file_names(dir)? {
        let orphan = name
            .strip_suffix(OUTBOARD_SUFFIX)
            .is_some_and(|blob| !dir.join(blob).exists());
        if orphan || name.starts_with(TEMP_PREFIX) {
            remove_if_there(&dir.join(&name))?;
        }
    }
    Ok(())
}

fn file_names(dir: &Path) -> Result<Vec<String>, BlobError> {
    let entries = fs::read_dir(dir).map_err(BlobError::io("list", dir))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BlobError::io("list", dir))?;
        // A name that isn't UTF-8 isn't ours.
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

fn persist(file: NamedTempFile, path: &Path) -> Result<(), BlobError> {
    file.as_file()
        .sync_all()
        .map_err(BlobError::io("write to disk", file.path()))?;
    file.persist(path)
        .map_err(|error| BlobError::io("rename a file to", path)(error.error))?;
    Ok(())
}

/// After a rename only the folder's own entry may still be lost.
fn sync_dir(dir: &Path) -> Result<(), BlobError> {
    if cfg!(unix) {
        File::open(dir)
            .and_then(|d| d.sync_all())
            .map_err(BlobError::io("write to disk", dir))?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<bool, BlobError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(BlobError::io("delete", path)(error)),
    }
}
