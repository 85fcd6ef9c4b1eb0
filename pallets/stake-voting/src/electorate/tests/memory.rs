//! A store in memory that counts what is read and written.

use crate::electorate::{Length, Node, NodeId, Parity, Store};
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
    pub lengths: BTreeMap<Parity, Length>,
    pub accounts: BTreeMap<(Parity, u32), A>,
    counts: Cell<Counts>,
}

impl<A> Default for Memory<A> {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            lengths: BTreeMap::new(),
            accounts: BTreeMap::new(),
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

impl<A: Clone + PartialEq> Store for Memory<A> {
    type Account = A;

    fn node(&self, id: NodeId) -> Node {
        self.count(|counts| &mut counts.nodes_read);
        self.nodes.get(&id).cloned().unwrap_or_default()
    }

    fn set_node(&mut self, id: NodeId, node: Node) {
        self.count(|counts| &mut counts.nodes_written);
        self.nodes.insert(id, node);
    }

    fn length(&self, parity: Parity) -> Length {
        self.count(|counts| &mut counts.others_read);
        self.lengths.get(&parity).copied().unwrap_or_default()
    }

    fn set_length(&mut self, parity: Parity, length: Length) {
        self.count(|counts| &mut counts.others_written);
        self.lengths.insert(parity, length);
    }

    fn account(&self, parity: Parity, slot: u32) -> Option<A> {
        self.count(|counts| &mut counts.others_read);
        self.accounts.get(&(parity, slot)).cloned()
    }

    fn set_account(&mut self, parity: Parity, slot: u32, who: &A) {
        self.count(|counts| &mut counts.others_written);
        self.accounts.insert((parity, slot), who.clone());
    }
}
