//! Asking peers to try whether they reach us: the client of AutoNAT v2, which the library's is the core of.
//!
//! What is different here: only the addresses that we name are tried, not all that anybody claims to see, so that no stranger fills a
//! table; only peers of the internet are asked, since a neighbour in our own network gets in where nobody else does; what has failed is
//! tried again when [`Prober::start_over`] says so. Must never believe a peer that didn't really come in: the library checks that,
//! by a number that only who dials us back can know.

use crate::{house::Outside, scope::is_relayed};
use libp2p::{
    Multiaddr, PeerId,
    autonat::v2::client,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour,
        NewExternalAddrCandidate, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished, derive_prelude::Either,
    },
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// So long after we asked a peer, a connection that it makes may be its try.
const TRY: Duration = Duration::from_secs(15);

/// The client.
pub(crate) struct Prober {
    inner: client::Behaviour,
    outside: Outside,
    candidates: BTreeSet<Multiaddr>,
    /// Connections that the core knows of: it panics about others.
    known: HashSet<ConnectionId>,
    /// Whom we asked, and when.
    asked: HashMap<PeerId, Instant>,
    /// Connections that were made to us, directly and from the internet.
    incoming: HashSet<ConnectionId>,
}

impl Prober {
    pub(crate) fn new(outside: Outside) -> Self {
        Self {
            inner: client::Behaviour::default(),
            outside,
            candidates: BTreeSet::new(),
            known: HashSet::new(),
            asked: HashMap::new(),
            incoming: HashSet::new(),
        }
    }

    /// These are to be tried, each once. Returns whether there is a new one.
    pub(crate) fn try_at(&mut self, candidates: &[Multiaddr]) -> bool {
        let mut news = false;
        for addr in candidates {
            if self.candidates.insert(addr.clone()) {
                news = true;
                Self::tell(&mut self.inner, addr);
            }
        }
        self.candidates.retain(|known| candidates.contains(known));
        news
    }

    fn tell(inner: &mut client::Behaviour, addr: &Multiaddr) {
        inner.on_swarm_event(FromSwarm::NewExternalAddrCandidate(NewExternalAddrCandidate {
            addr,
        }));
    }

    /// Forgets what was found: the core tries nothing twice. It asks over connections that are made from now on.
    pub(crate) fn start_over(&mut self) {
        self.inner = client::Behaviour::default();
        self.known.clear();
        for addr in &self.candidates {
            Self::tell(&mut self.inner, addr);
        }
    }

    /// Whether a connection that this peer makes now may be its try.
    pub(crate) fn expects(&self, peer: &PeerId, now: Instant) -> bool {
        let asked = self.asked.get(peer);
        asked.is_some_and(|at| now.saturating_duration_since(*at) < TRY)
    }
}

impl NetworkBehaviour for Prober {
    type ConnectionHandler = THandler<client::Behaviour>;
    type ToSwarm = client::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !is_relayed(local) && self.outside.has(remote) {
            self.incoming.insert(id);
        }
        self.inner
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
        if is_relayed(address) || !self.outside.has(address) {
            // The one for inbound connections never asks.
            return self
                .inner
                .handle_established_inbound_connection(id, peer, &Multiaddr::empty(), address);
        }
        self.inner
            .handle_established_outbound_connection(id, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match &event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.incoming.remove(connection_id);
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.incoming.remove(connection_id);
            }
            _ => {}
        }
        match event {
            // Candidates come from us alone.
            FromSwarm::NewExternalAddrCandidate(_) => return,
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, .. }) => {
                self.known.insert(connection_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
                if !self.known.remove(&connection_id) =>
            {
                return;
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        // A try is matched by its number, which who was asked knows, too: it counts only where it really comes in.
        let counts = match event {
            Either::Right(_) => self.incoming.contains(&id),
            Either::Left(_) => self.known.contains(&id),
        };
        if counts {
            self.inner.on_connection_handler_event(peer, id, event);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            let Poll::Ready(action) = self.inner.poll(context) else {
                return Poll::Pending;
            };
            match &action {
                // Whether an address is ours is decided from all that is known of it.
                ToSwarm::ExternalAddrConfirmed(_) => continue,
                ToSwarm::NotifyHandler { peer_id, .. } => {
                    let now = Instant::now();
                    self.asked
                        .retain(|_, at| now.saturating_duration_since(*at) < TRY);
                    self.asked.insert(*peer_id, now);
                }
                _ => {}
            }
            return Poll::Ready(action);
        }
    }
}
