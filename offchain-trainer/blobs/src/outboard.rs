//! The inner hashes of a blob's tree, kept beside the blob.
//!
//! Without them a slice could only be proven by hashing the whole blob again. They are 64 bytes per 16 KiB, in post
//! order, without any header, and can always be computed from the blob: losing or damaging them costs time only. A
//! blob of one slice (1 MiB) or less has none on disk: hashing it takes less time than opening another file.

use crate::{
    error::BlobError,
    name::H256,
    size::{GROUP_SIZE, MAX_SLICE_SIZE},
    tree::{PAIR_SIZE, Tree, group_hash, pair_of, parent_hash},
};
use std::{io::Read, path::Path};

/// Whether a blob of `size` bytes has its outboard in a file.
pub(crate) fn is_kept(size: u64) -> bool {
    size > MAX_SLICE_SIZE
}

/// Hashes `data`, which has exactly `size` bytes; returns its BLAKE3 hash and the outboard.
///
/// # Errors
/// [`BlobError::Slice`] for an impossible size, [`BlobError::Io`] if `data` can't be read or is shorter.
pub(crate) fn compute(mut data: impl Read, size: u64, path: &Path) -> Result<(H256, Vec<u8>), BlobError> {
    let tree = Tree::new(size)?;
    let mut outboard = Vec::with_capacity(tree.outboard_size());
    // The hashes of the subtrees to the left, each with how many groups it has: larger ones first, none as large as another.
    let mut done: Vec<([u8; 32], u64)> = Vec::new();
    let mut buffer = vec![0; size.min(MAX_SLICE_SIZE) as usize];
    let mut group = 0;
    while group < tree.groups() {
        let rest = (size - group * GROUP_SIZE).min(MAX_SLICE_SIZE) as usize;
        let part = &mut buffer[..rest];
        data.read_exact(part).map_err(BlobError::io("read", path))?;
        // Of the empty blob there is one group, too.
        let pieces = part
            .chunks(GROUP_SIZE as usize)
            .chain((size == 0).then_some(&[][..]));
        for piece in pieces {
            let mut right = (group_hash(group, piece, tree.groups() == 1), 1);
            group += 1;
            while let Some((left, groups)) = done.pop_if(|(_, groups)| *groups == right.1) {
                outboard.extend(pair_of(&left, &right.0));
                let both = groups * 2;
                right = (parent_hash(&left, &right.0, both == tree.groups()), both);
            }
            done.push(right);
        }
    }
    // What isn't a power of two is left over, and joined from the right.
    while let [.., (left, more), (right, groups)] = done[..] {
        outboard.extend(pair_of(&left, &right));
        let both = more + groups;
        done.truncate(done.len() - 2);
        done.push((parent_hash(&left, &right, both == tree.groups()), both));
    }
    debug_assert_eq!(outboard.len(), tree.outboard_size());
    debug_assert_eq!(outboard.len() % PAIR_SIZE, 0);
    let root = done.first().map_or([0; 32], |(root, _)| *root);
    Ok((H256(root), outboard))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bao_tree::{BaoTree, BlockSize, io::sync::outboard_post_order};

    #[test]
    fn is_what_another_implementation_makes() {
        let mut sizes = vec![
            0,
            1,
            GROUP_SIZE,
            GROUP_SIZE + 1,
            MAX_SLICE_SIZE,
            MAX_SLICE_SIZE + 1,
        ];
        sizes.extend((2..70).map(|groups| groups * GROUP_SIZE));
        sizes.extend((2..70).map(|groups| groups * GROUP_SIZE - 1000));
        sizes.extend([129, 191, 300].map(|groups| groups * GROUP_SIZE + 7));
        for size in sizes {
            let mut data = vec![0; size as usize];
            blake3::Hasher::new().finalize_xof().fill(&mut data);
            let mut theirs = Vec::new();
            let tree = BaoTree::new(size, BlockSize::from_chunk_log(4));
            let root = outboard_post_order(&data[..], tree, &mut theirs).unwrap();
            let (hash, ours) = compute(&data[..], size, Path::new("")).unwrap();
            assert_eq!(hash.0, *root.as_bytes(), "{size}");
            assert!(ours == theirs, "{size}");
        }
    }
}
