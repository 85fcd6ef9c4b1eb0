//! The shape of a blob's hash tree, and how its parts are hashed.
//!
//! BLAKE3 hashes a blob as a binary tree. Here the leaves are groups of 16 KiB (16 of BLAKE3's chunks), and whatever lies
//! below them is BLAKE3's own business. A tree of *n* leaves has a left side of the largest power of two below *n*, and the
//! rest to the right; each inner node is proven by the pair of its children's hashes.
//!
//! The pairs of a whole tree are kept in post order (children before their parent), 64 bytes each: the *outboard*.

use crate::{
    error::{SliceError, check_size},
    range::SliceRange,
    size::GROUP_SIZE,
};
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// The hashes of a node's two children, left one first.
pub(crate) type Pair = [u8; PAIR_SIZE];
/// Bytes in a [`Pair`].
pub(crate) const PAIR_SIZE: usize = 64;

/// The tree of a blob of one size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree {
    size: u64,
    groups: u64,
}

/// One node: a run of groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    first: u64,
    groups: u64,
    /// How many pairs come before those of this node and what is below it.
    before: u64,
}

/// Groups from `first` to before `end`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) end: u64,
}

impl Tree {
    /// # Errors
    /// [`SliceError::BlobTooLarge`].
    pub(crate) fn new(size: u64) -> Result<Self, SliceError> {
        check_size(size)?;
        // The empty blob has one group, which is empty.
        let groups = size.div_ceil(GROUP_SIZE).max(1);
        Ok(Self { size, groups })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn groups(&self) -> u64 {
        self.groups
    }

    /// Bytes in the outboard: 2³² at the most.
    pub(crate) fn outboard_size(&self) -> usize {
        (self.groups - 1) as usize * PAIR_SIZE
    }

    pub(crate) fn root(&self) -> Node {
        Node {
            first: 0,
            groups: self.groups,
            before: 0,
        }
    }

    pub(crate) fn is_root(&self, node: Node) -> bool {
        node.groups == self.groups
    }

    /// The groups that `range` touches.
    ///
    /// # Errors
    /// As [`SliceRange::bytes_in`].
    pub(crate) fn span(&self, range: SliceRange) -> Result<Span, SliceError> {
        let bytes = range.bytes_in(self.size)?;
        let first = range.offset() / GROUP_SIZE;
        Ok(Span {
            first,
            end: first + bytes.div_ceil(GROUP_SIZE).max(1),
        })
    }

    /// The nodes that `span` covers in part, parents before their children and left before right: what a proof of it
    /// consists of. Two for each level of the tree at the most.
    pub(crate) fn straddling(&self, span: Span) -> Vec<Node> {
        let mut found = Vec::new();
        let mut open = vec![self.root()];
        while let Some(node) = open.pop() {
            if !span.touches(node) || span.contains(node) {
                continue;
            }
            found.push(node);
            let (left, right) = node.children();
            open.extend([right, left]);
        }
        found
    }
}

impl Node {
    pub(crate) fn is_group(&self) -> bool {
        self.groups == 1
    }

    /// Number of its first group.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Which pair of the outboard is this node's. Not for groups, which have none.
    pub(crate) fn pair(&self) -> u64 {
        self.before + self.groups - 2
    }

    /// Not for groups, which have none.
    pub(crate) fn children(&self) -> (Self, Self) {
        let groups = 1 << (self.groups - 1).ilog2();
        let left = Self { groups, ..*self };
        let right = Self {
            first: self.first + groups,
            groups: self.groups - groups,
            before: self.before + groups - 1,
        };
        (left, right)
    }
}

impl Span {
    pub(crate) fn contains(&self, node: Node) -> bool {
        self.first <= node.first && node.first + node.groups <= self.end
    }

    pub(crate) fn touches(&self, node: Node) -> bool {
        node.first < self.end && self.first < node.first + node.groups
    }
}

/// The two halves of a pair.
pub(crate) fn halves(pair: &Pair) -> (ChainingValue, ChainingValue) {
    let (mut left, mut right) = ([0; 32], [0; 32]);
    left.copy_from_slice(&pair[..32]);
    right.copy_from_slice(&pair[32..]);
    (left, right)
}

/// The pair of two hashes.
pub(crate) fn pair_of(left: &ChainingValue, right: &ChainingValue) -> Pair {
    let mut pair = [0; PAIR_SIZE];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    pair
}

/// A node's hash by its children's.
pub(crate) fn parent_hash(left: &ChainingValue, right: &ChainingValue, is_root: bool) -> ChainingValue {
    if is_root {
        *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash)
    }
}

/// The hash of one group (16 of BLAKE3's chunks, which a processor hashes side by side), by its number.
pub(crate) fn group_hash(group: u64, data: &[u8], is_root: bool) -> ChainingValue {
    if is_root {
        *blake3::hash(data).as_bytes()
    } else {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(group * GROUP_SIZE);
        hasher.update(data);
        hasher.finalize_non_root()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_post_order(node: Node, found: &mut Vec<u64>) {
        if node.is_group() {
            return;
        }
        let (left, right) = node.children();
        in_post_order(left, found);
        in_post_order(right, found);
        found.push(node.pair());
    }

    #[test]
    fn pairs_are_numbered_in_post_order() {
        for groups in 1..200 {
            let tree = Tree::new(groups * GROUP_SIZE - 1).unwrap();
            let mut found = Vec::new();
            in_post_order(tree.root(), &mut found);
            assert_eq!(found, (0..groups - 1).collect::<Vec<_>>(), "{groups} groups");
        }
    }

    #[test]
    fn a_slice_on_the_grid_is_proven_by_one_path() {
        let tree = Tree::new(1 << 30).unwrap();
        // 2¹⁶ groups, 64 in a slice: ten levels above it.
        for slice in [0, 1, 511, 1023] {
            let span = Span {
                first: slice * 64,
                end: slice * 64 + 64,
            };
            assert_eq!(tree.straddling(span).len(), 10);
        }
        let whole = Span {
            first: 0,
            end: tree.groups(),
        };
        assert!(tree.straddling(whole).is_empty());
    }
}
