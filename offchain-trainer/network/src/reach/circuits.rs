//! Connections through relays, which the library's client makes.
//!
//! What is different here: it isn't told when a listener at a relay has closed, since it panics if the relay's answer is on its way then;
//! and where relays say that we are reached is told to the swarm by [`Reach`](super::Reach), as they say it, not by the way that we
//! happened to dial.

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    relay::client,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};
use std::task::{Context, Poll};

/// The client.
pub(crate) struct Circuits(pub(super) client::Behaviour);

impl NetworkBehaviour for Circuits {
    type ConnectionHandler = THandler<client::Behaviour>;
    type ToSwarm = client::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0
            .handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0
            .handle_established_outbound_connection(id, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if !matches!(event, FromSwarm::ListenerClosed(_)) {
            self.0.on_swarm_event(event);
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            match self.0.poll(context) {
                Poll::Ready(ToSwarm::ExternalAddrConfirmed(_) | ToSwarm::ExternalAddrExpired(_)) => {}
                other => return other,
            }
        }
    }
}
