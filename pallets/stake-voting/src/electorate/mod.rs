//! # The electorate
//!
//! Who may be drawn, and with what weight: one structure for every draw, of places, of seats, of the committee. Accounts
//! stand side by side on a line, each as long as its weight, in millionths of a HYDRA. A draw names points on the line and
//! asks who stands there. The line is never stored: a **sum tree** with a fan-out of 64 is, root, 64 middle nodes and 4,096
//! leaves, with room for 262,144 accounts. So the total is one node read, a draw three nodes read, and an account more three
//! nodes read and written, with four accounts and with a quarter of a million.
//!
//! It must never loop over accounts, except in [`Electorate::check`], which no block runs. It must never take anything of a
//! claim into a draw: seeds are made by [`hydra_primitives::electorate::seed`], which has no room for it. It knows no
//! FRAME, no stake, no score and no models: whoever calls it says what an account weighs, and whether it can take a seat.
//!
//! ## Made anew for each session
//! Whoever takes part says so once a session, and is appended to the electorate of the next one, with the weight it has
//! then. The electorate that draws are made from never changes: otherwise whoever knows a block's randomness a moment before
//! others would move the line until the points fall on its own accounts, and with twenty tiny accounts, each paused or not,
//! there are 2²⁰ lines to choose from. An account that is out is passed over instead: its points, and no others, are drawn
//! again in their stretch. Those of one that has enough to do stay empty. Whoever did not say that it is there is not in the
//! next electorate: nothing is ever taken out, and nobody has to be looked for.
//!
//! Two electorates are stored, of even and of odd sessions: the one that is drawn from, and the one that is being made. Each
//! node has the **session** that it is of; one of another session counts as empty, and is overwritten. So no loop clears
//! anything when a session ends, and what is stored is bounded. With the first account that is appended to the electorate of
//! the next but one session, the one in its place is gone.
//!
//! ## Sources
//! Sums over ranges in a tree: Fenwick, *A new data structure for cumulative frequency tables* (1994). Weighted draws, with
//! and without putting back, by such a tree: Wong and Easton, *An efficient method for weighted sampling without
//! replacement* (1980). The idea to draw jurors on chain in this way is that of Kleros' sortition sum tree.
//!
//! Start with [`Electorate`]; `tree` is the tree, `draw` the draws. What they are stored in is behind [`Store`]: in
//! `storage`, maps of this pallet.

mod check;
mod draw;
mod error;
pub(crate) mod storage;
mod store;
#[cfg(test)]
mod tests;
mod tree;

pub use draw::{Drawing, Drawn, Look, Seat};
pub use error::Error;
pub use store::{Length, Node, NodeId, Parity, Store, Sums, parity};

use hydra_primitives::electorate::{SLOTS, SessionIndex};

/// The electorate of a session, in a store. What a method returns an error for has not been done, and nothing of it stored.
#[derive(Clone, Debug)]
pub struct Electorate<S> {
    store: S,
    session: SessionIndex,
}

impl<S: Store> Electorate<S> {
    /// The electorate of `session` in `store`.
    pub fn new(store: S, session: SessionIndex) -> Self {
        Self { store, session }
    }

    /// How many accounts it has.
    pub fn len(&self) -> u32 {
        let length = self.store.length(parity(self.session));
        if length.session == self.session {
            length.slots
        } else {
            0
        }
    }

    /// Whether it has no accounts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The total weight. One node read.
    pub fn total(&self) -> Result<u64, Error> {
        tree::Cursor::new(&self.store, self.session).total()
    }

    /// Appends `who` with `weight`, and returns its slot. Whoever is appended twice stands on the line twice: the caller
    /// remembers whom it has appended. Three nodes read and written.
    pub fn append(&mut self, who: &S::Account, weight: u64) -> Result<u32, Error> {
        let parity = parity(self.session);
        let length = self.store.length(parity);
        let slot = match length.session.cmp(&self.session) {
            core::cmp::Ordering::Less => 0,
            core::cmp::Ordering::Equal => length.slots,
            core::cmp::Ordering::Greater => return Err(Error::EarlierSession),
        };
        if slot >= SLOTS {
            return Err(Error::Full);
        }
        let changed = tree::with_weight(&self.store, self.session, slot, weight)?;
        for (id, node) in changed {
            self.store.set_node(id, node);
        }
        self.store.set_account(parity, slot, who);
        let length = Length {
            session: self.session,
            slots: slot.saturating_add(1),
        };
        self.store.set_length(parity, length);
        Ok(slot)
    }

    /// Whether all sums agree at all levels, and used slots have accounts. It reads everything: for tests and `try-runtime`.
    pub fn check(&self) -> Result<(), Error> {
        check::check(&self.store, self.session, self.len())
    }
}
