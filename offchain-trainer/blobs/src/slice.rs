//! Checking a slice that somebody sent.
//!
//! The decoder does no I/O: it says how many bytes it wants next, is fed them, and refuses at the first group or hash
//! pair that doesn't belong. So a caller never holds more than one unverified group, and nothing is allocated from
//! what the sender says: hash, size and range all come from our side.

use crate::{
    error::SliceError,
    name::H256,
    range::{SliceRange, tree},
};
use bao_tree::{
    BaoTree, TreeNode,
    iter::{BaoChunk, ResponseIter},
};
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// Bytes in the pair of child hashes that proves a node of the tree.
const PAIR: usize = 64;

/// Verifies one slice, in the order in which it is sent: hash pairs from the root downwards, groups in between.
#[derive(Debug)]
pub struct SliceDecoder {
    hash: H256,
    tree: BaoTree,
    range: SliceRange,
    expected: usize,
    plan: ResponseIter,
    next: Option<BaoChunk>,
    /// Hashes of the subtrees still to come, the next one on top.
    stack: Vec<[u8; 32]>,
    data: Vec<u8>,
    parents: Vec<(TreeNode, [u8; PAIR])>,
}

impl SliceDecoder {
    /// Expects `range` of the blob `hash`, which has exactly `size` bytes. If `size` is wrong, the decoder refuses
    /// at the latest when the blob's last group arrives.
    ///
    /// # Errors
    /// [`SliceError::OutOfRange`] or [`SliceError::BlobTooLarge`] when `range` and `size` don't fit.
    pub fn new(hash: H256, size: u64, range: SliceRange) -> Result<Self, SliceError> {
        let tree = tree(size)?;
        // At most 1 MiB, by the type of `range`.
        let expected = range.bytes_in(size)? as usize;
        let mut plan = ResponseIter::new(tree, range.chunks(size)?);
        let next = plan.next();
        Ok(Self {
            hash,
            tree,
            range,
            expected,
            plan,
            next,
            stack: vec![hash.0],
            data: Vec::new(),
            parents: Vec::new(),
        })
    }

    /// How many bytes to pass to [`feed`](Self::feed) next (0 to 16384), or `None` when the slice is complete.
    pub fn wants(&self) -> Option<usize> {
        Some(match self.next.as_ref()? {
            BaoChunk::Parent { .. } => PAIR,
            BaoChunk::Leaf { size, .. } => *size,
        })
    }

    /// Takes and verifies the next `wants()` bytes.
    ///
    /// # Errors
    /// [`SliceError::Mismatch`] if they aren't part of the blob; the decoder is of no use after that.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), SliceError> {
        let wanted = self.wants().ok_or(SliceError::TrailingBytes)?;
        if bytes.len() != wanted {
            return Err(SliceError::WrongLength {
                wanted,
                got: bytes.len(),
            });
        }
        let chunk = self.next.take().ok_or(SliceError::TrailingBytes)?;
        let hash = self.stack.pop().ok_or(SliceError::Unfinished)?;
        match chunk {
            BaoChunk::Parent {
                node,
                is_root,
                left,
                right,
                ..
            } => {
                let mismatch = SliceError::Mismatch {
                    offset: node.chunk_range().start.to_bytes(),
                };
                let pair: [u8; PAIR] = bytes.try_into().map_err(|_| mismatch.clone())?;
                let (l, r) = halves(&pair);
                if parent_hash(&l, &r, is_root) != hash {
                    return Err(mismatch);
                }
                if right {
                    self.stack.push(r);
                }
                if left {
                    self.stack.push(l);
                }
                self.parents.push((node, pair));
            }
            BaoChunk::Leaf {
                start_chunk, is_root, ..
            } => {
                let offset = start_chunk.to_bytes();
                if group_hash(offset, bytes, is_root) != hash {
                    return Err(SliceError::Mismatch { offset });
                }
                if self.data.is_empty() {
                    // Only now: until something verified there was no reason to believe the size.
                    self.data.reserve_exact(self.expected);
                }
                self.data.extend_from_slice(bytes);
            }
        }
        self.next = self.plan.next();
        Ok(())
    }

    /// The verified slice.
    ///
    /// # Errors
    /// [`SliceError::Unfinished`] while [`wants`](Self::wants) still asks for bytes.
    pub fn finish(self) -> Result<VerifiedSlice, SliceError> {
        if self.next.is_some() || self.data.len() != self.expected || !self.stack.is_empty() {
            return Err(SliceError::Unfinished);
        }
        Ok(VerifiedSlice {
            hash: self.hash,
            size: self.tree.size(),
            offset: self.range.offset(),
            data: self.data,
            parents: self.parents,
        })
    }

    /// Verifies a slice that is already in memory.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`feed`](Self::feed); [`SliceError::Unfinished`] if it is too short,
    /// [`SliceError::TrailingBytes`] if it is too long.
    pub fn decode(
        hash: H256,
        size: u64,
        range: SliceRange,
        slice: &[u8],
    ) -> Result<VerifiedSlice, SliceError> {
        let mut decoder = Self::new(hash, size, range)?;
        let mut rest = slice;
        while let Some(wanted) = decoder.wants() {
            let (head, tail) = rest.split_at_checked(wanted).ok_or(SliceError::Unfinished)?;
            decoder.feed(head)?;
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(SliceError::TrailingBytes);
        }
        decoder.finish()
    }
}

/// Part of a blob that is proven to belong to it. Only [`SliceDecoder`] makes these.
#[derive(Debug)]
pub struct VerifiedSlice {
    hash: H256,
    size: u64,
    offset: u64,
    data: Vec<u8>,
    parents: Vec<(TreeNode, [u8; PAIR])>,
}

impl VerifiedSlice {
    /// The blob it is part of.
    pub fn hash(&self) -> H256 {
        self.hash
    }

    /// The size in bytes that the blob was declared to have.
    pub fn blob_size(&self) -> u64 {
        self.size
    }

    /// Bytes from the blob's start.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The content.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Whether the slice holds the blob's last group. If so, `blob_size` is proven too: the last group's place in
    /// the tree and its length together leave only one possible size.
    pub fn proves_size(&self) -> bool {
        self.offset.saturating_add(self.data.len() as u64) == self.size
    }

    pub(crate) fn parents(&self) -> &[(TreeNode, [u8; PAIR])] {
        &self.parents
    }
}

fn halves(pair: &[u8; PAIR]) -> (ChainingValue, ChainingValue) {
    let (mut left, mut right) = ([0; 32], [0; 32]);
    left.copy_from_slice(&pair[..32]);
    right.copy_from_slice(&pair[32..]);
    (left, right)
}

fn parent_hash(left: &ChainingValue, right: &ChainingValue, is_root: bool) -> [u8; 32] {
    if is_root {
        *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash)
    }
}

fn group_hash(offset: u64, data: &[u8], is_root: bool) -> [u8; 32] {
    if is_root {
        *blake3::hash(data).as_bytes()
    } else {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(offset);
        hasher.update(data);
        hasher.finalize_non_root()
    }
}
