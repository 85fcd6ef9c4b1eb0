//! Who we are connected to.

use crate::{manager::Slot, reach::Path, scope::is_relayed};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};
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
    /// How the newest connection to it came about.
    pub path: Path,
    /// What carries the newest connection to it.
    pub carrier: Carrier,
    /// What it is to us.
    pub slot: Slot,
}

/// What carries a connection; of a relayed one, what leads to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// TCP.
    Tcp,
    /// QUIC.
    Quic,
    /// WebSocket, over TLS or not.
    WebSocket,
}

impl Carrier {
    /// Its name in JSON and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
            Self::WebSocket => "wss",
        }
    }

    pub(crate) fn of(address: &Multiaddr) -> Self {
        let kind = address.iter().find_map(|part| match part {
            Protocol::QuicV1 | Protocol::Quic => Some(Self::Quic),
            Protocol::Ws(_) | Protocol::Wss(_) => Some(Self::WebSocket),
            _ => None,
        });
        kind.unwrap_or(Self::Tcp)
    }
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
    /// Adds a connection. One that won't last is shown only while there is no other.
    pub(crate) fn connected(&mut self, peer: PeerId, id: ConnectionId, address: Multiaddr, lasting: bool) {
        let connections = &mut self.peers.entry(peer).or_default().connections;
        let at = if lasting { connections.len() } else { 0 };
        connections.insert(at, (id, address));
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

    /// Returns whether none was known before.
    pub(crate) fn set_latency(&mut self, peer: &PeerId, latency: Duration) -> bool {
        let known = self.peers.get_mut(peer).map(|peer| &mut peer.latency);
        known.is_some_and(|known| known.replace(latency).is_none())
    }

    pub(crate) fn set_agent(&mut self, peer: &PeerId, agent: &str) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.agent = Some(printable(agent));
        }
    }

    /// All peers, by PeerId; `describe` says how a connection came about and what the peer is to us.
    pub(crate) fn list(&self, describe: impl Fn(&PeerId, &Multiaddr) -> (Path, Slot)) -> Vec<PeerInfo> {
        let ids = self.peers.keys();
        ids.filter_map(|id| self.info(id, &describe)).collect()
    }

    /// One of them, described as in [`list`](Self::list); none if it isn't connected.
    pub(crate) fn info(
        &self,
        id: &PeerId,
        describe: impl Fn(&PeerId, &Multiaddr) -> (Path, Slot),
    ) -> Option<PeerInfo> {
        let peer = self.peers.get(id)?;
        // A way through a relay is used only while there is no other.
        let mut newest = peer.connections.iter().rev().map(|(_, address)| address);
        let direct = newest.clone().find(|address| !is_relayed(address));
        let address = direct.or_else(|| newest.next())?;
        let address = self.through_relay(address).unwrap_or_else(|| address.clone());
        let (path, slot) = describe(id, &address);
        Some(PeerInfo {
            peer_id: *id,
            path,
            slot,
            carrier: Carrier::of(&address),
            address,
            latency: peer.latency,
            agent: peer.agent.clone(),
        })
    }

    /// Of a relayed address, the same with the relay where we are connected to it: what was dialled may be another of its addresses, and
    /// isn't used while there is a connection.
    fn through_relay(&self, address: &Multiaddr) -> Option<Multiaddr> {
        let parts: Vec<Protocol> = address.iter().collect();
        let circuit = parts.iter().position(|part| *part == Protocol::P2pCircuit)?;
        let relay = parts[..circuit].iter().rev().find_map(|part| match part {
            Protocol::P2p(relay) => Some(*relay),
            _ => None,
        })?;
        let connections = &self.peers.get(&relay)?.connections;
        let direct = connections.iter().rev().find(|(_, address)| !is_relayed(address));
        let start = direct?.1.clone().with_p2p(relay).ok()?;
        let rest = parts.into_iter().skip(circuit);
        Some(rest.fold(start, |address, part| address.with(part)))
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
        peers.connected(peer, first, Multiaddr::empty(), true);
        peers.connected(peer, second, address.clone(), true);
        let list = |peers: &Peers| peers.list(|_, _| (Path::Direct, Slot::None));
        assert_eq!(list(&peers)[0].address, address);
        let brief = ConnectionId::new_unchecked(3);
        peers.connected(peer, brief, Multiaddr::empty(), false);
        assert_eq!(list(&peers)[0].address, address);
        assert!(!peers.disconnected(peer, brief));
        assert!(!peers.disconnected(peer, first));
        assert!(peers.is_connected(&peer));
        assert!(peers.disconnected(peer, second));
        assert!(list(&peers).is_empty());
        assert!(!peers.disconnected(peer, second));
    }

    #[test]
    fn a_relayed_way_begins_where_the_relay_is_connected() {
        let (mut peers, relay, peer) = (Peers::default(), PeerId::random(), PeerId::random());
        let address: Multiaddr = format!("/ip4/192.0.2.1/udp/1/quic-v1/p2p/{relay}/p2p-circuit/p2p/{peer}")
            .parse()
            .unwrap();
        peers.connected(peer, ConnectionId::new_unchecked(1), address.clone(), true);
        let shown = |peers: &Peers| {
            let list = peers.list(|_, _| (Path::Relayed, Slot::None));
            let peer = list.into_iter().find(|info| info.peer_id == peer).unwrap();
            (peer.address, peer.carrier)
        };
        assert_eq!(
            shown(&peers),
            (address.clone(), Carrier::Quic),
            "the relay has just gone"
        );
        let there = "/ip4/192.0.2.1/tcp/1".parse().unwrap();
        peers.connected(relay, ConnectionId::new_unchecked(2), there, true);
        let by_tcp = address.to_string().replace("udp/1/quic-v1", "tcp/1");
        assert_eq!(shown(&peers), (by_tcp.parse().unwrap(), Carrier::Tcp));
    }

    #[test]
    fn an_agent_string_cant_write_to_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\u{202e}\nc"), "a[2Jbc");
        assert_eq!(printable(&"x".repeat(1000)).len(), 64);
    }
}
