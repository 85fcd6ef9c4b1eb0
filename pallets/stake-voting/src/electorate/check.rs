//! Whether everything that is stored agrees. It reads all of it, so no block may run it.

use super::{
    error::Error,
    node::{Node, NodeId, Sums},
    slots::{SlotBook, Slots, place},
    tree::{Nodes, Weights},
};
use alloc::collections::BTreeMap;
use hydra_primitives::electorate::{FAN_OUT, SLOTS, SessionIndex};

/// Checks the tree now and next, and the slots. Every change writes the root: what holds in the root's session, and in the
/// one after it, holds in every later one.
pub(super) fn check<S: Nodes + Slots>(store: &S) -> Result<(), Error> {
    let root = store.node(NodeId::ROOT);
    let session = root.session();
    totals(&root, session).ok_or(Error::Tree(NodeId::ROOT))?;
    let book = store.book();
    let free = free(store, &book)?;
    for index in 0..FAN_OUT {
        let id = NodeId { level: 1, index };
        let middle = below(store, session, &root, index, id)?;
        for child in 0..FAN_OUT {
            let index = number(index, child);
            let id = NodeId { level: 2, index };
            let leaf = below(store, session, &middle, child, id)?;
            for child in 0..FAN_OUT {
                let weights = child_of(&leaf, session, child).ok_or(Error::Tree(id))?;
                slot(store, &book, &free, session, number(index, child), weights)?;
            }
        }
    }
    Ok(())
}

fn number(index: u32, child: u32) -> u32 {
    index.saturating_mul(FAN_OUT).saturating_add(child)
}

fn totals(node: &Node, session: SessionIndex) -> Option<Weights> {
    Some(Weights {
        now: node.at(session).and_then(Sums::total)?,
        next: node.latest().total()?,
    })
}

fn child_of(node: &Node, session: SessionIndex, child: u32) -> Option<Weights> {
    Some(Weights {
        now: node.at(session)?.get(child)?,
        next: node.latest().get(child)?,
    })
}

/// The node `id`, which must weigh what `above` says of its child.
fn below<S: Nodes>(
    store: &S,
    session: SessionIndex,
    above: &Node,
    child: u32,
    id: NodeId,
) -> Result<Node, Error> {
    let node = store.node(id);
    let weighs = totals(&node, session).ok_or(Error::Tree(id))?;
    let said = child_of(above, session, child).ok_or(Error::Tree(id))?;
    if weighs == said {
        Ok(node)
    } else {
        Err(Error::Tree(id))
    }
}

/// The free slots, each with the session in which it was given back.
fn free<S: Slots>(store: &S, book: &SlotBook) -> Result<BTreeMap<u32, SessionIndex>, Error> {
    if book.used > SLOTS || book.freed > book.used || book.first >= SLOTS {
        return Err(Error::Book);
    }
    let mut free = BTreeMap::new();
    let mut last = 0;
    for ahead in 0..book.freed {
        let freed = place(book, ahead)
            .and_then(|place| store.freed(place))
            .ok_or(Error::Book)?;
        let again = free.insert(freed.slot, freed.session).is_some();
        if again || freed.slot >= book.used || freed.session < last {
            return Err(Error::Slot(freed.slot));
        }
        last = freed.session;
    }
    Ok(free)
}

/// Checks one slot.
fn slot<S: Slots>(
    store: &S,
    book: &SlotBook,
    free: &BTreeMap<u32, SessionIndex>,
    session: SessionIndex,
    slot: u32,
    weights: Weights,
) -> Result<(), Error> {
    let right = if slot >= book.used {
        weights == Weights::default()
    } else {
        let owner = store.owner(slot).ok_or(Error::Slot(slot))?;
        let has_it = store.slot(&owner) == Some(slot);
        match free.get(&slot) {
            Some(freed) => !has_it && weights.next == 0 && (*freed >= session || weights.now == 0),
            None => has_it,
        }
    };
    if right { Ok(()) } else { Err(Error::Slot(slot)) }
}
