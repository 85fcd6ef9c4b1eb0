//! Whether everything that is stored agrees. It reads all of it, so no block may run it.

use super::{
    error::Error,
    store::{NodeId, Store, Sums, parity},
};
use hydra_primitives::electorate::{FAN_OUT, SLOTS, SessionIndex};

/// Checks the tree of a session, and the accounts at its leaves.
pub(super) fn check<S: Store>(store: &S, session: SessionIndex, length: u32) -> Result<(), Error> {
    if length > SLOTS {
        return Err(Error::Length);
    }
    let id = NodeId::root(session);
    let root = store.node(id).in_session(session);
    root.total().ok_or(Error::Tree(id))?;
    for index in 0..FAN_OUT {
        let middle = below(store, session, &root, index, NodeId::new(session, 1, index))?;
        for child in 0..FAN_OUT {
            let index = number(index, child);
            let id = NodeId::new(session, 2, index);
            let leaf = below(store, session, &middle, child, id)?;
            for child in 0..FAN_OUT {
                let slot = number(index, child);
                let right = if slot < length {
                    store.account(parity(session), slot).is_some()
                } else {
                    leaf.get(child) == Some(0)
                };
                if !right {
                    return Err(Error::Slot(slot));
                }
            }
        }
    }
    Ok(())
}

fn number(index: u32, child: u32) -> u32 {
    index.saturating_mul(FAN_OUT).saturating_add(child)
}

/// The node `id`, which must weigh what `above` says of its child.
fn below<S: Store>(
    store: &S,
    session: SessionIndex,
    above: &Sums,
    child: u32,
    id: NodeId,
) -> Result<Sums, Error> {
    let sums = store.node(id).in_session(session);
    let weighs = sums.total().ok_or(Error::Tree(id))?;
    if above.get(child) == Some(weighs) {
        Ok(sums)
    } else {
        Err(Error::Tree(id))
    }
}
