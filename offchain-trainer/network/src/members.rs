//! Who is registered on the chain, as far as the daemon has said: those are known to hold a stake, so they go first.
//!
//! While nothing is known (there is no node yet), everybody is treated alike: [`Members::know_none`]. Must never decide what is true, only
//! who is served and heard first.

use libp2p::PeerId;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// So many members are held at the most: as many accounts as the chain's electorate takes.
const MOST: usize = 250_000;

/// Somebody who is registered on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its identity on the data plane.
    pub peer: PeerId,
    /// Its weight among the others, as the chain draws by it; any unit, the same for all.
    pub weight: u32,
}

/// The members. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Arc<RwLock<BTreeMap<PeerId, u32>>>);

impl Members {
    /// Puts these in the place of those before.
    pub(crate) fn set(&self, members: impl IntoIterator<Item = Member>) {
        let members = members.into_iter().take(MOST);
        let members = members.map(|member| (member.peer, member.weight)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = members;
    }

    /// Whether there is nobody that could be told from others.
    pub(crate) fn know_none(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether it is registered.
    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.weight(peer).is_some()
    }

    /// Its weight, if it is registered.
    pub(crate) fn weight(&self, peer: &PeerId) -> Option<u32> {
        let members = self.0.read().unwrap_or_else(PoisonError::into_inner);
        members.get(peer).copied()
    }

    /// All of them, by PeerId.
    pub(crate) fn list(&self) -> Vec<PeerId> {
        let members = self.0.read().unwrap_or_else(PoisonError::into_inner);
        members.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_registered_is_known_until_the_next_time_it_is_said() {
        let members = Members::default();
        let [one, other] = [(); 2].map(|()| PeerId::random());
        assert!(members.know_none());
        members.set([Member { peer: one, weight: 0 }]);
        let clone = members.clone();
        assert!(clone.contains(&one) && !clone.contains(&other) && !clone.know_none());
        members.set([Member {
            peer: other,
            weight: 7,
        }]);
        assert_eq!((clone.weight(&one), clone.weight(&other)), (None, Some(7)));
        assert_eq!(clone.list(), [other]);
    }

    #[test]
    fn no_more_are_held_than_the_chain_registers() {
        let members = Members::default();
        members.set((0..MOST + 10).map(|number| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            let hash = libp2p::multihash::Multihash::wrap(0x12, &digest).unwrap();
            Member {
                peer: PeerId::from_multihash(hash).unwrap(),
                weight: 1,
            }
        }));
        assert_eq!(members.list().len(), MOST);
    }
}
