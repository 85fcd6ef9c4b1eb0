//! Where peers were found, so that a PC finds its way back without the bootstrap peers.
//!
//! Must never grow beyond its bounds, whatever peers say about each other, and never believe what it reads from disk.

use libp2p::{Multiaddr, PeerId};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Where an address was learnt; of two the later one in this list is believed more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// Somebody said so, in a record that the peer itself signed.
    Record,
    /// The peer said so, over a connection.
    Identify,
    /// It answered on the local network.
    Mdns,
    /// It was remembered from an earlier run.
    Memory,
    /// A connection to it stood.
    Connected,
    /// A person or the network's file said so.
    Bootstrap,
}

/// Peers that wait to be looked for.
const WANTED: usize = 256;

/// The addresses. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book(
    Arc<Mutex<BTreeMap<PeerId, Vec<Multiaddr>>>>,
    Arc<Mutex<Vec<PeerId>>>,
);

impl Book {
    /// Remembers these addresses of a peer.
    pub(crate) fn learn(
        &self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        _source: Source,
    ) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = book.entry(peer).or_default();
        for address in addresses {
            if !known.contains(&address) {
                known.push(address);
            }
        }
    }

    /// Asks discovery to look for a peer.
    #[allow(dead_code)] // The peer manager does.
    pub(crate) fn want(&self, peer: PeerId) {
        let mut wanted = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() < WANTED && !wanted.contains(&peer) {
            wanted.push(peer);
        }
    }

    /// Whom to look for.
    pub(crate) fn take_wanted(&self) -> Vec<PeerId> {
        std::mem::take(&mut self.1.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where to try to reach a peer, the best first.
    pub(crate) fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.get(peer).cloned().unwrap_or_default()
    }
}
