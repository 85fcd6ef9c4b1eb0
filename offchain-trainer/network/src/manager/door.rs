//! The part of the peer manager that is in the swarm: refuses who is banned, and keeps connections with who has a slot.
//!
//! It decides nothing itself: who is banned or kept is told to it.

use super::{
    ban::{self, Bans, Sentence},
    keep::{Keep, Keeper},
};
use crate::{
    origin::Origin,
    scope::{Scope, is_relayed},
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    task::{Context, Poll, Waker},
};
use tokio::time::Instant;

/// Refuses and keeps. What is kept here is bounded by the connections that the swarm has, and by [`Bans`].
#[derive(Debug, Default)]
pub(crate) struct Door {
    bans: Bans,
    kept: BTreeSet<PeerId>,
    connections: BTreeMap<PeerId, Vec<ConnectionId>>,
    todo: VecDeque<ToSwarm<Infallible, Keep>>,
    waker: Option<Waker>,
}

#[derive(Debug, thiserror::Error)]
#[error("the peer did wrong and is banned for a while")]
struct Banned;

impl Door {
    /// From now on these peers' connections are kept, and no others.
    pub(super) fn keep(&mut self, peers: BTreeSet<PeerId>) {
        let before = std::mem::replace(&mut self.kept, peers);
        let changed: Vec<PeerId> = before.symmetric_difference(&self.kept).copied().collect();
        for peer in changed {
            let keep = Keep(self.kept.contains(&peer));
            for connection in self.connections.get(&peer).into_iter().flatten() {
                self.todo.push_back(ToSwarm::NotifyHandler {
                    peer_id: peer,
                    handler: NotifyHandler::One(*connection),
                    event: keep,
                });
            }
        }
        self.wake();
    }

    /// Bans a peer at this public address, if it is at one, and closes its connections. `None` if it is banned already.
    pub(super) fn ban(&mut self, peer: PeerId, origin: Option<Origin>, now: Instant) -> Option<Sentence> {
        let sentence = self.bans.ban(peer, origin, now);
        if sentence.is_some() {
            self.close(peer);
        }
        sentence
    }

    /// Closes a peer's connections.
    pub(super) fn close(&mut self, peer: PeerId) {
        if self.connections.contains_key(&peer) {
            self.todo.push_back(ToSwarm::CloseConnection {
                peer_id: peer,
                connection: CloseConnection::All,
            });
            self.wake();
        }
    }

    /// Whether a peer is banned.
    pub(super) fn is_banned(&self, peer: &PeerId, now: Instant) -> bool {
        self.bans.holds(peer, now)
    }

    /// All who are or were banned lately.
    pub(super) fn banned(&self, now: Instant) -> Vec<ban::Banned> {
        self.bans.list(now)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn refuse_peer(&self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        match self.bans.holds(peer, Instant::now()) {
            true => Err(ConnectionDenied::new(Banned)),
            false => Ok(()),
        }
    }

    fn refuse_origin(&self, local: &Multiaddr, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        // Who comes through a relay doesn't answer for the relay's address.
        if is_relayed(local) || is_relayed(remote) || Scope::of(remote) != Some(Scope::Public) {
            return Ok(());
        }
        let now = Instant::now();
        match Origin::of(remote).is_some_and(|origin| self.bans.holds_origin(&origin, now)) {
            true => Err(ConnectionDenied::new(Banned)),
            false => Ok(()),
        }
    }

    fn keeper(&self, peer: &PeerId) -> Keeper {
        Keeper::new(self.kept.contains(peer))
    }
}

impl NetworkBehaviour for Door {
    type ConnectionHandler = Keeper;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.refuse_origin(local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.refuse_peer(&peer)?;
        self.refuse_origin(local, remote)?;
        Ok(self.keeper(&peer))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        peer.map_or(Ok(()), |peer| self.refuse_peer(&peer))?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.refuse_peer(&peer)?;
        Ok(self.keeper(&peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            }) => self.connections.entry(peer_id).or_default().push(connection_id),
            FromSwarm::ConnectionClosed(ConnectionClosed {
                peer_id,
                connection_id,
                ..
            }) => {
                if let Some(connections) = self.connections.get_mut(&peer_id) {
                    connections.retain(|id| *id != connection_id);
                    if connections.is_empty() {
                        self.connections.remove(&peer_id);
                    }
                }
            }
            _ => {}
        }
    }

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

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;
