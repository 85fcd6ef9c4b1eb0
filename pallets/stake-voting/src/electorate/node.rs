//! A node of the sum tree: 64 sums in two versions, so that nothing has to be done when a session changes. It must never
//! change what the draws of the session in which it is written see.

use codec::{Decode, Encode, MaxEncodedLen};
use hydra_primitives::electorate::{FAN_OUT, SessionIndex};
use scale_info::TypeInfo;

const WIDTH: usize = FAN_OUT as usize;

/// Where a node stands in the tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct NodeId {
    /// 0 is the root, 2 the leaves.
    pub level: u8,
    /// Its number within the level, from 0.
    pub index: u32,
}

impl NodeId {
    /// The root.
    pub const ROOT: Self = Self { level: 0, index: 0 };
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

    fn set(&mut self, child: u32, weight: u64) -> Option<()> {
        *self.0.get_mut(usize::try_from(child).ok()?)? = weight;
        Some(())
    }
}

/// A node of the sum tree.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Node {
    /// The session in which it was last written.
    session: SessionIndex,
    /// The sums in the draws of that session.
    now: Sums,
    /// The sums in the draws of any later session; absent where they are the same.
    next: Option<Sums>,
}

impl Node {
    /// The session in which it was last written.
    pub fn session(&self) -> SessionIndex {
        self.session
    }

    /// The sums in the draws of `session`; `None` where they are forgotten: it was written later.
    pub fn at(&self, session: SessionIndex) -> Option<&Sums> {
        match self.session.cmp(&session) {
            core::cmp::Ordering::Less => Some(self.latest()),
            core::cmp::Ordering::Equal => Some(&self.now),
            core::cmp::Ordering::Greater => None,
        }
    }

    /// The sums with everything that was written: those of the next session.
    pub fn latest(&self) -> &Sums {
        self.next.as_ref().unwrap_or(&self.now)
    }

    /// Begins to write in `session`: what was to come holds now. `None` where it was written later.
    pub(super) fn begin(&mut self, session: SessionIndex) -> Option<()> {
        if self.session > session {
            return None;
        }
        if self.session < session {
            if let Some(next) = self.next.take() {
                self.now = next;
            }
            self.session = session;
        }
        Some(())
    }

    /// Sets what a child weighs from the next session on. `None` where there is no such child.
    pub(super) fn set_next(&mut self, child: u32, weight: u64) -> Option<()> {
        let mut next = self.latest().clone();
        next.set(child, weight)?;
        self.keep(next);
        Some(())
    }

    /// Sets what a child weighs in this session, and nothing of the next. `None` where there is no such child.
    pub(super) fn set_now(&mut self, child: u32, weight: u64) -> Option<()> {
        let next = self.latest().clone();
        self.now.set(child, weight)?;
        self.keep(next);
        Some(())
    }

    fn keep(&mut self, next: Sums) {
        self.next = (next != self.now).then_some(next);
    }
}
