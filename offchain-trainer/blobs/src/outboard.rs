//! The inner hashes of a blob's tree, kept beside the blob.
//!
//! Without them a slice could only be proven by hashing the whole blob again. They are 64 bytes per 16 KiB, in post
//! order, without any header, and can always be computed from the blob: losing or damaging them costs time only. A
//! blob of one group has none.

use crate::{error::BlobError, name::H256, range::tree};
use bao_tree::{
    BaoTree,
    io::{outboard::PostOrderOutboard, sync::outboard_post_order},
};
use std::io::Read;

/// Hashes `data`, which has exactly `size` bytes; returns its BLAKE3 hash and the outboard.
///
/// # Errors
/// [`BlobError::Slice`] for an impossible size, [`BlobError::Io`] if `data` can't be read or is shorter.
pub(crate) fn compute(
    data: impl Read,
    size: u64,
    path: &std::path::Path,
) -> Result<(H256, Vec<u8>), BlobError> {
    let tree = tree(size)?;
    let mut bytes = Vec::with_capacity(tree.outboard_size() as usize);
    let root = outboard_post_order(data, tree, &mut bytes).map_err(BlobError::io("read", path))?;
    Ok((H256(*root.as_bytes()), bytes))
}

/// An outboard as bao-tree wants it, over an opened file or bytes.
pub(crate) fn with_root<D>(hash: H256, tree: BaoTree, data: D) -> PostOrderOutboard<D> {
    PostOrderOutboard {
        root: blake3::Hash::from_bytes(hash.0),
        tree,
        data,
    }
}
