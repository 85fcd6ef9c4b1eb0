//! Checking a slice that somebody sent, or that lies on our own disk.
//!
//! A slice is sent as its *proof*, then its content in one piece. The proof are the hash pairs (64 bytes each) of the nodes
//! of the tree that the range covers in part, parents first and left before right; of what the range covers whole, the content itself is
//! the proof. So a slice of 1 MiB on the grid brings one path from the root, and a blob that fits in one slice nothing at all.
//!
//! Hash, size and range all come from our side, and with them how long the slice must be: nothing is allocated from what
//! the sender says. Its content is hashed once, in groups of 16 KiB, of which the hashes of everything above follow: they are
//! the blob's outboard.

use crate::{
    error::SliceError,
    name::H256,
    range::SliceRange,
    size::GROUP_SIZE,
    tree::{Node, PAIR_SIZE, Pair, Span, Tree, group_hash, halves, pair_of, parent_hash},
};

/// How many bytes a slice has, proof and content: 1 MiB and 4 KiB at the most.
///
/// # Errors
/// [`SliceError::OutOfRange`] or [`SliceError::BlobTooLarge`] when `range` and `size` don't fit.
pub fn slice_len(size: u64, range: SliceRange) -> Result<usize, SliceError> {
    let tree = Tree::new(size)?;
    Ok(proof_len(&tree, tree.span(range)?) + range.bytes_in(size)? as usize)
}

/// How many bytes of a slice are its proof.
pub(crate) fn proof_len(tree: &Tree, span: Span) -> usize {
    tree.straddling(span).len() * PAIR_SIZE
}

/// Part of a blob that is proven to belong to it.
#[derive(Debug)]
pub struct VerifiedSlice {
    hash: H256,
    tree: Tree,
    range: SliceRange,
    span: Span,
    /// Proof and content.
    bytes: Vec<u8>,
    proof_at: usize,
    content_at: usize,
    /// All pairs that follow from proof and content, by their place in the outboard.
    pairs: Vec<(u64, Pair)>,
}

impl VerifiedSlice {
    /// Verifies `slice`: `range` of the blob `hash`, which has exactly `size` bytes. If `size` is wrong, the slice with the
    /// blob's last group is refused at the latest.
    ///
    /// # Errors
    /// [`SliceError::OutOfRange`] or [`SliceError::BlobTooLarge`] when `range` and `size` don't fit,
    /// [`SliceError::WrongLength`] and [`SliceError::Mismatch`] if it isn't that slice.
    pub fn verify(hash: H256, size: u64, range: SliceRange, slice: Vec<u8>) -> Result<Self, SliceError> {
        Self::verify_behind(0, hash, size, range, slice)
    }

    /// As [`verify`](Self::verify), of a slice behind so many bytes of something else.
    pub(crate) fn verify_behind(
        skip: usize,
        hash: H256,
        size: u64,
        range: SliceRange,
        slice: Vec<u8>,
    ) -> Result<Self, SliceError> {
        let tree = Tree::new(size)?;
        let span = tree.span(range)?;
        let wanted = skip + slice_len(size, range)?;
        if slice.len() != wanted {
            return Err(SliceError::WrongLength {
                wanted,
                got: slice.len(),
            });
        }
        let content_at = skip + proof_len(&tree, span);
        let (proof, content) = slice.split_at(content_at);
        let proof = &proof[skip..];
        let whole = tree.groups() == 1;
        let mut groups: Vec<_> = (span.first..)
            .zip(content.chunks(GROUP_SIZE as usize))
            .map(|(group, data)| group_hash(group, data, whole))
            .collect();
        if size == 0 {
            groups.push(group_hash(0, &[], true));
        }
        let mut check = Check {
            tree,
            span,
            proof: proof.as_chunks().0.iter(),
            groups,
            pairs: Vec::new(),
        };
        check.descend(tree.root(), &hash.0)?;
        let pairs = check.pairs;
        Ok(Self {
            hash,
            tree,
            range,
            span,
            bytes: slice,
            proof_at: skip,
            content_at,
            pairs,
        })
    }

    /// The blob it is part of.
    pub fn hash(&self) -> H256 {
        self.hash
    }

    /// The size in bytes that the blob was declared to have.
    pub fn blob_size(&self) -> u64 {
        self.tree.size()
    }

    /// What was asked for; the content is shorter where the blob ends earlier.
    pub fn range(&self) -> SliceRange {
        self.range
    }

    /// Bytes from the blob's start.
    pub fn offset(&self) -> u64 {
        self.range.offset()
    }

    /// The content.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.content_at..]
    }

    /// Whether the slice holds the blob's last group. If so, `blob_size` is proven too: the last group's place in
    /// the tree and its length together leave only one possible size.
    pub fn proves_size(&self) -> bool {
        self.span.end == self.tree.groups()
    }

    /// What the slice was made of, to be used for another one.
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn proof(&self) -> &[u8] {
        &self.bytes[self.proof_at..self.content_at]
    }

    pub(crate) fn pairs(&self) -> &[(u64, Pair)] {
        &self.pairs
    }
}

/// A slice on its way down the tree.
struct Check<'a> {
    tree: Tree,
    span: Span,
    proof: std::slice::Iter<'a, Pair>,
    /// The hashes of the groups in the span.
    groups: Vec<[u8; 32]>,
    pairs: Vec<(u64, Pair)>,
}

impl Check<'_> {
    /// Whether `node`, which the span touches, hashes to what it should.
    fn descend(&mut self, node: Node, expected: &[u8; 32]) -> Result<(), SliceError> {
        let mismatch = SliceError::Mismatch {
            offset: node.first() * GROUP_SIZE,
        };
        if self.span.contains(node) {
            return match self.fold(node) == *expected {
                true => Ok(()),
                false => Err(mismatch),
            };
        }
        let pair = *self.proof.next().ok_or(mismatch.clone())?;
        let (left_hash, right_hash) = halves(&pair);
        if parent_hash(&left_hash, &right_hash, self.tree.is_root(node)) != *expected {
            return Err(mismatch);
        }
        self.pairs.push((node.pair(), pair));
        let (left, right) = node.children();
        for (child, hash) in [(left, left_hash), (right, right_hash)] {
            if self.span.touches(child) {
                self.descend(child, &hash)?;
            }
        }
        Ok(())
    }

    /// The hash of `node`, which the span contains.
    fn fold(&mut self, node: Node) -> [u8; 32] {
        if node.is_group() {
            let at = (node.first() - self.span.first) as usize;
            return self.groups.get(at).copied().unwrap_or_default();
        }
        let (left, right) = node.children();
        let (left, right) = (self.fold(left), self.fold(right));
        self.pairs.push((node.pair(), pair_of(&left, &right)));
        parent_hash(&left, &right, self.tree.is_root(node))
    }
}
