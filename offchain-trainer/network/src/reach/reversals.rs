//! Whom we know through a relay only, and who says where everybody reaches it: we dial it there.
//!
//! Hole punching alone doesn't do. It has both sides dial at the same moment, and tells one of them to answer what it has dialled
//! itself; where that one's attempt comes to an open port first, both wait for the other to speak. Without sockets and clock. Must
//! never dial more often than a few times because a stranger says so.

use crate::reach::budget::Budget;
use libp2p::{Multiaddr, PeerId};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Hole punching comes first: where both have routers, it is the only way.
const LATER: Duration = Duration::from_secs(2);
/// So often at once for one peer, and one more so often.
const DIALS: (u32, Duration) = (3, Duration::from_secs(900));
/// So many addresses of one peer.
const ADDRESSES: usize = 4;
/// So many peers at a time.
const MOST: usize = 128;

/// The peers.
pub(crate) struct Reversals {
    peers: BTreeMap<PeerId, Said>,
    dials: Budget<PeerId>,
}

struct Said {
    addresses: Vec<Multiaddr>,
    /// None: they were tried.
    next: Option<Instant>,
}

impl Default for Reversals {
    fn default() -> Self {
        Self {
            peers: BTreeMap::new(),
            dials: Budget::new(DIALS.0, DIALS.1, MOST),
        }
    }
}

impl Reversals {
    /// Through the relay a peer says where it is reached. The same again is no news.
    pub(crate) fn said(&mut self, peer: PeerId, addresses: impl Iterator<Item = Multiaddr>, now: Instant) {
        let mut addresses: Vec<Multiaddr> = addresses.take(ADDRESSES).collect();
        addresses.sort();
        let known = self.peers.get(&peer);
        if addresses.is_empty()
            || known.is_some_and(|known| known.addresses == addresses)
            || known.is_none() && self.peers.len() >= MOST
        {
            return;
        }
        let next = Some(now + LATER);
        self.peers.insert(peer, Said { addresses, next });
    }

    /// There is a direct connection, or none any more.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Whom to dial now, and where.
    pub(crate) fn due_dials(&mut self, now: Instant) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let mut due = Vec::new();
        for (peer, said) in &mut self.peers {
            if said.next.is_some_and(|next| next <= now) {
                said.next = None;
                if self.dials.take(*peer, now) {
                    due.push((*peer, said.addresses.clone()));
                }
            }
        }
        due
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.peers.values().filter_map(|said| said.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Multiaddr {
        format!("/ip4/198.51.100.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn a_peer_is_dialled_once_where_it_says_that_it_is() {
        let (mut reversals, peer, now) = (Reversals::default(), PeerId::random(), Instant::now());
        reversals.said(peer, std::iter::empty(), now);
        assert_eq!(reversals.due(), None);
        reversals.said(peer, [at(1)].into_iter(), now);
        assert_eq!(reversals.due(), Some(now + LATER));
        assert!(reversals.due_dials(now).is_empty());
        let now = now + LATER;
        assert_eq!(reversals.due_dials(now), [(peer, vec![at(1)])]);
        reversals.said(peer, [at(1)].into_iter(), now);
        assert_eq!(reversals.due(), None, "that is no news");
        reversals.said(peer, [at(2)].into_iter(), now);
        reversals.forget(&peer);
        assert_eq!(reversals.due(), None);
    }

    #[test]
    fn nobody_has_us_dial_for_ever() {
        let (mut reversals, peer, mut now) = (Reversals::default(), PeerId::random(), Instant::now());
        let mut dialled = 0;
        for port in 1..100 {
            reversals.said(peer, [at(port)].into_iter(), now);
            now += LATER;
            dialled += reversals.due_dials(now).len();
        }
        assert_eq!(dialled, DIALS.0 as usize);
        let other = PeerId::random();
        reversals.said(other, (1..100).map(at), now);
        assert_eq!(reversals.peers[&other].addresses.len(), ADDRESSES);
        for _ in 0..1000 {
            reversals.said(PeerId::random(), [at(1)].into_iter(), now);
        }
        assert_eq!(reversals.peers.len(), MOST);
    }
}
