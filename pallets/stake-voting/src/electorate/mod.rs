//! # The electorate
//!
//! Who may be drawn, and with what weight: one structure for every draw, of places, of seats, of the committee. Accounts
//! stand side by side on a line, each as long as its weight, in millionths of a HYDRA. A draw names points on the line and
//! asks who stands there. The line is never stored: a **sum tree** with a fan-out of 64 is, root, 64 middle nodes and 4,096
//! leaves, with room for 262,144 accounts. So the total is one node read, a draw three nodes read, and a change three nodes
//! read and written, with four accounts and with a quarter of a million.
//!
//! It must never loop over accounts, except in [`Electorate::check`], which no block runs. It must never take anything of a
//! claim into a draw: seeds are made by [`hydra_primitives::electorate::seed`], which has no room for it. It knows no
//! FRAME, no stake, no score and no models: whoever calls it says what an account weighs, and whether it can take a seat.
//!
//! ## Frozen for a session
//! Where accounts stand, and how long they are, is fixed from a session's first block to its last: what enters, rises,
//! falls or leaves in a session shows in the draws of the next. Otherwise whoever knows a block's randomness a moment
//! before others moves the line until the points fall on its own accounts. That must hold for falls too: with twenty tiny
//! accounts, each paused or not, there are 2²⁰ lines to choose from. An account that is out, or has no room, is passed over
//! instead: its points, and no others, are drawn again in their stretch.
//!
//! No loop does this at a session's change. A node keeps two **versions** and the session in which it was last written:
//! `now`, which holds for the draws of that session, and `next`, for those of any later one. A change that finds a node of
//! an earlier session first makes `next` its `now`. A node that nobody writes needs nothing: its `next` holds.
//! Genesis accounts are in from the first block: [`Electorate::enter_at_once`] writes both.
//!
//! ## Slots
//! An account keeps its **slot**, its number on the line, from entering to leaving for good. A slot that was given back is
//! taken again in a later session, the longest free first: until then the line has its old owner's length there, and the
//! points that fall on it are the old owner's.
//!
//! ## Sources
//! Sums over ranges in a tree: Fenwick, *A new data structure for cumulative frequency tables* (1994). Weighted draws, with
//! and without putting back, by such a tree: Wong and Easton, *An efficient method for weighted sampling without
//! replacement* (1980). The idea to draw jurors on chain in this way is that of Kleros' sortition sum tree.
//!
//! Start with [`Electorate`]; `tree` is the tree, `slots` the slots, `draw` the draws. What they are stored in is behind
//! [`Nodes`] and [`Slots`]: in `storage`, maps of this pallet.

mod check;
mod draw;
mod error;
mod node;
mod slots;
pub mod storage;
#[cfg(test)]
mod tests;
mod tree;

pub use draw::Drawn;
pub use error::Error;
pub use node::{Node, NodeId, Sums};
pub use slots::{Freed, SlotBook, Slots};
pub use tree::{Nodes, Weights};

use hydra_primitives::electorate::SessionIndex;
use tree::{Cursor, Onset};

/// The electorate in a store, in a session. What a method returns an error for has not been done, and nothing of it
/// stored.
#[derive(Clone, Debug)]
pub struct Electorate<S> {
    store: S,
    session: SessionIndex,
}

impl<S: Nodes + Slots> Electorate<S> {
    /// The electorate in `store`, as it is in `session`.
    pub fn new(store: S, session: SessionIndex) -> Self {
        Self { store, session }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The total weight in this session's draws. One node read.
    pub fn total(&self) -> Result<u64, Error> {
        Cursor::new(&self.store, self.session).total()
    }

    /// What `who` weighs, now and in the next session's draws; `None` where it is not in.
    pub fn weights(&self, who: &S::Account) -> Result<Option<Weights>, Error> {
        let Some(slot) = self.store.slot(who) else {
            return Ok(None);
        };
        tree::weights(&self.store, self.session, slot).map(Some)
    }

    /// Lets `who` in with `weight`, from the next session on, and returns its slot.
    pub fn enter(&mut self, who: &S::Account, weight: u64) -> Result<u32, Error> {
        self.let_in(who, weight, Onset::NextSession)
    }

    /// Lets `who` in with `weight`, from now on. For genesis only: it moves where others stand.
    pub fn enter_at_once(&mut self, who: &S::Account, weight: u64) -> Result<u32, Error> {
        self.let_in(who, weight, Onset::Now)
    }

    /// Gives `who`, which is in, this `weight` from the next session on. Zero lets it keep its slot.
    pub fn set_weight(&mut self, who: &S::Account, weight: u64) -> Result<(), Error> {
        let slot = self.store.slot(who).ok_or(Error::NotIn)?;
        let change = tree::change(&self.store, self.session, slot, weight, Onset::NextSession)?;
        change.store(&mut self.store);
        Ok(())
    }

    /// Takes `who` out for good, from the next session on. Its slot may then be another's; it may enter again.
    pub fn leave(&mut self, who: &S::Account) -> Result<(), Error> {
        let slot = self.store.slot(who).ok_or(Error::NotIn)?;
        let release = slots::release(&self.store, slot, self.session)?;
        let change = tree::change(&self.store, self.session, slot, 0, Onset::NextSession)?;
        change.store(&mut self.store);
        release.store(&mut self.store, who);
        Ok(())
    }

    /// Whether all sums agree at all levels, now and next, and all slots with their owners. It reads everything: for tests
    /// and `try-runtime`.
    pub fn check(&self) -> Result<(), Error> {
        check::check(&self.store)
    }

    fn let_in(&mut self, who: &S::Account, weight: u64, onset: Onset) -> Result<u32, Error> {
        if self.store.slot(who).is_some() {
            return Err(Error::AlreadyIn);
        }
        let grant = slots::grant(&self.store, self.session)?;
        let slot = grant.slot();
        let change = tree::change(&self.store, self.session, slot, weight, onset)?;
        // Whatever still weighs there is somebody else's.
        if change.before() != Weights::default() {
            return Err(Error::Slot(slot));
        }
        change.store(&mut self.store);
        grant.store(&mut self.store, who);
        Ok(slot)
    }
}
