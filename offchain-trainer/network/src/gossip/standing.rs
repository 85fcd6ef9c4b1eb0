//! How peers stand with gossipsub before they have said anything: registered ones first, and of one address only a few.
//!
//! Gossipsub's own count of peers at one address takes relayed ones for one PC, counts each address of an IPv6 network by itself and can't
//! be told of private networks, so it is off and this one counts instead.

use crate::{
    members::Members,
    origin::Origin,
    scope::{Scope, is_relayed},
};
use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};
use std::collections::HashMap;

/// Peers at one public address without being worse off for it.
const AT_ONE_ADDRESS: usize = 3;
/// For each above that, squared.
const CROWDED: f64 = -20.0;
/// The most that weight on the chain gives: less than what a few wrong messages take.
const MEMBER: f64 = 10.0;

#[derive(Default)]
pub(super) struct Standing {
    /// Of connections; none: it doesn't count.
    connections: HashMap<ConnectionId, (PeerId, Option<Origin>)>,
}

impl Standing {
    pub(super) fn connected(&mut self, id: ConnectionId, peer: PeerId, remote: &Multiaddr) {
        let counts = Scope::of(remote) == Some(Scope::Public) && !is_relayed(remote);
        let origin = Origin::of(remote).filter(|_| counts);
        self.connections.insert(id, (peer, origin));
    }

    pub(super) fn disconnected(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// The score of each connected peer.
    pub(super) fn scores(&self, members: &Members) -> HashMap<PeerId, f64> {
        let mut at: HashMap<Origin, Vec<PeerId>> = HashMap::new();
        for (peer, origin) in self.connections.values() {
            if let Some(origin) = origin {
                let there = at.entry(*origin).or_default();
                if !there.contains(peer) {
                    there.push(*peer);
                }
            }
        }
        let mut scores: HashMap<PeerId, f64> = HashMap::new();
        for (peer, origin) in self.connections.values() {
            let there = origin.and_then(|origin| at.get(&origin)).map_or(0, Vec::len);
            let excess = there.saturating_sub(AT_ONE_ADDRESS).min(100) as f64;
            let weight = members
                .weight(peer)
                .map_or(0.0, |weight| 1.0 + f64::from(weight).max(1.0).log2());
            let score = weight.min(MEMBER) + CROWDED * excess * excess;
            // Of two connections the worse one counts.
            let known = scores.entry(*peer).or_insert(score);
            *known = known.min(score);
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::Member;

    fn scores(addresses: &[&str]) -> Vec<f64> {
        let mut standing = Standing::default();
        let peers: Vec<PeerId> = addresses.iter().map(|_| PeerId::random()).collect();
        for (at, (peer, address)) in peers.iter().zip(addresses).enumerate() {
            standing.connected(ConnectionId::new_unchecked(at), *peer, &address.parse().unwrap());
        }
        let scores = standing.scores(&Members::default());
        peers.iter().map(|peer| scores[peer]).collect()
    }

    #[test]
    fn a_crowd_at_one_address_is_worse_off() {
        assert_eq!(scores(&["/ip4/192.0.2.1/tcp/1"; 3]), [0.0; 3]);
        assert_eq!(scores(&["/ip4/192.0.2.1/tcp/1"; 4]), [-20.0; 4]);
        let one_network: Vec<String> = (0..5).map(|n| format!("/ip6/2001:db8::{n}/tcp/1")).collect();
        let one_network: Vec<&str> = one_network.iter().map(String::as_str).collect();
        assert_eq!(scores(&one_network), [-80.0; 5]);
        for free in [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/10.0.0.1/tcp/1",
            "/ip4/192.0.2.1/tcp/1/p2p-circuit",
        ] {
            assert_eq!(scores(&[free; 9]), [0.0; 9], "{free}");
        }
    }

    #[test]
    fn weight_on_the_chain_counts_and_one_peer_counts_once() {
        let (mut standing, members) = (Standing::default(), Members::default());
        let (big, small, none) = (PeerId::random(), PeerId::random(), PeerId::random());
        members.set([
            Member {
                peer: big,
                weight: u32::MAX,
            },
            Member {
                peer: small,
                weight: 2,
            },
        ]);
        for (at, peer) in [big, big, big, big, small, none].into_iter().enumerate() {
            standing.connected(
                ConnectionId::new_unchecked(at),
                peer,
                &"/ip4/192.0.2.1/tcp/1".parse().unwrap(),
            );
        }
        let scores = standing.scores(&members);
        assert_eq!((scores[&big], scores[&small], scores[&none]), (MEMBER, 2.0, 0.0));
        for at in 0..6 {
            standing.disconnected(ConnectionId::new_unchecked(at));
        }
        assert!(standing.scores(&members).is_empty());
    }
}
