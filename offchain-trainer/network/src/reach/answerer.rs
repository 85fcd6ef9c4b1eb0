//! Trying for others whether they are reached: the server of AutoNAT v2, which the library's is the core of.
//!
//! What is different here: it is offered to those alone who reached us over the internet, and dials only the address that the asker
//! comes from, with whatever port, or one of the other family; never a private one or one of our own house, never somebody else's,
//! never more than a few a minute. The core dials what it is told, so that anybody could have us knock at doors in our own network.

use crate::{
    house::Outside,
    origin::Origin,
    reach::budget::Budget,
    scope::{Scope, is_relayed},
};
use libp2p::{
    Multiaddr, PeerId,
    autonat::v2::server,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, DialFailure, FromSwarm,
        ListenFailure, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        derive_prelude::Either,
    },
};
use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// So many tries at once for one address, and one more each so often.
const EACH: (u32, Duration) = (12, Duration::from_secs(10));
/// The same for all together.
const ALL: (u32, Duration) = (60, Duration::from_millis(500));
/// So many addresses are remembered.
const MOST: usize = 512;
/// A try takes no longer.
const TRY: Duration = Duration::from_secs(20);

/// The server.
pub(crate) struct Answerer {
    inner: server::Behaviour,
    outside: Outside,
    /// Who may ask: where it comes from.
    askers: HashMap<ConnectionId, (PeerId, Origin)>,
    /// Our tries.
    tries: HashMap<ConnectionId, (PeerId, Instant)>,
    closing: VecDeque<(PeerId, ConnectionId)>,
    each: Budget<Origin>,
    all: Budget<()>,
}

#[derive(Debug, thiserror::Error)]
#[error("addresses like that aren't tried for others")]
struct Refused;

impl Answerer {
    pub(crate) fn new(outside: Outside) -> Self {
        Self {
            inner: server::Behaviour::default(),
            outside,
            askers: HashMap::new(),
            tries: HashMap::new(),
            closing: VecDeque::new(),
            each: Budget::new(EACH.0, EACH.1, MOST),
            all: Budget::new(ALL.0, ALL.1, 1),
        }
    }

    /// Whether the connection is a try of ours, which is of no other use.
    pub(crate) fn is_try(&self, id: ConnectionId) -> bool {
        self.tries.contains_key(&id)
    }

    /// Tries that have taken too long: their connections are to be closed.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<ConnectionId> {
        let overdue = self
            .tries
            .iter()
            .filter(|(_, (_, at))| now.saturating_duration_since(*at) >= TRY);
        overdue.map(|(id, _)| *id).collect()
    }

    fn may_try(&mut self, peer: &PeerId, addresses: &[Multiaddr]) -> bool {
        let [address] = addresses else {
            return false;
        };
        let Some(target) = Origin::of(address) else {
            return false;
        };
        if is_relayed(address) || !self.outside.has(address) || Scope::of(address) == Some(Scope::Name) {
            return false;
        }
        let mut origins = self
            .askers
            .values()
            .filter(|(asker, _)| asker == peer)
            .map(|(_, origin)| *origin);
        let same_family = |origin: &Origin| {
            matches!(
                (origin, target),
                (Origin::V4(_), Origin::V4(_)) | (Origin::V6(_), Origin::V6(_))
            )
        };
        let Some(origin) = origins.find(|origin| *origin == target || !same_family(origin)) else {
            return false;
        };
        let now = Instant::now();
        self.each.take(origin, now) && self.all.take((), now)
    }
}

impl NetworkBehaviour for Answerer {
    type ConnectionHandler = THandler<server::Behaviour>;
    type ToSwarm = server::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let origin = Origin::of(remote).filter(|_| !is_relayed(local) && self.outside.has(remote));
        let Some(origin) = origin else {
            // The one for outbound connections answers nothing.
            return self.inner.handle_established_outbound_connection(
                id,
                peer,
                remote,
                Endpoint::Dialer,
                PortUse::Reuse,
            );
        };
        self.askers.insert(id, (peer, origin));
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
        if self.is_try(id) && !peer.is_some_and(|peer| self.may_try(&peer, addresses)) {
            return Err(ConnectionDenied::new(Refused));
        }
        self.inner
            .handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(id, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. })
            | FromSwarm::DialFailure(DialFailure { connection_id, .. }) => {
                self.askers.remove(&connection_id);
                self.tries.remove(&connection_id);
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        if matches!(event, Either::Left(Either::Left(_))) && self.is_try(id) {
            self.closing.push_back((peer, id));
        }
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer_id, id)) = self.closing.pop_front() {
            return Poll::Ready(ToSwarm::CloseConnection {
                peer_id,
                connection: CloseConnection::One(id),
            });
        }
        let action = self.inner.poll(context);
        if let Poll::Ready(ToSwarm::Dial { opts }) = &action
            && let Some(peer) = opts.get_peer_id()
        {
            self.tries.insert(opts.connection_id(), (peer, Instant::now()));
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::House;
    use libp2p::multiaddr::Protocol;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_askers_own_address_of_the_internet_is_tried() {
        let house = House::default();
        house.is_at(&[address("/ip6/2001:db8:1:2::3/tcp/1")]);
        let (mut answerer, peer) = (
            Answerer::new(Outside::new(Scope::Public, house)),
            PeerId::random(),
        );
        let origin = Origin::of(&address("/ip4/203.0.113.5/tcp/1")).unwrap();
        answerer
            .askers
            .insert(ConnectionId::new_unchecked(1), (peer, origin));
        let mut may = |text: &str| answerer.may_try(&peer, &[address(text)]);
        assert!(may("/ip4/203.0.113.5/tcp/4000") && may("/ip4/203.0.113.5/udp/4000/quic-v1"));
        assert!(may("/ip6/2001:db8::1/tcp/4000"), "whose it is can't be seen");
        for refused in [
            "/ip4/203.0.113.6/tcp/4000",
            "/ip4/192.168.1.1/tcp/80",
            "/ip4/127.0.0.1/tcp/9944",
            "/ip6/fd00::1/tcp/80",
            "/ip6/2001:db8:1:2::9/tcp/80",
            "/dns/localhost/tcp/9944",
            "/ip4/203.0.113.5/tcp/4000/p2p-circuit",
        ] {
            assert!(!may(refused), "{refused}");
        }
        let own = address("/ip4/203.0.113.5/tcp/4000");
        assert!(!answerer.may_try(&PeerId::random(), std::slice::from_ref(&own)));
        assert!(!answerer.may_try(&peer, &[own.clone(), own.clone()]));
        let mut granted = 0;
        while answerer.may_try(&peer, &[own.clone().with(Protocol::P2p(peer))]) {
            granted += 1;
        }
        assert!(granted < EACH.0);
    }
}
