//! Who we are connected to.

use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};
use std::{collections::BTreeMap, time::Duration};

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its identity, proven by the encrypted handshake.
    pub peer_id: PeerId,
    /// Where the newest connection to it goes; for one that it opened, the port is a temporary one.
    pub address: Multiaddr,
    /// Round trip, once measured.
    pub latency: Option<Duration>,
    /// What it says it is running, once it has: at most 64 printable ASCII characters. Don't believe it.
    pub agent: Option<String>,
}

/// The table behind [`PeerInfo`].
#[derive(Default)]
pub(crate) struct Peers {
    peers: BTreeMap<PeerId, Peer>,
}

#[derive(Default)]
struct Peer {
    /// Oldest first; never empty.
    connections: Vec<(ConnectionId, Multiaddr)>,
    latency: Option<Duration>,
    agent: Option<String>,
}

impl Peers {
    /// Adds a connection; returns the peer's older ones.
    pub(crate) fn connected(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        address: Multiaddr,
    ) -> Vec<ConnectionId> {
        let peer = self.peers.entry(peer).or_default();
        let older = peer.connections.iter().map(|(id, _)| *id).collect();
        peer.connections.push((id, address));
        older
    }

    /// Removes a connection; returns whether it was the peer's last.
    pub(crate) fn disconnected(&mut self, peer: PeerId, id: ConnectionId) -> bool {
        let Some(entry) = self.peers.get_mut(&peer) else {
            return false;
        };
        entry.connections.retain(|(other, _)| *other != id);
        let last = entry.connections.is_empty();
        if last {
            self.peers.remove(&peer);
        }
        last
    }

    pub(crate) fn is_connected(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    pub(crate) fn set_latency(&mut self, peer: &PeerId, latency: Duration) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.latency = Some(latency);
        }
    }

    pub(crate) fn set_agent(&mut self, peer: &PeerId, agent: &str) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.agent = Some(printable(agent));
        }
    }

    /// All peers, by PeerId.
    pub(crate) fn list(&self) -> Vec<PeerInfo> {
        let infos = self.peers.iter().filter_map(|(id, peer)| {
            Some(PeerInfo {
                peer_id: *id,
                address: peer.connections.last()?.1.clone(),
                latency: peer.latency,
                agent: peer.agent.clone(),
            })
        });
        infos.collect()
    }
}

/// It ends up in terminals and on pages, and a stranger wrote it.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_stays_until_its_last_connection_is_gone() {
        let (mut peers, peer) = (Peers::default(), PeerId::random());
        let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/2".parse().unwrap();
        assert!(peers.connected(peer, first, Multiaddr::empty()).is_empty());
        assert_eq!(peers.connected(peer, second, address.clone()), [first]);
        assert_eq!(peers.list()[0].address, address);
        assert!(!peers.disconnected(peer, first));
        assert!(peers.is_connected(&peer));
        assert!(peers.disconnected(peer, second));
        assert!(peers.list().is_empty());
        assert!(!peers.disconnected(peer, second));
    }

    #[test]
    fn an_agent_string_cant_write_to_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\u{202e}\nc"), "a[2Jbc");
        assert_eq!(printable(&"x".repeat(1000)).len(), 64);
    }
}
