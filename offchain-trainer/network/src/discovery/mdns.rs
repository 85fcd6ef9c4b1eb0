//! PCs on the same local network find each other without anybody's help.
//!
//! It is there from the start or not at all: a behaviour that comes later would take no part in connections that stand. Anybody in the
//! network can say anything, so this must never send us anywhere else.

use crate::{
    house::House,
    scope::{Scope, is_relayed},
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    mdns,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};
use std::{
    collections::BTreeMap,
    task::{Context, Poll},
};

type Inner = mdns::tokio::Behaviour;

/// Peers that are taken from one look around: a home has fewer PCs.
const MOST: usize = 64;
/// Addresses of one of them.
const ADDRESSES: usize = 8;

/// If it is wanted, and this computer has what it needs.
pub(super) fn behaviour(wanted: bool, local: PeerId, house: &House) -> Option<Behaviour> {
    if !wanted {
        return None;
    }
    match Inner::new(mdns::Config::default(), local) {
        Ok(inner) => Some(Behaviour {
            inner,
            house: house.clone(),
        }),
        Err(error) => {
            tracing::warn!(%error, "can't look for PCs on the local network; those elsewhere are found all the same");
            None
        }
    }
}

/// The library's, which names whatever it was told to whoever dials a peer by its name alone.
pub(crate) struct Behaviour {
    inner: Inner,
    house: House,
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = THandler<Inner>;
    type ToSwarm = mdns::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let mut named = self
            .inner
            .handle_pending_outbound_connection(id, peer, addresses, role)?;
        named.retain(|address| is_near(address, &self.house));
        named.truncate(ADDRESSES);
        Ok(named)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}

/// In a private network, or in our own house, where public addresses of IPv6 are as near.
fn is_near(address: &Multiaddr, house: &House) -> bool {
    !is_relayed(address) && (Scope::of(address) == Some(Scope::Private) || house.holds(address))
}

/// Who answered, with addresses in this network only: anybody in it can say anything.
pub(super) fn found(list: &[(PeerId, Multiaddr)], house: &House) -> BTreeMap<PeerId, Vec<Multiaddr>> {
    let mut found: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
    for (peer, address) in list {
        if !is_near(address, house) || (found.len() >= MOST && !found.contains_key(peer)) {
            continue;
        }
        let addresses = found.entry(*peer).or_default();
        if addresses.len() < ADDRESSES {
            addresses.push(address.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_local_network_are_taken_and_only_some() {
        let peer = PeerId::random();
        let address = |text: &str| text.parse::<Multiaddr>().unwrap();
        let house = House::default();
        house.is_at(&[address("/ip6/2001:db8:1:2::3/tcp/1")]);
        let near = ["/ip4/192.168.1.2/tcp/1", "/ip6/2001:db8:1:2::9/tcp/1"].map(address);
        let relayed = format!("/ip4/192.168.1.2/tcp/1/p2p/{peer}/p2p-circuit");
        let mut list = vec![
            (peer, address("/ip4/192.0.2.1/tcp/1")),
            (peer, address("/ip4/127.0.0.1/tcp/1")),
            (peer, near[0].clone()),
            (peer, address("/ip6/2001:db8:1:3::9/tcp/1")),
            (peer, near[1].clone()),
            (peer, address(&relayed)),
        ];
        assert_eq!(found(&list, &house), BTreeMap::from([(peer, near.to_vec())]));
        list.extend((0..100).map(|port| (peer, address(&format!("/ip4/192.168.1.2/tcp/{port}")))));
        list.extend((0..100).map(|_| (PeerId::random(), address("/ip4/192.168.1.3/tcp/1"))));
        let found = found(&list, &house);
        assert_eq!((found.len(), found[&peer].len()), (MOST, ADDRESSES));
    }
}
