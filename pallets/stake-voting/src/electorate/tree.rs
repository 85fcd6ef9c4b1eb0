//! The sum tree: from a point to a slot, and from a slot up to the total. It must never read more than one node of a level
//! for a point or a change. Sums are made anew from the children, not by differences: what is written agrees with what is
//! below it, whatever stood there.

use super::{
    error::Error,
    node::{Node, NodeId, Sums},
};
use alloc::vec::Vec;
use hydra_primitives::electorate::{FAN_OUT, LEVELS, SLOTS, SessionIndex};

/// Where the nodes of the tree are kept.
pub trait Nodes {
    /// A node; the default one where none was ever set.
    fn node(&self, id: NodeId) -> Node;
    /// Sets a node.
    fn set_node(&mut self, id: NodeId, node: Node);
}

/// What a slot weighs, in millionths of a HYDRA.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Weights {
    /// In this session's draws.
    pub now: u64,
    /// In those of the next.
    pub next: u64,
}

/// From when on a change shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Onset {
    /// From now on: genesis.
    Now,
    /// From the next session on.
    NextSession,
}

/// The nodes that lead to a slot, from the leaf up, with the number of the child that is taken in each.
fn way(slot: u32) -> Result<[(NodeId, u32); 3], Error> {
    if slot >= SLOTS {
        return Err(Error::NoSuchSlot(slot));
    }
    let step = |level: u8, of: u32| {
        let child = of.checked_rem(FAN_OUT).unwrap_or(0);
        let index = of.checked_div(FAN_OUT).unwrap_or(0);
        (NodeId { level, index }, child)
    };
    let leaf = step(2, slot);
    let middle = step(1, leaf.0.index);
    let root = step(0, middle.0.index);
    Ok([leaf, middle, root])
}

/// What a slot weighs. One node read.
pub(super) fn weights<N: Nodes>(nodes: &N, session: SessionIndex, slot: u32) -> Result<Weights, Error> {
    let [(id, child), ..] = way(slot)?;
    weights_in(&nodes.node(id), session, id, child)
}

fn weights_in(leaf: &Node, session: SessionIndex, id: NodeId, child: u32) -> Result<Weights, Error> {
    let now = leaf.at(session).ok_or(Error::EarlierSession)?;
    Ok(Weights {
        now: now.get(child).ok_or(Error::Tree(id))?,
        next: leaf.latest().get(child).ok_or(Error::Tree(id))?,
    })
}

/// A change that is not stored yet.
pub(super) struct Change {
    before: Weights,
    changed: Vec<(NodeId, Node)>,
}

impl Change {
    /// What the slot weighed before.
    pub(super) fn before(&self) -> Weights {
        self.before
    }

    /// Stores it: three nodes, or none where nothing changes.
    pub(super) fn store<N: Nodes>(self, nodes: &mut N) {
        for (id, node) in self.changed {
            nodes.set_node(id, node);
        }
    }
}

/// Gives a slot another weight. At most three nodes are read; nothing is stored yet, since the sums may turn out too large.
pub(super) fn change<N: Nodes>(
    nodes: &N,
    session: SessionIndex,
    slot: u32,
    weight: u64,
    onset: Onset,
) -> Result<Change, Error> {
    let [(leaf_id, leaf_child), middle, root] = way(slot)?;
    let mut leaf = nodes.node(leaf_id);
    let before = weights_in(&leaf, session, leaf_id, leaf_child)?;
    let mut changed = Vec::new();
    if before.next == weight && (onset == Onset::NextSession || before.now == weight) {
        return Ok(Change { before, changed });
    }
    let mut to = Weights {
        now: weight,
        next: weight,
    };
    to = write(&mut leaf, session, (leaf_id, leaf_child), to, onset)?;
    changed.push((leaf_id, leaf));
    for place in [middle, root] {
        let mut node = nodes.node(place.0);
        to = write(&mut node, session, place, to, onset)?;
        changed.push((place.0, node));
    }
    Ok(Change { before, changed })
}

/// Writes what a child weighs into its node, and returns what the node weighs then.
fn write(
    node: &mut Node,
    session: SessionIndex,
    (id, child): (NodeId, u32),
    weights: Weights,
    onset: Onset,
) -> Result<Weights, Error> {
    node.begin(session).ok_or(Error::EarlierSession)?;
    if onset == Onset::Now {
        node.set_now(child, weights.now).ok_or(Error::Tree(id))?;
    }
    node.set_next(child, weights.next).ok_or(Error::Tree(id))?;
    let total = |sums: Option<&Sums>| sums.and_then(Sums::total).ok_or(Error::TooHeavy);
    Ok(Weights {
        now: total(node.at(session))?,
        next: total(Some(node.latest()))?,
    })
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

/// Reads the tree as the draws of a session see it. It keeps the node of each level that it read last, so that points in
/// rising order read each node once.
pub(super) struct Cursor<'a, N> {
    nodes: &'a N,
    session: SessionIndex,
    kept: [Option<(NodeId, Sums)>; 3],
}

impl<'a, N: Nodes> Cursor<'a, N> {
    /// A reader of `nodes` in `session`.
    pub(super) fn new(nodes: &'a N, session: SessionIndex) -> Self {
        Self {
            nodes,
            session,
            kept: [const { None }; 3],
        }
    }

    /// The total weight.
    pub(super) fn total(&mut self) -> Result<u64, Error> {
        let root = self.sums(NodeId::ROOT)?;
        root.total().ok_or(Error::Tree(NodeId::ROOT))
    }

    /// The slot at `point`. Each node must weigh what the one above it says.
    pub(super) fn find(&mut self, point: u64) -> Result<Found, Error> {
        let (mut start, mut within) = (0u64, point);
        // The number of the node within its level; at the end, of the slot.
        let mut index = 0u32;
        let mut said: Option<u64> = None;
        for level in 0..LEVELS {
            let id = NodeId { level, index };
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

    fn sums(&mut self, id: NodeId) -> Result<&Sums, Error> {
        let kept = self.kept.get_mut(usize::from(id.level)).ok_or(Error::Tree(id))?;
        let entry = match kept.take() {
            Some(entry) if entry.0 == id => entry,
            _ => {
                let node = self.nodes.node(id);
                (id, node.at(self.session).ok_or(Error::EarlierSession)?.clone())
            }
        };
        Ok(&kept.insert(entry).1)
    }
}
