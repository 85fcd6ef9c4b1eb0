//! A store in memory that counts what is read and written.

use crate::electorate::{Freed, Node, NodeId, Nodes, SlotBook, Slots};
use std::{cell::Cell, collections::BTreeMap};

/// How often something was read and written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    pub nodes_read: usize,
    pub nodes_written: usize,
    pub others_read: usize,
    pub others_written: usize,
}

/// A store in memory.
#[derive(Clone, Debug)]
pub struct Memory<A = u32> {
    pub nodes: BTreeMap<NodeId, Node>,
    pub book: SlotBook,
    pub freed: BTreeMap<u32, Freed>,
    pub slots: BTreeMap<A, u32>,
    pub owners: BTreeMap<u32, A>,
    counts: Cell<Counts>,
}

impl<A> Default for Memory<A> {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            book: SlotBook::default(),
            freed: BTreeMap::new(),
            slots: BTreeMap::new(),
            owners: BTreeMap::new(),
            counts: Cell::default(),
        }
    }
}

impl<A> Memory<A> {
    /// What was counted since it was asked last.
    pub fn counts(&self) -> Counts {
        self.counts.take()
    }

    fn count(&self, what: impl FnOnce(&mut Counts) -> &mut usize) {
        let mut counts = self.counts.get();
        *what(&mut counts) += 1;
        self.counts.set(counts);
    }
}

impl<A> Nodes for Memory<A> {
    fn node(&self, id: NodeId) -> Node {
        self.count(|counts| &mut counts.nodes_read);
        self.nodes.get(&id).cloned().unwrap_or_default()
    }

    fn set_node(&mut self, id: NodeId, node: Node) {
        self.count(|counts| &mut counts.nodes_written);
        self.nodes.insert(id, node);
    }
}

impl<A: Clone + Ord> Slots for Memory<A> {
    type Account = A;

    fn book(&self) -> SlotBook {
        self.count(|counts| &mut counts.others_read);
        self.book
    }

    fn set_book(&mut self, book: SlotBook) {
        self.count(|counts| &mut counts.others_written);
        self.book = book;
    }

    fn freed(&self, place: u32) -> Option<Freed> {
        self.count(|counts| &mut counts.others_read);
        self.freed.get(&place).copied()
    }

    fn set_freed(&mut self, place: u32, freed: Option<Freed>) {
        self.count(|counts| &mut counts.others_written);
        match freed {
            Some(freed) => self.freed.insert(place, freed),
            None => self.freed.remove(&place),
        };
    }

    fn slot(&self, who: &A) -> Option<u32> {
        self.count(|counts| &mut counts.others_read);
        self.slots.get(who).copied()
    }

    fn set_slot(&mut self, who: &A, slot: Option<u32>) {
        self.count(|counts| &mut counts.others_written);
        match slot {
            Some(slot) => self.slots.insert(who.clone(), slot),
            None => self.slots.remove(who),
        };
    }

    fn owner(&self, slot: u32) -> Option<A> {
        self.count(|counts| &mut counts.others_read);
        self.owners.get(&slot).cloned()
    }

    fn set_owner(&mut self, slot: u32, who: &A) {
        self.count(|counts| &mut counts.others_written);
        self.owners.insert(slot, who.clone());
    }
}
