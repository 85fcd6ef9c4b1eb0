//! How many connections one IP address may have to us.
//!
//! Identities cost nothing, so a bound per PeerId keeps nobody from taking every place there is; addresses cost something.
//! Connections count from the first packet on, before anything is computed for them.

use crate::origin::Origin;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
    },
};
use std::{
    collections::HashMap,
    convert::Infallible,
    task::{Context, Poll},
};

/// Refuses connections beyond the bound.
pub(crate) struct Behaviour {
    limit: usize,
    connections: HashMap<ConnectionId, Origin>,
    counts: HashMap<Origin, usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {limit} connections from one address")]
struct TooMany {
    limit: usize,
}

impl Behaviour {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            connections: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    fn admit(&mut self, id: ConnectionId, remote: &Multiaddr) -> Result<(), TooMany> {
        let Some(origin) = Origin::of(remote) else {
            return Ok(());
        };
        let count = self.counts.entry(origin).or_default();
        if *count >= self.limit {
            return Err(TooMany { limit: self.limit });
        }
        *count += 1;
        self.connections.insert(id, origin);
        Ok(())
    }

    /// Nothing is kept about addresses without a connection.
    fn release(&mut self, id: ConnectionId) {
        let Some(origin) = self.connections.remove(&id) else {
            return;
        };
        match self.counts.get_mut(&origin) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.counts.remove(&origin);
            }
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.admit(id, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => self.release(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: fn(usize) -> ConnectionId = ConnectionId::new_unchecked;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_gets_its_share_and_others_get_theirs() {
        let mut behaviour = Behaviour::new(2);
        let (one, other) = (address("/ip4/192.0.2.1/tcp/1"), address("/ip4/192.0.2.2/tcp/1"));
        behaviour.admit(ID(1), &one).unwrap();
        behaviour.admit(ID(2), &one).unwrap();
        assert!(behaviour.admit(ID(3), &one).is_err());
        behaviour.admit(ID(4), &other).unwrap();
        // A refused one is reported as failed, too, and gives nothing back.
        behaviour.release(ID(3));
        assert!(behaviour.admit(ID(5), &one).is_err());
        behaviour.release(ID(1));
        behaviour.admit(ID(6), &one).unwrap();
        for id in [2, 4, 6, 6] {
            behaviour.release(ID(id));
        }
        assert!(behaviour.counts.is_empty() && behaviour.connections.is_empty());
    }
}
