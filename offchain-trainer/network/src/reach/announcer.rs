//! Tells the swarm, and through it all other parts, where we are reached.
//!
//! The swarm's own method tells the behaviours alone, and no part beside it.

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};
use std::{
    collections::{BTreeSet, VecDeque},
    convert::Infallible,
    task::{Context, Poll, Waker},
};

/// What was told, and what is to be.
#[derive(Default)]
pub(crate) struct Announcer {
    told: BTreeSet<Multiaddr>,
    todo: VecDeque<ToSwarm<Infallible, Infallible>>,
    waker: Option<Waker>,
}

impl Announcer {
    /// From now on we are reached at these addresses, and no others. Returns whether that is news.
    pub(super) fn tell(&mut self, addresses: BTreeSet<Multiaddr>) -> bool {
        let before = std::mem::replace(&mut self.told, addresses);
        let gone = before.difference(&self.told).cloned();
        self.todo.extend(gone.map(ToSwarm::ExternalAddrExpired));
        let new = self.told.difference(&before).cloned();
        self.todo.extend(new.map(ToSwarm::ExternalAddrConfirmed));
        let news = before != self.told;
        if news && let Some(waker) = self.waker.take() {
            waker.wake();
        }
        news
    }

    /// Where we are reached.
    pub(super) fn told(&self) -> &BTreeSet<Multiaddr> {
        &self.told
    }
}

impl NetworkBehaviour for Announcer {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

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

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.todo.pop_front() {
            Some(todo) => Poll::Ready(todo),
            None => {
                self.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
