//! What is stored of an electorate: nodes of the sum tree, the accounts at its leaves, and how many there are. Everything
//! carries the session that it is of, and what is of another session counts as empty: so a session's change costs nothing.

use codec::{Decode, Encode, MaxEncodedLen};
use hydra_primitives::electorate::{FAN_OUT, SessionIndex};
use scale_info::TypeInfo;

const WIDTH: usize = FAN_OUT as usize;

/// Which of the two electorates a session's is stored as: 0 for even sessions, 1 for odd ones.
pub type Parity = u8;

/// The parity of a session.
pub fn parity(session: SessionIndex) -> Parity {
    u8::from(session & 1 == 1)
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct NodeId {
    /// Which of the two electorates.
    pub parity: Parity,
    /// 0 is the root, 2 the leaves.
    pub level: u8,
    /// Its number within the level, from 0.
    pub index: u32,
}

impl NodeId {
    /// The root of a session's tree.
    pub fn root(session: SessionIndex) -> Self {
        Self::new(session, 0, 0)
    }

    /// A node of a session's tree.
    pub fn new(session: SessionIndex, level: u8, index: u32) -> Self {
        let parity = parity(session);
        Self { parity, level, index }
    }
}

/// What the children of a node weigh, in millionths of a HYDRA. The children of a leaf are slots.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Sums([u64; WIDTH]);

impl Default for Sums {
    fn default() -> Self {
        Self([0; WIDTH])
    }
}

/// A child of a node, and where it stands among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Share {
    /// Its number within the node, from 0.
    pub child: u32,
    /// What the children before it weigh together.
    pub start: u64,
    /// What it weighs.
    pub weight: u64,
}

impl Sums {
    /// What a child weighs; `None` where there is no such child.
    pub fn get(&self, child: u32) -> Option<u64> {
        self.0.get(usize::try_from(child).ok()?).copied()
    }

    /// What all weigh together; `None` where that doesn't fit.
    pub fn total(&self) -> Option<u64> {
        self.0
            .iter()
            .try_fold(0u64, |sum, weight| sum.checked_add(*weight))
    }

    /// The child at `point`; `None` beyond the total.
    pub(super) fn find(&self, point: u64) -> Option<Share> {
        let mut start = 0u64;
        for (child, weight) in (0u32..).zip(self.0) {
            let end = start.checked_add(weight)?;
            if point < end {
                return Some(Share { child, start, weight });
            }
            start = end;
        }
        None
    }

    /// Sets what a child weighs; `None` where there is no such child.
    pub(super) fn set(&mut self, child: u32, weight: u64) -> Option<()> {
        *self.0.get_mut(usize::try_from(child).ok()?)? = weight;
        Some(())
    }
}

/// A node of the sum tree.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Node {
    /// The session whose tree it is of.
    pub session: SessionIndex,
    /// What its children weigh.
    pub sums: Sums,
}

impl Node {
    /// What its children weigh in the tree of `session`: nothing, where it is of another's.
    pub(super) fn in_session(self, session: SessionIndex) -> Sums {
        if self.session == session {
            self.sums
        } else {
            Sums::default()
        }
    }
}

/// How many slots of an electorate are used: those below `slots`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Length {
    /// The session whose electorate it is.
    pub session: SessionIndex,
    /// Slots used.
    pub slots: u32,
}

/// Where it is kept.
pub trait Store {
    /// An account.
    type Account: Clone + PartialEq;
    /// A node; the default one where none was ever set.
    fn node(&self, id: NodeId) -> Node;
    /// Sets a node.
    fn set_node(&mut self, id: NodeId, node: Node);
    /// How many slots are used; the default where that was never set.
    fn length(&self, parity: Parity) -> Length;
    /// Sets how many slots are used.
    fn set_length(&mut self, parity: Parity, length: Length);
    /// Who stands at a slot.
    fn account(&self, parity: Parity, slot: u32) -> Option<Self::Account>;
    /// Sets who stands at a slot.
    fn set_account(&mut self, parity: Parity, slot: u32, who: &Self::Account);
}
