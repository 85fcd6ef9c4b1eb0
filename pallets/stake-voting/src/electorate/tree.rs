//! The sum tree: from a point to a slot, and from a slot up to the total. It must never read more than one node of a level
//! for a point or a change. Sums are made anew from the children, not by differences: what is written agrees with what is
//! below it, whatever stood there.

use super::{
    error::Error,
    store::{Node, NodeId, Store, Sums, parity},
};
use hydra_primitives::electorate::{FAN_OUT, LEVELS, SLOTS, SessionIndex};

/// The nodes that lead to a slot, from the leaf up, with the number of the child that is taken in each.
fn way(session: SessionIndex, slot: u32) -> [(NodeId, u32); 3] {
    let step = |level: u8, of: u32| {
        let child = of.checked_rem(FAN_OUT).unwrap_or(0);
        let index = of.checked_div(FAN_OUT).unwrap_or(0);
        (NodeId::new(session, level, index), child)
    };
    let leaf = step(2, slot);
    let middle = step(1, leaf.0.index);
    let root = step(0, middle.0.index);
    [leaf, middle, root]
}

/// The three nodes with which an unused slot gets its weight. Three are read; nothing is stored yet, since the sums may turn
/// out too large.
pub(super) fn with_weight<S: Store>(
    store: &S,
    session: SessionIndex,
    slot: u32,
    weight: u64,
) -> Result<[(NodeId, Node); 3], Error> {
    if slot >= SLOTS {
        return Err(Error::Full);
    }
    let [leaf, middle, root] = way(session, slot);
    let mut sums = store.node(leaf.0).in_session(session);
    // Whatever weighs something there is somebody else's.
    if sums.get(leaf.1) != Some(0) {
        return Err(Error::Slot(slot));
    }
    let write = |sums: &mut Sums, child: u32, weight: u64| {
        sums.set(child, weight).ok_or(Error::Slot(slot))?;
        sums.total().ok_or(Error::TooHeavy)
    };
    let total = write(&mut sums, leaf.1, weight)?;
    let mut above = store.node(middle.0).in_session(session);
    let total = write(&mut above, middle.1, total)?;
    let mut top = store.node(root.0).in_session(session);
    write(&mut top, root.1, total)?;
    Ok([(leaf.0, sums), (middle.0, above), (root.0, top)].map(|(id, sums)| (id, Node { session, sums })))
}

/// A slot, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// The slot.
    pub slot: u32,
    /// What the slots before it weigh together.
    pub start: u64,
    /// What it weighs.
    pub weight: u64,
}

/// Reads the tree of a session. It keeps the node of each level that it read last, so that points in rising order read each
/// node once.
pub(super) struct Cursor<'a, S> {
    store: &'a S,
    session: SessionIndex,
    kept: [Option<(NodeId, Sums)>; 3],
}

impl<'a, S: Store> Cursor<'a, S> {
    /// A reader of the tree of `session` in `store`.
    pub(super) fn new(store: &'a S, session: SessionIndex) -> Self {
        Self {
            store,
            session,
            kept: [const { None }; 3],
        }
    }

    /// The total weight.
    pub(super) fn total(&mut self) -> Result<u64, Error> {
        let id = NodeId::root(self.session);
        self.sums(id)?.total().ok_or(Error::Tree(id))
    }

    /// The slot at `point`. Each node must weigh what the one above it says.
    pub(super) fn find(&mut self, point: u64) -> Result<Found, Error> {
        let (mut start, mut within) = (0u64, point);
        // The number of the node within its level; at the end, of the slot.
        let mut index = 0u32;
        let mut said: Option<u64> = None;
        for level in 0..LEVELS {
            let id = NodeId::new(self.session, level, index);
            let wrong = Error::Tree(id);
            let sums = self.sums(id)?;
            let total = sums.total().ok_or(wrong)?;
            if said.is_some_and(|said| said != total) {
                return Err(wrong);
            }
            // Below the root a point is within what the node above said.
            let share = sums.find(within).ok_or(Error::BeyondTotal)?;
            start = start.checked_add(share.start).ok_or(wrong)?;
            within = within.checked_sub(share.start).ok_or(wrong)?;
            said = Some(share.weight);
            index = index
                .checked_mul(FAN_OUT)
                .and_then(|first| first.checked_add(share.child))
                .ok_or(wrong)?;
        }
        Ok(Found {
            slot: index,
            start,
            weight: said.unwrap_or(0),
        })
    }

    /// Who stands at a slot that was found.
    pub(super) fn account(&self, found: &Found) -> Result<S::Account, Error> {
        let account = self.store.account(parity(self.session), found.slot);
        account.ok_or(Error::Slot(found.slot))
    }

    fn sums(&mut self, id: NodeId) -> Result<&Sums, Error> {
        let kept = self.kept.get_mut(usize::from(id.level)).ok_or(Error::Tree(id))?;
        let entry = match kept.take() {
            Some(entry) if entry.0 == id => entry,
            _ => (id, self.store.node(id).in_session(self.session)),
        };
        Ok(&kept.insert(entry).1)
    }
}
