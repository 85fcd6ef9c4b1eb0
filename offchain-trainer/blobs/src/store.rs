//! Storing blobs, and cutting slices out of them.
//!
//! All calls block on the disk: async callers use a blocking thread.

use crate::{
    error::BlobError,
    folder::Folder,
    name::{H256, hash},
    outboard::{compute, with_root},
    partial::PartialBlob,
    range::{SliceRange, tree},
    size::GROUP_SIZE,
    uses::Uses,
};
use bao_tree::io::{EncodeError, sync::encode_ranges_validated};
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

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
    pub(crate) folder: Folder,
    pub(crate) uses: Uses,
}

impl BlobStore {
    /// Opens the store in `dir`, creating the folder if needed, and sweeps what a crash left behind.
    ///
    /// # Errors
    /// [`BlobError::Io`] if the folder can't be made, read or locked.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let folder = Folder::open(dir.into())?;
        let uses = Uses::default();
        Ok(Self { folder, uses })
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
        let (_, outboard) = compute(bytes, bytes.len() as u64, self.folder.dir())?;
        let mut file = self.folder.temp_file()?;
        file.write_all(bytes)
            .map_err(BlobError::io("write", file.path()))?;
        self.folder.install(name, file, &outboard)?;
        Ok(name)
    }

    /// Stores what `write` writes, little by little, if that is the blob called `name`; it is on disk when this returns. `false`, and
    /// nothing is stored, if it is something else. Nothing is written if the blob is here and intact.
    ///
    /// Memory: 0.4 % of its size.
    ///
    /// # Errors
    /// [`BlobError::Io`], also for what `write` gives; [`BlobError::Slice`] if it is too large for any blob.
    pub fn put_written(
        &self,
        name: H256,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<bool, BlobError> {
        match self.verify(name) {
            Ok(true) => return Ok(true),
            // Storing it again repairs it.
            Ok(false) | Err(BlobError::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
        let mut file = self.folder.temp_file()?;
        let path = file.path().to_owned();
        let mut to = BufWriter::with_capacity(1 << 18, file.as_file_mut());
        let written = write(&mut to).and_then(|()| to.flush());
        written.map_err(BlobError::io("write", &path))?;
        drop(to);
        let size = file.as_file_mut().seek(SeekFrom::End(0));
        let size = size.map_err(BlobError::io("read", &path))?;
        let rewound = file.as_file_mut().rewind();
        rewound.map_err(BlobError::io("read", &path))?;
        // What is in the file counts, not what was meant to be written.
        let (found, outboard) = compute(BufReader::with_capacity(1 << 18, file.as_file()), size, &path)?;
        if found != name {
            return Ok(false);
        }
        self.folder.install(name, file, &outboard)?;
        Ok(true)
    }

    /// Reads a blob of at most `max_size` bytes and verifies it. `None` if it isn't here.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] before anything is read; [`BlobError::Corrupt`] if the content is wrong (the file is
    /// then moved aside); [`BlobError::Io`].
    pub fn get(&self, name: H256, max_size: u64) -> Result<Option<Vec<u8>>, BlobError> {
        let Some((file, size)) = self.folder.open_blob(name)? else {
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
            return Err(self.folder.quarantine(name)?);
        }
        self.uses.note(name);
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
        Ok(self.folder.open_blob(name)?.map(|(_, size)| size))
    }

    /// Whether the blob is here with the content that its name promises. Reads all of it, little by little.
    ///
    /// # Errors
    /// [`BlobError::Corrupt`] if the content is wrong (the file is then moved aside); [`BlobError::Io`].
    pub fn verify(&self, name: H256) -> Result<bool, BlobError> {
        let Some((file, _)) = self.folder.open_blob(name)? else {
            return Ok(false);
        };
        let mut hasher = blake3::Hasher::new();
        hasher
            .update_reader(file)
            .map_err(BlobError::io("read", self.path(name)))?;
        if hasher.finalize().as_bytes() != &name.0 {
            return Err(self.folder.quarantine(name)?);
        }
        Ok(true)
    }

    /// Where the blob is or would be. Whoever reads the file directly gets unverified bytes.
    pub fn path(&self, name: H256) -> PathBuf {
        self.folder.path(name)
    }

    /// Deletes the blob; `false` if it wasn't here.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn remove(&self, name: H256) -> Result<bool, BlobError> {
        self.folder.remove(name)
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
        self.folder.hashes()
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
            Err(EncodeFailure::Mismatch) => Err(self.folder.quarantine(name)?),
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
        PartialBlob::new(self.folder.clone(), name, size)
    }

    fn try_encode(&self, name: H256, range: SliceRange) -> Result<Option<EncodedSlice>, EncodeFailure> {
        let Some((file, total_size)) = self.folder.open_blob(name)? else {
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
            let path = self.folder.outboard_path(name);
            let outboard = match File::open(&path) {
                Ok(outboard) => outboard,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(EncodeFailure::Mismatch),
                Err(e) => return Err(BlobError::io("open", path)(e).into()),
            };
            encode_ranges_validated(&file, with_root(name, tree, outboard), &chunks, &mut bytes)
        };
        match written {
            Ok(()) => {
                self.uses.note(name);
                Ok(Some(EncodedSlice { total_size, bytes }))
            }
            // Anything else means that file and hash don't agree, a file that became shorter included.
            Err(EncodeError::Io(e)) if e.kind() != io::ErrorKind::UnexpectedEof => {
                Err(BlobError::io("read", self.path(name))(e).into())
            }
            Err(_) => Err(EncodeFailure::Mismatch),
        }
    }

    /// Hashes the blob again and rewrites its outboard. `false` if the blob isn't here.
    fn rebuild_outboard(&self, name: H256) -> Result<bool, BlobError> {
        let Some((file, size)) = self.folder.open_blob(name)? else {
            return Ok(false);
        };
        let path = self.path(name);
        let (actual, outboard) = compute(BufReader::with_capacity(1 << 18, file), size, &path)?;
        if actual != name {
            return Err(self.folder.quarantine(name)?);
        }
        self.folder.install_outboard(name, &outboard)?;
        Ok(true)
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
