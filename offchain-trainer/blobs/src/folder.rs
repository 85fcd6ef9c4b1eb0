//! The folder with the blobs: names, locks, and how a file gets its name.
//!
//! Layout: `<hash>` holds a blob, `<hash>.obao` its outboard if it has more than one slice, `<hash>.part` and `<hash>.seen`
//! one that is still arriving and the record of what is here of it, `.tmp-*` what is being written, `corrupt/` what was
//! found damaged; hashes are 64 lower-case hex digits. The outboard always appears before its blob.
//!
//! Several processes may use one folder, since blobs only ever appear whole, and what is arriving is locked; the lock file merely tells
//! whether leftovers may be swept. What is in the files isn't looked at here.

use crate::{
    error::BlobError,
    name::{self, H256},
    record::Record,
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::{NamedTempFile, TempPath};

const TEMP_PREFIX: &str = ".tmp-";
const OUTBOARD_SUFFIX: &str = ".obao";
const PARTIAL_SUFFIX: &str = ".part";
const RECORD_SUFFIX: &str = ".seen";
/// After this time nobody goes on with what had begun to arrive.
const ABANDONED: Duration = Duration::from_secs(7 * 24 * 3600);

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
        self.beside(name, OUTBOARD_SUFFIX)
    }

    pub(crate) fn partial_path(&self, name: H256) -> PathBuf {
        self.beside(name, PARTIAL_SUFFIX)
    }

    pub(crate) fn record_path(&self, name: H256) -> PathBuf {
        self.beside(name, RECORD_SUFFIX)
    }

    fn beside(&self, name: H256, suffix: &str) -> PathBuf {
        let mut path = self.path(name).into_os_string();
        path.push(suffix);
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

    /// What has begun to arrive, with the bytes it takes on disk at the most and when something of it last came, in no particular order.
    pub(crate) fn partials(&self) -> Result<Vec<(H256, u64, SystemTime)>, BlobError> {
        let mut found = Vec::new();
        for name in file_names(&self.dir)? {
            let Some(hash) = name.strip_suffix(PARTIAL_SUFFIX).and_then(name::parse) else {
                continue;
            };
            // It may be finished meanwhile.
            if let Ok(metadata) = fs::metadata(self.partial_path(hash)) {
                let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push((hash, metadata.len(), changed));
            }
        }
        Ok(found)
    }

    /// The content and the record of a blob that is arriving, made if they aren't here. The record is locked as long as it
    /// is open; `None` if somebody else has it open.
    pub(crate) fn open_partial(&self, name: H256) -> Result<Option<(File, File)>, BlobError> {
        let open = |path: PathBuf| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.open(&path).map_err(BlobError::io("open", path))
        };
        let record = open(self.record_path(name))?;
        match record.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(BlobError::io("lock", self.record_path(name))(error));
            }
        }
        Ok(Some((open(self.partial_path(name))?, record)))
    }

    /// The size in bytes that a blob which has begun to arrive is said to have.
    pub(crate) fn recorded_size(&self, name: H256) -> Result<Option<u64>, BlobError> {
        let path = self.record_path(name);
        match File::open(&path) {
            Ok(mut record) => Record::size(&mut record, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::io("open", path)(error)),
        }
    }

    /// Gives a partial blob that is complete, verified and on disk its name. Its outboard must be here.
    pub(crate) fn finish_partial(&self, name: H256) -> Result<(), BlobError> {
        let path = self.path(name);
        fs::rename(self.partial_path(name), &path).map_err(BlobError::io("rename a file to", path))?;
        sync_dir(&self.dir)?;
        remove_if_there(&self.record_path(name))?;
        Ok(())
    }

    /// Deletes what has arrived of the blob; `false` if there was nothing, or somebody is at it.
    pub(crate) fn remove_partial(&self, name: H256) -> Result<bool, BlobError> {
        if !self.partial_path(name).exists() {
            return Ok(false);
        }
        // Locked until both are gone: somebody may begin it anew meanwhile.
        let Some(_locked) = self.open_partial(name)? else {
            return Ok(false);
        };
        // The record last: without it, the content is swept when the store is next opened.
        let removed = remove_if_there(&self.partial_path(name))?;
        remove_if_there(&self.record_path(name))?;
        Ok(removed)
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

    /// Gives a complete, verified file its name. Its outboard, if it has one, must be here.
    pub(crate) fn install(&self, name: H256, file: NamedTempFile) -> Result<(), BlobError> {
        persist(file, &self.path(name))?;
        sync_dir(&self.dir)
    }

    /// As [`install`](Self::install), of a file that is on disk.
    pub(crate) fn rename_temporary(&self, name: H256, file: TempPath) -> Result<(), BlobError> {
        let path = self.path(name);
        file.persist(&path)
            .map_err(|error| BlobError::io("rename a file to", path)(error.error))?;
        sync_dir(&self.dir)
    }

    pub(crate) fn install_outboard(&self, name: H256, outboard: &[u8]) -> Result<(), BlobError> {
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
            Ok(()) => touch(&moved_to),
            // Another thread found the same damage first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BlobError::io("move aside", from)(error)),
        }
        remove_if_there(&self.outboard_path(name))?;
        tracing::error!(hash = ?name, ?moved_to, "a blob was damaged on disk and has been moved aside");
        Ok(BlobError::Corrupt { hash: name, moved_to })
    }
}

/// Deletes unfinished files, outboards without a blob, and what nobody will go on with.
fn sweep(dir: &Path) -> Result<(), BlobError> {
    for name in file_names(dir)? {
        let is_there = |hash: &str, suffix: &str| dir.join(format!("{hash}{suffix}")).exists();
        let part_of = |suffix: &str| {
            name.strip_suffix(suffix)
                .filter(|hash| name::parse(hash).is_some())
        };
        let orphan = name
            .strip_suffix(OUTBOARD_SUFFIX)
            .is_some_and(|blob| !dir.join(blob).exists());
        // Content and record are of use only together.
        let half = part_of(PARTIAL_SUFFIX).is_some_and(|hash| !is_there(hash, RECORD_SUFFIX))
            || part_of(RECORD_SUFFIX).is_some_and(|hash| !is_there(hash, PARTIAL_SUFFIX));
        let old = part_of(PARTIAL_SUFFIX)
            .or(part_of(RECORD_SUFFIX))
            .is_some_and(|_| {
                let changed = fs::metadata(dir.join(&name)).and_then(|metadata| metadata.modified());
                changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED))
            });
        if orphan || half || old || name.starts_with(TEMP_PREFIX) {
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

/// How long a damaged file is kept counts from when it was found to be damaged. One that can't be touched is deleted sooner.
fn touch(path: &Path) {
    let touched = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        tracing::warn!(?path, %error, "can't set the time of a damaged file");
    }
}

fn remove_if_there(path: &Path) -> Result<bool, BlobError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(BlobError::io("delete", path)(error)),
    }
}
