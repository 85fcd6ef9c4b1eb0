//! Who has announced that it has a blob: whom to ask first. Bounded, the longest unused leave first, and nothing depends on it.

use hydra_blobs::H256;
use libp2p::PeerId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

/// Blobs.
const BLOBS: usize = 2048;
/// Peers of one blob.
const PEERS: usize = 8;

/// The table. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    blobs: HashMap<H256, (u64, Vec<PeerId>)>,
    /// The longest unused first.
    used: BTreeMap<u64, H256>,
    clock: u64,
}

impl Hints {
    pub(super) fn add(&self, blob: H256, peer: PeerId) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !table.blobs.contains_key(&blob) && table.blobs.len() >= BLOBS {
            let oldest = table.used.pop_first();
            if let Some((_, oldest)) = oldest {
                table.blobs.remove(&oldest);
            }
        }
        table.touch(blob, true);
        if let Some((_, peers)) = table.blobs.get_mut(&blob) {
            peers.retain(|other| *other != peer);
            // The newest are the likeliest to be there.
            peers.insert(0, peer);
            peers.truncate(PEERS);
        }
    }

    /// The newest first.
    pub(crate) fn of(&self, blob: H256) -> Vec<PeerId> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.touch(blob, false);
        table
            .blobs
            .get(&blob)
            .map(|(_, peers)| peers.clone())
            .unwrap_or_default()
    }

    /// It says that it is going.
    pub(super) fn forget(&self, peer: &PeerId) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { blobs, used, .. } = &mut *table;
        blobs.retain(|_, (at, peers)| {
            peers.retain(|other| other != peer);
            if peers.is_empty() {
                used.remove(at);
            }
            !peers.is_empty()
        });
    }
}

impl Table {
    fn touch(&mut self, blob: H256, add: bool) {
        if !add && !self.blobs.contains_key(&blob) {
            return;
        }
        self.clock += 1;
        let entry = self.blobs.entry(blob).or_insert((self.clock, Vec::new()));
        self.used.remove(&entry.0);
        entry.0 = self.clock;
        self.used.insert(self.clock, blob);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_peers_of_the_blobs_last_used_are_kept() {
        let hints = Hints::default();
        let blob = |n: usize| H256::from_low_u64_be(n as u64);
        let peers: Vec<PeerId> = (0..2 * PEERS).map(|_| PeerId::random()).collect();
        for peer in &peers {
            hints.add(blob(0), *peer);
        }
        let newest: Vec<PeerId> = peers.iter().rev().take(PEERS).copied().collect();
        assert_eq!(hints.of(blob(0)), newest);
        for n in 1..2 * BLOBS {
            hints.add(blob(n), peers[0]);
            if n % 100 == 0 {
                assert_eq!(hints.of(blob(0)).len(), PEERS, "it is used all the time");
            }
        }
        assert!(hints.of(blob(1)).is_empty());
        assert_eq!(hints.0.lock().unwrap().blobs.len(), BLOBS);
        hints.forget(&peers[0]);
        let table = hints.0.lock().unwrap();
        assert_eq!((table.blobs.len(), table.used.len()), (1, 1));
    }
}
