//! The folder with the blobs.
//!
//! Layout: `<hash>` holds a blob, `<hash>.obao` its outboard, `.tmp-*` what is being written, `corrupt/` what was
//! found damaged; hashes are 64 lower-case hex digits. The outboard always appears before its blob.
//!
//! All calls block on the disk: async callers use a blocking thread. Several processes may use one folder, since
//! files only ever appear whole; the lock file merely tells whether leftovers may be swept.

use crate::{
    BlobError, GROUP_SIZE, H256, PartialBlob, SliceRange, hash,
    outboard::{compute, with_root},
    range::tree,
};
use bao_tree::io::{EncodeError, sync::encode_ranges_validated};
use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::NamedTempFile;

const TEMP_PREFIX: &str = ".tmp-";
const OUTBOARD_SUFFIX: &str = ".obao";

/// A slice cut out of a blob, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedSlice {
    /// The whole blob's size in bytes.
    pub total_size: u64,
    /// Hash pairs and content, as [`SliceDecoder`](crate::SliceDecoder) takes them. At most about 1.01 MiB.
    pub bytes: Vec<u8>,
}

/// A content-addressed store in one folder. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct BlobStore {
    dir: PathBuf,
    // Held so that another process sees the folder in use.
    _lock: Arc<File>,
}

impl BlobStore {
    /// Opens the store in `dir`, creating the folder if needed, and sweeps what a crash left behind.
    ///
    /// # Errors
    /// [`BlobError::Io`] if the folder can't be made, read or locked.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let dir = dir.into();
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

    /// Stores `bytes` and returns their hash. They are on disk when this returns.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn put(&self, bytes: &[u8]) -> Result<H256, BlobError> {
        let name = hash(bytes);
        match self.get(name, bytes.len() as u64) {
            Ok(Some(_)) => return Ok(name),
            // Storing it again repairs it.
            Ok(None) | Err(BlobError::Corrupt { .. } | BlobError::TooLarge { .. }) => {}
            Err(error) => return Err(error),
        }
        let (_, outboard) = compute(bytes, bytes.len() as u64, &self.dir)?;
        let mut file = self.temp_file()?;
        file.write_all(bytes)
            .map_err(BlobError::io("write", file.path()))?;
        self.install(name, file, &outboard)?;
        Ok(name)
    }

    /// Reads a blob of at most `max_size` bytes and verifies it. `None` if it isn't here.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] before anything is read; [`BlobError::Corrupt`] if the content is wrong (the file is
    /// then moved aside); [`BlobError::Io`].
    pub fn get(&self, name: H256, max_size: u64) -> Result<Option<Vec<u8>>, BlobError> {
        let Some((file, size)) = self.open_blob(name)? else {
            return Ok(None);
        };
        if size > max_size {
            return Err(BlobError::TooLarge {
                hash: name,
                size,
                max: max_size,
            });
        }
        let mut bytes = Vec::with_capacity(size as usize);
        // One byte more than expected would show a file that grew meanwhile.
        file.take(size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(BlobError::io("read", self.path(name)))?;
        if hash(&bytes) != name {
            return Err(self.quarantine(name)?);
        }
        Ok(Some(bytes))
    }

    /// Whether the blob is here. Its content isn't verified.
    pub fn has(&self, name: H256) -> bool {
        self.path(name).is_file()
    }

    /// The blob's size in bytes, or `None` if it isn't here. Its content isn't verified.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn size(&self, name: H256) -> Result<Option<u64>, BlobError> {
        Ok(self.open_blob(name)?.map(|(_, size)| size))
    }

    /// Whether the blob is here with the content that its name promises. Reads all of it, little by little.
    ///
    /// # Errors
    /// [`BlobError::Corrupt`] if the content is wrong (the file is then moved aside); [`BlobError::Io`].
    pub fn verify(&self, name: H256) -> Result<bool, BlobError> {
        let Some((file, _)) = self.open_blob(name)? else {
            return Ok(false);
        };
        let mut hasher = blake3::Hasher::new();
        hasher
            .update_reader(file)
            .map_err(BlobError::io("read", self.path(name)))?;
        if hasher.finalize().as_bytes() != &name.0 {
            return Err(self.quarantine(name)?);
        }
        Ok(true)
    }

    /// Where the blob is or would be. Whoever reads the file directly gets unverified bytes.
    pub fn path(&self, name: H256) -> PathBuf {
        self.dir.join(format!("{name:x}"))
    }

    /// Deletes the blob; `false` if it wasn't here.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn remove(&self, name: H256) -> Result<bool, BlobError> {
        let path = self.path(name);
        // The blob first: an outboard alone is harmless, and swept when the store is next opened.
        let removed = remove_if_there(&path)?;
        remove_if_there(&self.outboard_path(name))?;
        Ok(removed)
    }

    /// Deletes every blob for which `keep(hash, size in bytes)` is false; returns the bytes freed.
    ///
    /// # Errors
    /// [`BlobError::Io`]; what was deleted until then stays deleted.
    pub fn retain(&self, mut keep: impl FnMut(H256, u64) -> bool) -> Result<u64, BlobError> {
        let mut freed = 0u64;
        for name in self.hashes()? {
            let Some(size) = self.size(name)? else { continue };
            if !keep(name, size) && self.remove(name)? {
                freed = freed.saturating_add(size);
            }
        }
        Ok(freed)
    }

    /// The hashes of all blobs here, in no particular order.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn hashes(&self) -> Result<Vec<H256>, BlobError> {
        Ok(file_names(&self.dir)?
            .iter()
            .filter_map(|name| parse_name(name))
            .collect())
    }

    /// Cuts `range` out of the blob, with its proof. `None` if the blob isn't here.
    ///
    /// What is returned has been verified: damage is found here, not by whoever receives it.
    ///
    /// # Errors
    /// [`BlobError::Slice`] if the range doesn't lie in the blob; [`BlobError::Corrupt`]; [`BlobError::Io`].
    pub fn encode_slice(&self, name: H256, range: SliceRange) -> Result<Option<EncodedSlice>, BlobError> {
        match self.try_encode(name, range) {
            Err(EncodeFailure::Mismatch) => {}
            Err(EncodeFailure::Blob(error)) => return Err(error),
            Ok(slice) => return Ok(slice),
        }
        // Blob or outboard is damaged. Only the blob matters: with it, the outboard can be made anew.
        if !self.rebuild_outboard(name)? {
            return Ok(None);
        }
        match self.try_encode(name, range) {
            Err(EncodeFailure::Mismatch) => Err(self.quarantine(name)?),
            Err(EncodeFailure::Blob(error)) => Err(error),
            Ok(slice) => Ok(slice),
        }
    }

    /// Begins a blob of exactly `size` bytes that will arrive in slices.
    ///
    /// Memory: 0.4 % of `size`. So `size` must be proven or declared by someone accountable, never what a peer said.
    ///
    /// # Errors
    /// [`BlobError::Slice`] for an impossible size; [`BlobError::Io`].
    pub fn partial(&self, name: H256, size: u64) -> Result<PartialBlob, BlobError> {
        PartialBlob::new(self.clone(), name, size)
    }

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

    fn install_outboard(&self, name: H256, outboard: &[u8]) -> Result<(), BlobError> {
        if outboard.is_empty() {
            return Ok(());
        }
        let mut file = self.temp_file()?;
        file.write_all(outboard)
            .map_err(BlobError::io("write", file.path()))?;
        persist(file, &self.outboard_path(name))
    }

    fn outboard_path(&self, name: H256) -> PathBuf {
        let mut path = self.path(name).into_os_string();
        path.push(OUTBOARD_SUFFIX);
        path.into()
    }

    fn open_blob(&self, name: H256) -> Result<Option<(File, u64)>, BlobError> {
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

    fn try_encode(&self, name: H256, range: SliceRange) -> Result<Option<EncodedSlice>, EncodeFailure> {
        let Some((file, total_size)) = self.open_blob(name)? else {
            return Ok(None);
        };
        let tree = tree(total_size).map_err(BlobError::from)?;
        let chunks = range.chunks(total_size).map_err(BlobError::from)?;
        let content = range.bytes_in(total_size).map_err(BlobError::from)?;
        let groups = content.div_ceil(GROUP_SIZE);
        // Hash pairs: fewer than one per group, and one per level of the tree above the range.
        let mut bytes = Vec::with_capacity((content + 64 * (groups + 64)) as usize);
        let written = if tree.outboard_size() == 0 {
            encode_ranges_validated(&file, with_root(name, tree, Vec::new()), &chunks, &mut bytes)
        } else {
            let path = self.outboard_path(name);
            let outboard = match File::open(&path) {
                Ok(outboard) => outboard,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(EncodeFailure::Mismatch),
                Err(e) => return Err(BlobError::io("open", path)(e).into()),
            };
            encode_ranges_validated(&file, with_root(name, tree, outboard), &chunks, &mut bytes)
        };
        match written {
            Ok(()) => Ok(Some(EncodedSlice { total_size, bytes })),
            // Anything else means that file and hash don't agree, a file that became shorter included.
            Err(EncodeError::Io(e)) if e.kind() != io::ErrorKind::UnexpectedEof => {
                Err(BlobError::io("read", self.path(name))(e).into())
            }
            Err(_) => Err(EncodeFailure::Mismatch),
        }
    }

    /// Hashes the blob again and rewrites its outboard. `false` if the blob isn't here.
    fn rebuild_outboard(&self, name: H256) -> Result<bool, BlobError> {
        let Some((file, size)) = self.open_blob(name)? else {
            return Ok(false);
        };
        let path = self.path(name);
        let (actual, outboard) = compute(BufReader::with_capacity(1 << 18, file), size, &path)?;
        if actual != name {
            return Err(self.quarantine(name)?);
        }
        self.install_outboard(name, &outboard)?;
        Ok(true)
    }

    /// Moves a damaged blob aside and returns the error that says so.
    fn quarantine(&self, name: H256) -> Result<BlobError, BlobError> {
        let dir = self.dir.join("corrupt");
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

/// Why a slice couldn't be cut: a damaged file can be looked into, other errors are the caller's.
enum EncodeFailure {
    Mismatch,
    Blob(BlobError),
}

impl From<BlobError> for EncodeFailure {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
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

/// Our names are exactly 64 lower-case hex digits; anything else in the folder is left alone.
fn parse_name(name: &str) -> Option<H256> {
    if name.len() != 64 || !name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut hash = H256::zero();
    for (i, byte) in hash.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(name.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(hash)
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
