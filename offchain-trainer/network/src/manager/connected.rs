//! Who is connected, and what is known of it that slots depend on.
//!
//! Bounded by the connections that the swarm allows.

use super::{
    dial::Why,
    place::{Place, Prefix, leads_to},
};
use libp2p::{PeerId, core::ConnectedPoint, swarm::ConnectionId};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// A connected peer.
#[derive(Debug)]
pub(super) struct Met {
    /// Oldest first; never empty.
    connections: Vec<Connection>,
    /// We dialled it at some time since it has been connected, and it hadn't come to us before.
    pub(super) chosen: bool,
    /// We did so for something else than a slot: a blob, a question, a hole to be punched.
    pub(super) visit: bool,
    pub(super) since: Instant,
    /// The last round trip.
    pub(super) latency: Option<Duration>,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    endpoint: ConnectedPoint,
}

impl Met {
    /// The newest connection that leads to the peer itself, or else to its relay.
    fn best(&self) -> Option<&ConnectedPoint> {
        let newest = || {
            self.connections
                .iter()
                .rev()
                .map(|connection| &connection.endpoint)
        };
        let direct = newest().find(|endpoint| !leads_to(endpoint).1);
        direct.or_else(|| newest().next())
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.best().and_then(Place::of)
    }

    pub(super) fn prefix(&self) -> Option<Prefix> {
        self.best().and_then(|endpoint| Prefix::of(leads_to(endpoint).0))
    }

    pub(super) fn endpoint(&self, id: ConnectionId) -> Option<&ConnectedPoint> {
        let connection = self.connections.iter().find(|connection| connection.id == id)?;
        Some(&connection.endpoint)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Connected(BTreeMap<PeerId, Met>);

impl Connected {
    /// A connection stands; `why`: what the peer manager made it for, or none if another part of us did or the peer itself.
    ///
    /// Other parts dial where strangers send them. So what they dial counts as a visit; and not even as that if the peer came to us first
    /// and said then where it is, as for a try of its address or for hole punching.
    pub(super) fn opened(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        endpoint: ConnectedPoint,
        why: Option<Why>,
        now: Instant,
    ) {
        let met = self.0.entry(peer).or_insert_with(|| Met {
            connections: Vec::new(),
            chosen: false,
            visit: false,
            since: now,
            latency: None,
        });
        let came = !met.connections.is_empty() && !met.chosen;
        if endpoint.is_dialer() && (why.is_some() || !came) {
            met.visit = why != Some(Why::Slot) && (met.visit || !met.chosen);
            met.chosen = true;
        }
        met.connections.push(Connection { id, endpoint });
    }

    /// A connection is gone; returns its endpoint, and whether it was the peer's last.
    pub(super) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> Option<(ConnectedPoint, bool)> {
        let met = self.0.get_mut(peer)?;
        let index = met
            .connections
            .iter()
            .position(|connection| connection.id == id)?;
        let endpoint = met.connections.remove(index).endpoint;
        let last = met.connections.is_empty();
        if last {
            self.0.remove(peer);
        }
        Some((endpoint, last))
    }

    pub(super) fn set_latency(&mut self, peer: &PeerId, latency: Duration) {
        if let Some(met) = self.0.get_mut(peer) {
            met.latency = Some(latency);
        }
    }

    pub(super) fn get(&self, peer: &PeerId) -> Option<&Met> {
        self.0.get(peer)
    }

    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&PeerId, &Met)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{Endpoint, transport::PortUse};

    fn dialled(text: &str) -> ConnectedPoint {
        ConnectedPoint::Dialer {
            address: text.parse().unwrap(),
            role_override: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        }
    }

    fn came(text: &str) -> ConnectedPoint {
        ConnectedPoint::Listener {
            local_addr: "/ip4/10.0.0.1/tcp/1".parse().unwrap(),
            send_back_addr: text.parse().unwrap(),
        }
    }

    #[test]
    fn a_peer_is_where_its_direct_connection_leads_and_stays_chosen_until_it_is_gone() {
        let (mut connected, peer, now) = (Connected::default(), PeerId::random(), Instant::now());
        let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
        let relay = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit";
        let direct = came("/ip4/192.0.2.1/tcp/1");
        connected.opened(peer, first, direct.clone(), None, now);
        assert!(!connected.get(&peer).unwrap().chosen);
        let relayed = dialled(&format!("/ip4/203.0.113.1/tcp/1{relay}"));
        connected.opened(peer, second, relayed, Some(Why::Visit), now);
        let met = connected.get(&peer).unwrap();
        assert!(met.chosen && met.visit);
        assert_eq!(met.place(), Place::of(&direct));
        assert!(connected.closed(&peer, second).is_some_and(|(_, last)| !last));
        assert!(connected.get(&peer).unwrap().chosen);
        assert!(connected.closed(&peer, second).is_none());
        assert!(connected.closed(&peer, first).is_some_and(|(_, last)| last));
        assert!(!connected.contains(&peer));
    }

    #[test]
    fn who_was_chosen_with_care_is_not_a_visit_any_more() {
        for elsewhere in [Some(Why::Visit), None] {
            let (mut connected, peer, now) = (Connected::default(), PeerId::random(), Instant::now());
            let mut visit = |id, why| {
                let id = ConnectionId::new_unchecked(id);
                connected.opened(peer, id, dialled("/ip4/192.0.2.1/tcp/1"), why, now);
                let met = connected.get(&peer).unwrap();
                assert!(met.chosen);
                met.visit
            };
            assert!(visit(1, elsewhere));
            assert!(!visit(2, Some(Why::Slot)));
            assert!(!visit(3, elsewhere));
        }
    }

    #[test]
    fn who_came_to_us_is_not_chosen_because_it_says_where_to_dial_it() {
        let (mut connected, peer, now) = (Connected::default(), PeerId::random(), Instant::now());
        let [came_by, tried, punched, chosen] = [1, 2, 3, 4].map(ConnectionId::new_unchecked);
        let there = || dialled("/ip4/192.0.2.1/tcp/1");
        connected.opened(peer, came_by, came("/ip4/192.0.2.1/tcp/9"), None, now);
        for id in [tried, punched] {
            connected.opened(peer, id, there(), None, now);
            let met = connected.get(&peer).unwrap();
            assert!(!met.chosen && !met.visit);
        }
        // It stays who came, whichever connection is left.
        connected.closed(&peer, came_by);
        assert!(!connected.get(&peer).unwrap().chosen);
        connected.opened(peer, chosen, there(), Some(Why::Slot), now);
        let met = connected.get(&peer).unwrap();
        assert!(met.chosen && !met.visit, "we want it, too");
    }
}
