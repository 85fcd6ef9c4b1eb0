//! A blob that is still arriving.
//!
//! Takes slices in any order, writes them to a temporary file beside the finished blobs, and collects the outboard
//! from the proofs that came with them, so that a fetched blob can be served at once without hashing it again.

use crate::{
    error::BlobError,
    folder::Folder,
    name::H256,
    range::{SliceRange, tree},
    size::GROUP_SIZE,
    slice::VerifiedSlice,
};
use bao_tree::BaoTree;
use std::io::{Seek, SeekFrom, Write};
use tempfile::NamedTempFile;

/// A blob under construction; [`BlobStore::partial`](crate::BlobStore::partial) makes one. Dropping it deletes what has arrived.
#[derive(Debug)]
pub struct PartialBlob {
    folder: Folder,
    hash: H256,
    tree: BaoTree,
    file: NamedTempFile,
    outboard: Vec<u8>,
    /// One flag per 16 KiB group.
    present: Vec<bool>,
}

impl PartialBlob {
    pub(crate) fn new(folder: Folder, hash: H256, size: u64) -> Result<Self, BlobError> {
        let tree = tree(size)?;
        let file = folder.temp_file()?;
        Ok(Self {
            folder,
            hash,
            tree,
            file,
            outboard: vec![0; tree.outboard_size() as usize],
            present: vec![false; tree.blocks() as usize],
        })
    }

    /// The blob's name.
    pub fn hash(&self) -> H256 {
        self.hash
    }

    /// The blob's declared size in bytes.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Whether all of `range` has been written.
    pub fn has(&self, range: SliceRange) -> bool {
        let Ok(bytes) = range.bytes_in(self.size()) else {
            return false;
        };
        let (first, count) = groups(range.offset(), bytes);
        self.present
            .iter()
            .skip(first)
            .take(count)
            .all(|present| *present)
    }

    /// Stores one slice. Writing a slice twice does no harm.
    ///
    /// # Errors
    /// [`BlobError::WrongBlob`] if it was cut from another blob or for another size; [`BlobError::Io`].
    pub fn write(&mut self, slice: &VerifiedSlice) -> Result<(), BlobError> {
        if slice.hash() != self.hash || slice.blob_size() != self.size() {
            return Err(BlobError::WrongBlob {
                slice: slice.hash(),
                partial: self.hash,
            });
        }
        let path = self.file.path().to_owned();
        let file = self.file.as_file_mut();
        file.seek(SeekFrom::Start(slice.offset()))
            .and_then(|_| file.write_all(slice.data()))
            .map_err(BlobError::io("write", path))?;
        for (node, pair) in slice.parents() {
            let at = self
                .tree
                .post_order_offset(*node)
                .map(|offset| offset.value() as usize * pair.len());
            if let Some(target) = at.and_then(|at| self.outboard.get_mut(at..at + pair.len())) {
                target.copy_from_slice(pair);
            }
        }
        let (first, count) = groups(slice.offset(), slice.data().len() as u64);
        for flag in self.present.iter_mut().skip(first).take(count) {
            *flag = true;
        }
        Ok(())
    }

    /// Makes the blob part of the store; returns its size in bytes. It is on disk when this returns.
    ///
    /// # Errors
    /// [`BlobError::Incomplete`] while slices are missing; [`BlobError::Io`].
    pub fn finish(self) -> Result<u64, BlobError> {
        let missing = self.present.iter().filter(|p| !**p).count() as u64;
        if missing > 0 {
            return Err(BlobError::Incomplete {
                hash: self.hash,
                missing,
            });
        }
        let size = self.tree.size();
        self.folder.install(self.hash, self.file, &self.outboard)?;
        Ok(size)
    }
}

/// The first group and the number of groups in a part of a blob. The empty blob has one group, which is empty.
fn groups(offset: u64, bytes: u64) -> (usize, usize) {
    (
        (offset / GROUP_SIZE) as usize,
        bytes.div_ceil(GROUP_SIZE).max(1) as usize,
    )
}
