//! Storing blobs, and cutting slices out of them.
//!
//! All calls block on the disk: async callers use a blocking thread.

use crate::{
    at::read_exact_at,
    availability::Availability,
    error::BlobError,
    folder::Folder,
    index::Index,
    name::{H256, hash},
    outboard::{self, compute},
    partial::{Inner, PartialBlob},
    range::SliceRange,
    slice::{VerifiedSlice, slice_len},
    tree::{PAIR_SIZE, Tree},
    uses::Uses,
};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{Arc, Mutex, TryLockError},
    time::SystemTime,
};

/// A slice cut out of a blob, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedSlice {
    /// The whole blob's size in bytes.
    pub total_size: u64,
    /// Proof and content, as [`VerifiedSlice::verify`] takes them: [`slice_len`] bytes, behind the room that was asked for.
    pub bytes: Vec<u8>,
}

/// What there is of a slice that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// All of it.
    Slice(EncodedSlice),
    /// Not this slice, but others of the blob: it is arriving.
    NotYet,
    /// The blob isn't here.
    Nothing,
}

/// Of how many blobs it is remembered that their size is right.
const SIZES: usize = 4096;

/// A content-addressed store in one folder. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct BlobStore {
    pub(crate) folder: Folder,
    pub(crate) uses: Uses,
    index: Arc<Index<Inner>>,
    /// Files that were found to be intact when they had this length.
    sizes: Arc<Mutex<HashSet<(H256, u64)>>>,
}

impl BlobStore {
    /// Opens the store in `dir`, creating the folder if needed, and sweeps what a crash left behind.
    ///
    /// # Errors
    /// [`BlobError::Io`] if the folder can't be made, read or locked.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let folder = Folder::open(dir.into())?;
        let uses = Uses::default();
        let index = Arc::<Index<Inner>>::default();
        index.refresh(&folder)?;
        Ok(Self {
            folder,
            uses,
            index,
            sizes: Arc::default(),
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
        let mut file = self.folder.temp_file()?;
        file.write_all(bytes)
            .map_err(BlobError::io("write", file.path()))?;
        if outboard::is_kept(bytes.len() as u64) {
            let (_, outboard) = compute(bytes, bytes.len() as u64, self.folder.dir())?;
            self.folder.install_outboard(name, &outboard)?;
        }
        self.folder.install(name, file)?;
        self.index.insert(name);
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
        let (found, outboard) = compute(file.as_file(), size, &path)?;
        if found != name {
            return Ok(false);
        }
        if outboard::is_kept(size) {
            self.folder.install_outboard(name, &outboard)?;
        }
        self.folder.install(name, file)?;
        self.index.insert(name);
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
            return Err(self.quarantine(name)?);
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
            return Err(self.quarantine(name)?);
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
        self.index.remove(name);
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

    /// Whether something of the blob is here, as far as is known without looking at the disk: what other processes have done to the
    /// folder is known after a [`refresh`](Self::refresh).
    pub fn knows(&self, name: H256) -> bool {
        self.index.has(name)
    }

    /// Looks at what other processes have done to the folder, if it has changed.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn refresh(&self) -> Result<(), BlobError> {
        self.index.refresh(&self.folder)
    }

    /// How much of the blob can be served. The content isn't verified.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn availability(&self, name: H256) -> Result<Availability, BlobError> {
        if let Some(size) = self.size(name)? {
            return Ok(Availability::Whole { size });
        }
        let partial = self.index.partial(name);
        Ok(partial.map_or(Availability::None, |partial| Availability::of(partial.slices())))
    }

    /// Cuts `range` out of the blob, with its proof. `None` if the blob or this part of it isn't here.
    ///
    /// What is returned has been verified: damage is found here, not by whoever receives it.
    ///
    /// # Errors
    /// [`BlobError::Slice`] if the range doesn't lie in the blob; [`BlobError::Corrupt`], also if it doesn't because the file was
    /// shortened; [`BlobError::Io`].
    pub fn encode_slice(&self, name: H256, range: SliceRange) -> Result<Option<EncodedSlice>, BlobError> {
        Ok(match self.cut(name, range, 0, Vec::new())? {
            Cut::Slice(slice) => Some(slice),
            Cut::NotYet | Cut::Nothing => None,
        })
    }

    /// As [`encode_slice`](Self::encode_slice), of a blob that is still arriving, too; `buffer` is what the slice is made of, behind room
    /// for `room` bytes, so that a header can stand before it without a copy.
    ///
    /// # Errors
    /// As [`encode_slice`](Self::encode_slice).
    pub fn cut(&self, name: H256, range: SliceRange, room: usize, buffer: Vec<u8>) -> Result<Cut, BlobError> {
        match self.try_cut(name, range, room, buffer) {
            Err(CutFailure::Mismatch) => {}
            Err(CutFailure::Blob(error @ BlobError::Slice(_))) => {
                self.check_size(name)?;
                return Err(error);
            }
            Err(CutFailure::Blob(error)) => return Err(error),
            Ok(cut) => return Ok(cut),
        }
        // Blob or outboard is damaged. Only the blob matters: with it, the outboard can be made anew.
        if !self.rebuild_outboard(name)? {
            return Ok(Cut::Nothing);
        }
        match self.try_cut(name, range, room, Vec::new()) {
            Err(CutFailure::Mismatch) => Err(self.quarantine(name)?),
            Err(CutFailure::Blob(error)) => Err(error),
            Ok(cut) => Ok(cut),
        }
    }

    /// Goes on with a blob of exactly `size` bytes that arrives in slices, or begins it: what is here of it has been verified when this
    /// returns. While somebody holds it, what has arrived is served.
    ///
    /// Memory: 0.4 % of `size`. So `size` must be proven or declared by someone accountable, never what a peer said. Time: what is here is
    /// read and hashed.
    ///
    /// # Errors
    /// [`BlobError::Slice`] for an impossible size; [`BlobError::Io`].
    pub fn partial(&self, name: H256, size: u64) -> Result<PartialBlob, BlobError> {
        if let Some(inner) = self.index.partial(name).filter(|held| held.tree().size() == size) {
            return Ok(PartialBlob { inner });
        }
        let partial = PartialBlob::open(self.folder.clone(), self.index.clone(), name, size)?;
        self.index.hold(name, &partial.inner);
        Ok(partial)
    }

    /// Goes on with a blob of which something is here already, if `allows` the size that it was begun with. Unless
    /// [`proves_size`](PartialBlob::proves_size), that size is only what was declared then.
    ///
    /// # Errors
    /// As [`partial`](Self::partial).
    pub fn resume(&self, name: H256, allows: impl Fn(u64) -> bool) -> Result<Option<PartialBlob>, BlobError> {
        let size = match self.index.partial(name) {
            Some(held) => Some(held.tree().size()),
            None => self.folder.recorded_size(name)?,
        };
        match size.filter(|size| Tree::new(*size).is_ok() && allows(*size)) {
            Some(size) => self.partial(name, size).map(Some),
            None => Ok(None),
        }
    }

    /// Blobs that have begun to arrive: name, bytes they take on disk at the most, and when something of them last came.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn partials(&self) -> Result<Vec<(H256, u64, SystemTime)>, BlobError> {
        self.folder.partials()
    }

    /// Deletes what has arrived of a blob that isn't whole; `false` if there was nothing, or somebody holds it.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn remove_partial(&self, name: H256) -> Result<bool, BlobError> {
        self.folder.remove_partial(name)
    }

    fn quarantine(&self, name: H256) -> Result<BlobError, BlobError> {
        self.index.remove(name);
        self.folder.quarantine(name)
    }

    /// Somebody asks for what lies behind the end: the file may have been shortened. It is read and verified for that, once as long as its
    /// length stays the same, and one at a time: strangers may ask for anything.
    fn check_size(&self, name: H256) -> Result<(), BlobError> {
        let Some((_, size)) = self.folder.open_blob(name)? else {
            return Ok(());
        };
        let mut known = match self.sizes.try_lock() {
            Ok(known) => known,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        if !known.contains(&(name, size)) && self.verify(name)? {
            if known.len() >= SIZES {
                known.clear();
            }
            known.insert((name, size));
        }
        Ok(())
    }

    fn try_cut(
        &self,
        name: H256,
        range: SliceRange,
        room: usize,
        mut slice: Vec<u8>,
    ) -> Result<Cut, CutFailure> {
        let Some((file, size)) = self.folder.open_blob(name)? else {
            self.index.remove(name);
            return match self.index.partial(name) {
                Some(partial) => Ok(cut_partial(&partial, name, range, room, slice)?),
                None => Ok(Cut::Nothing),
            };
        };
        let path = self.path(name);
        let tree = Tree::new(size).map_err(BlobError::from)?;
        let span = tree.span(range).map_err(BlobError::from)?;
        let nodes = tree.straddling(span);
        slice.resize(room + slice_len(size, range).map_err(BlobError::from)?, 0);
        let (proof, content) = slice[room..].split_at_mut(nodes.len() * PAIR_SIZE);
        read_exact_at(&file, content, range.offset()).map_err(unless_short("read", &path))?;
        let pairs = nodes.iter().map(|node| node.pair() * PAIR_SIZE as u64);
        let pairs = proof.chunks_mut(PAIR_SIZE).zip(pairs);
        if nodes.is_empty() {
        } else if outboard::is_kept(size) {
            let path = self.folder.outboard_path(name);
            let outboard = match File::open(&path) {
                Ok(outboard) => outboard,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(CutFailure::Mismatch),
                Err(e) => return Err(BlobError::io("open", path)(e).into()),
            };
            for (pair, at) in pairs {
                read_exact_at(&outboard, pair, at).map_err(unless_short("read", &path))?;
            }
        } else {
            // A megabyte at the most, whose hashes nobody keeps.
            let (_, outboard) = compute(&file, size, &path)?;
            for (pair, at) in pairs {
                if let Some(from) = outboard.get(at as usize..at as usize + PAIR_SIZE) {
                    pair.copy_from_slice(from);
                }
            }
        }
        match VerifiedSlice::verify_behind(room, name, size, range, slice) {
            Ok(slice) => {
                self.uses.note(name);
                Ok(Cut::Slice(EncodedSlice {
                    total_size: size,
                    bytes: slice.into_buffer(),
                }))
            }
            Err(_) => Err(CutFailure::Mismatch),
        }
    }

    /// Hashes the blob again and rewrites its outboard. `false` if the blob isn't here.
    fn rebuild_outboard(&self, name: H256) -> Result<bool, BlobError> {
        let Some((file, size)) = self.folder.open_blob(name)? else {
            return Ok(false);
        };
        let path = self.path(name);
        let (actual, outboard) = compute(file, size, &path)?;
        if actual != name {
            return Err(self.quarantine(name)?);
        }
        if outboard::is_kept(size) {
            self.folder.install_outboard(name, &outboard)?;
        }
        Ok(true)
    }
}

/// Part of a blob that is still arriving.
fn cut_partial(
    partial: &Inner,
    name: H256,
    range: SliceRange,
    room: usize,
    mut slice: Vec<u8>,
) -> Result<Cut, BlobError> {
    let tree = partial.tree();
    let nodes = tree.straddling(tree.span(range)?);
    if !partial.has(range) {
        return Ok(Cut::NotYet);
    }
    slice.resize(room + slice_len(tree.size(), range)?, 0);
    let (proof, content) = slice[room..].split_at_mut(nodes.len() * PAIR_SIZE);
    for (to, node) in proof.chunks_mut(PAIR_SIZE).zip(nodes) {
        if let Some(pair) = partial.pair(node.pair()) {
            to.copy_from_slice(&pair);
        }
    }
    if let Err(error) = partial.read(content, range.offset()) {
        tracing::warn!(hash = ?name, %error, "can't read what has arrived of a blob");
        return Ok(Cut::NotYet);
    }
    Ok(
        match VerifiedSlice::verify_behind(room, name, tree.size(), range, slice) {
            Ok(slice) => Cut::Slice(EncodedSlice {
                total_size: tree.size(),
                bytes: slice.into_buffer(),
            }),
            // Damaged since it was written: it won't be served, and is found out again before the blob is used.
            Err(_) => Cut::NotYet,
        },
    )
}

/// Why a slice couldn't be cut: a damaged file can be looked into, other errors are the caller's.
enum CutFailure {
    Mismatch,
    Blob(BlobError),
}

impl From<BlobError> for CutFailure {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

/// A file that became shorter is a damaged one.
fn unless_short(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> CutFailure {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => CutFailure::Mismatch,
        _ => CutFailure::Blob(BlobError::io(action, path)(error)),
    }
}
