//! A blob that is still arriving.
//!
//! Takes slices in any order and from several threads at once, and collects the outboard from what proves them, so that
//! a fetched blob can be served at once without hashing it again. Its verified parts are served while the rest is coming.
//!
//! A blob of more than one slice lies under a name of its own (`<hash>.part`), beside a record of what is here
//! (`<hash>.seen`): after a crash or a fetch that was given up, all of that is verified once more and the fetch goes on from there. A
//! slice is noted after it has been written, so a process that is killed loses what it was just writing. A power cut may lose
//! more, since not every slice waits for the disk ([`SYNC_EVERY`]); the record then promises what isn't there, and that is found out.

use crate::{
    at::{read_exact_at, write_all_at},
    availability::SliceSet,
    error::BlobError,
    folder::Folder,
    index::Index,
    name::H256,
    outboard,
    range::SliceRange,
    record::Record,
    size::MAX_SLICE_SIZE,
    slice::VerifiedSlice,
    tree::{PAIR_SIZE, Pair, Span, Tree},
};
use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tempfile::TempPath;

/// Bytes that may have been written without waiting for the disk: what a power cut may cost.
const SYNC_EVERY: u64 = 64 * 1024 * 1024;
/// Groups in a slice: as many as a word has bits.
const GROUPS: u64 = 64;

/// A blob under construction; [`BlobStore::partial`](crate::BlobStore::partial) makes one. Clones share it. What
/// has arrived of a large blob (more than 1 MiB) stays on disk when the last one is dropped, and is found again.
#[derive(Debug, Clone)]
pub struct PartialBlob {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    folder: Folder,
    index: Arc<Index<Inner>>,
    hash: H256,
    tree: Tree,
    content: File,
    place: Place,
    state: Mutex<State>,
}

/// Where it is.
#[derive(Debug)]
enum Place {
    /// Without a name: gone with the last handle.
    Temporary(Mutex<Option<TempPath>>),
    /// Under its own name, with a record. Whoever has the record open has it locked.
    Kept(Mutex<Record>),
}

#[derive(Debug)]
struct State {
    outboard: Vec<u8>,
    /// One bit for each group, a word for each slice.
    present: Vec<u64>,
    unsynced: u64,
    is_finished: bool,
}

impl PartialBlob {
    /// Goes on with what is on disk of the blob, or begins.
    pub(crate) fn open(
        folder: Folder,
        index: Arc<Index<Inner>>,
        hash: H256,
        size: u64,
    ) -> Result<Self, BlobError> {
        let tree = Tree::new(size)?;
        let mut state = State {
            outboard: vec![0; tree.outboard_size()],
            present: vec![0; tree.groups().div_ceil(GROUPS) as usize],
            unsynced: 0,
            is_finished: false,
        };
        let kept = match size > MAX_SLICE_SIZE {
            true => folder.open_partial(hash)?,
            false => None,
        };
        let (content, place) = match kept {
            Some((content, mut record)) => {
                let path = folder.record_path(hash);
                // What is behind the end would be in the way.
                let path_of_content = folder.partial_path(hash);
                let cut = content
                    .metadata()
                    .and_then(|metadata| match metadata.len() > size {
                        true => content.set_len(size),
                        false => Ok(()),
                    });
                cut.map_err(BlobError::io("write", &path_of_content))?;
                let same = Record::size(&mut record, &path)? == Some(size);
                let record = if same {
                    Record::resume(record, &path, (hash, size), &content, |slice| state.take(slice))?
                } else {
                    content
                        .set_len(0)
                        .map_err(BlobError::io("write", path_of_content))?;
                    Record::create(record, &path, size)?
                };
                (content, Place::Kept(Mutex::new(record)))
            }
            // Small, or another process is at it.
            None => {
                let (content, path) = folder.temp_file()?.into_parts();
                (content, Place::Temporary(Mutex::new(Some(path))))
            }
        };
        let inner = Inner {
            folder,
            index,
            hash,
            tree,
            content,
            place,
            state: Mutex::new(state),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The blob's name.
    pub fn hash(&self) -> H256 {
        self.inner.hash
    }

    /// The blob's declared size in bytes.
    pub fn size(&self) -> u64 {
        self.inner.tree.size()
    }

    /// Whether all of `range` has been written.
    pub fn has(&self, range: SliceRange) -> bool {
        self.inner.has(range)
    }

    /// Whether the blob's last group is here, which proves its size.
    pub fn proves_size(&self) -> bool {
        let last = self.inner.tree.groups() - 1;
        let state = self.inner.state();
        words(Span {
            first: last,
            end: last + 1,
        })
        .all(|(at, mask)| state.present.get(at).is_some_and(|word| word & mask == mask))
    }

    /// Which slices have been written.
    pub fn slices(&self) -> SliceSet {
        self.inner.slices()
    }

    /// Stores one slice. Writing a slice twice does no harm.
    ///
    /// # Errors
    /// [`BlobError::WrongBlob`] if it was cut from another blob or for another size; [`BlobError::Io`].
    pub fn write(&self, slice: &VerifiedSlice) -> Result<(), BlobError> {
        let Inner {
            folder,
            hash,
            content,
            place,
            ..
        } = &*self.inner;
        if slice.hash() != *hash || slice.blob_size() != self.size() {
            return Err(BlobError::WrongBlob {
                slice: slice.hash(),
                partial: *hash,
            });
        }
        if self.has(slice.range()) || self.inner.state().is_finished {
            return Ok(());
        }
        write_all_at(content, slice.data(), slice.offset())
            .map_err(BlobError::io("write", folder.partial_path(*hash)))?;
        let sync = {
            let mut state = self.inner.state();
            state.take(slice);
            state.unsynced += slice.data().len() as u64;
            let sync = state.unsynced >= SYNC_EVERY;
            if sync {
                state.unsynced = 0;
            }
            sync
        };
        if let Place::Kept(record) = place {
            lock(record).note(slice)?;
            if sync {
                self.inner.sync_content()?;
                lock(record).sync()?;
            }
        }
        Ok(())
    }

    /// Makes the blob part of the store; returns its size in bytes. It is on disk when this returns. Harmless when repeated.
    ///
    /// # Errors
    /// [`BlobError::Incomplete`] while slices are missing; [`BlobError::Io`].
    pub fn finish(&self) -> Result<u64, BlobError> {
        let Inner {
            folder,
            index,
            hash,
            tree,
            place,
            ..
        } = &*self.inner;
        let size = tree.size();
        let mut state = self.inner.state();
        if state.is_finished {
            return Ok(size);
        }
        let present: u64 = state
            .present
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum();
        if present < tree.groups() {
            return Err(BlobError::Incomplete {
                hash: *hash,
                missing: tree.groups() - present,
            });
        }
        self.inner.sync_content()?;
        if outboard::is_kept(size) {
            folder.install_outboard(*hash, &state.outboard)?;
        }
        match place {
            Place::Temporary(path) => {
                if let Some(path) = lock(path).take() {
                    folder.rename_temporary(*hash, path)?;
                }
            }
            Place::Kept(_) => folder.finish_partial(*hash)?,
        }
        index.insert(*hash);
        state.is_finished = true;
        Ok(size)
    }
}

impl Inner {
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn slices(&self) -> SliceSet {
        let mut set = SliceSet::none_of(&self.tree);
        let state = self.state();
        for (index, present) in (0..).zip(&state.present) {
            let groups = (self.tree.groups() - index * GROUPS).min(GROUPS);
            if u64::from(present.count_ones()) == groups {
                set.insert(index);
            }
        }
        set
    }

    pub(crate) fn has(&self, range: SliceRange) -> bool {
        let Ok(span) = self.tree.span(range) else {
            return false;
        };
        let state = self.state();
        words(span).all(|(at, mask)| state.present.get(at).is_some_and(|word| word & mask == mask))
    }

    /// The pair of the outboard with this number, if a slice that is here has proven it.
    pub(crate) fn pair(&self, number: u64) -> Option<Pair> {
        let at = usize::try_from(number).ok()?.checked_mul(PAIR_SIZE)?;
        self.state().outboard.get(at..at + PAIR_SIZE)?.try_into().ok()
    }

    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        read_exact_at(&self.content, buffer, offset)
    }

    fn sync_content(&self) -> Result<(), BlobError> {
        self.content.sync_data().map_err(BlobError::io(
            "write to disk",
            self.folder.partial_path(self.hash),
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Takes note of a slice that is in the file.
    fn take(&mut self, slice: &VerifiedSlice) {
        for (number, pair) in slice.pairs() {
            let at = *number as usize * PAIR_SIZE;
            if let Some(target) = self.outboard.get_mut(at..at + PAIR_SIZE) {
                target.copy_from_slice(pair);
            }
        }
        for (at, mask) in words(slice.span()) {
            if let Some(word) = self.present.get_mut(at) {
                *word |= mask;
            }
        }
    }
}

/// Where the bits of `span` are: words, and which bits in them. Two at the most, as a span is no longer than a slice.
fn words(span: Span) -> impl Iterator<Item = (usize, u64)> {
    (span.first / GROUPS..=(span.end - 1) / GROUPS).map(move |word| {
        let from = span.first.max(word * GROUPS) - word * GROUPS;
        let to = span.end.min((word + 1) * GROUPS) - word * GROUPS;
        let below = |bit: u64| if bit == GROUPS { u64::MAX } else { (1 << bit) - 1 };
        (word as usize, below(to) & !below(from))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
