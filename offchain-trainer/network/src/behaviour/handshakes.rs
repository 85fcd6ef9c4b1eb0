//! Who may be in the middle of a handshake with us.
//!
//! A connection that never says a word costs whoever makes it nothing, and takes a place until its time is up: without shares, a few
//! silent addresses would take all places there are. So a public address, and the network that it is in, have a share each; and where
//! there is no place left, the oldest one of the network that has the most gives way. Whoever hasn't had the time that a handshake takes
//! gives way only to somebody whose network has less: otherwise none would ever end where many come at once.
//!
//! What remains possible: whoever has as many networks as there are places, and comes back to all of them within [`TIME`], keeps others
//! out.
//!
//! A behaviour can refuse connections, but not end them before they are made; so there is a transport around the others as well, which
//! can.

use crate::{
    origin::Origin,
    scope::{Scope, is_relayed},
};
use futures::{
    FutureExt,
    future::{AbortHandle, Abortable, BoxFuture},
};
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        Endpoint,
        transport::{Boxed, DialOpts, ListenerId, PortUse, TransportError, TransportEvent},
    },
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
    },
};
use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// What a handshake takes at the most, usually: four round trips around the world, and a PC that trains.
const TIME: Duration = Duration::from_secs(3);
/// Of one public address, and of one network.
const PER_ADDRESS: usize = 8;
const PER_NETWORK: usize = 16;

/// A network as somebody rents it: for IPv4 2⁸ addresses, for IPv6 2⁸⁰.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 3]),
    V6(u64),
    /// Everybody who came through relays, which have bounds of their own.
    Relayed,
}

impl Network {
    fn of(origin: Option<Origin>) -> Self {
        match origin {
            Some(Origin::V4(ip)) => {
                let [a, b, c, _] = ip.octets();
                Self::V4([a, b, c])
            }
            Some(Origin::V6(upper)) => Self::V6(upper >> 16),
            None => Self::Relayed,
        }
    }
}

/// How to end the connection that the swarm is told of last.
type Newest = Arc<Mutex<Option<AbortHandle>>>;

/// Bounds them to `most`, those of `inner`.
pub(super) fn bounded<O>(inner: Boxed<O>, most: usize) -> (Behaviour, Ending<O>) {
    let newest = Newest::default();
    let behaviour = Behaviour {
        most,
        newest: newest.clone(),
        pending: HashMap::new(),
    };
    (behaviour, Ending { inner, newest })
}

/// The part in the swarm: refuses, and says who gives way. Must come after whatever else refuses.
pub(crate) struct Behaviour {
    most: usize,
    newest: Newest,
    pending: HashMap<ConnectionId, Pending>,
}

struct Pending {
    origin: Option<Origin>,
    network: Network,
    since: Instant,
    end: AbortHandle,
}

#[derive(Debug, thiserror::Error)]
#[error("too many handshakes at a time")]
struct TooMany;

impl Behaviour {
    fn admit(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
        end: AbortHandle,
        now: Instant,
    ) -> Result<(), TooMany> {
        let relayed = is_relayed(local) || is_relayed(remote);
        let origin = Origin::of(remote).filter(|_| !relayed);
        let network = Network::of(origin);
        let public = origin.is_some() && Scope::of(remote) == Some(Scope::Public);
        let there = |pending: &Pending| pending.origin == origin;
        let near = |pending: &Pending| pending.network == network;
        let had_time = |pending: &Pending| now.saturating_duration_since(pending.since) >= TIME;
        let gives_way = if public && self.count(there) >= PER_ADDRESS {
            self.oldest(|pending| there(pending) && had_time(pending))
        } else if public && self.count(near) >= PER_NETWORK {
            self.oldest(|pending| near(pending) && had_time(pending))
        } else if self.pending.len() >= self.most {
            let mut counts = HashMap::new();
            for pending in self.pending.values() {
                *counts.entry(pending.network).or_insert(0) += 1;
            }
            let own = counts.get(&network).copied().unwrap_or(0);
            let most = counts.values().copied().max().unwrap_or(0);
            let largest = |pending: &Pending| counts.get(&pending.network) == Some(&most);
            // One less there is still no fewer than there will be here.
            self.oldest(|pending| largest(pending) && (most >= own + 2 || had_time(pending)))
                .or_else(|| self.oldest(had_time))
        } else {
            self.keep(id, origin, network, end, now);
            return Ok(());
        };
        let gives_way = gives_way.and_then(|oldest| self.pending.remove(&oldest));
        gives_way.ok_or(TooMany)?.end.abort();
        self.keep(id, origin, network, end, now);
        Ok(())
    }

    fn keep(
        &mut self,
        id: ConnectionId,
        origin: Option<Origin>,
        network: Network,
        end: AbortHandle,
        since: Instant,
    ) {
        let pending = Pending {
            origin,
            network,
            since,
            end,
        };
        self.pending.insert(id, pending);
    }

    fn count(&self, which: impl Fn(&Pending) -> bool) -> usize {
        self.pending.values().filter(|pending| which(pending)).count()
    }

    fn oldest(&self, which: impl Fn(&Pending) -> bool) -> Option<ConnectionId> {
        let of_those = self.pending.iter().filter(|(_, pending)| which(pending));
        let oldest = of_those.min_by_key(|(id, pending)| (pending.since, **id));
        oldest.map(|(id, _)| *id)
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let admitted = newest.map_or(Err(TooMany), |end| {
            self.admit(id, local, remote, end, Instant::now())
        });
        admitted.map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&id);
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
        if let FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) = event {
            self.pending.remove(&connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// The part around the transport: connections to us that can be ended before they are made.
pub(super) struct Ending<O> {
    inner: Boxed<O>,
    newest: Newest,
}

impl<O: 'static> Transport for Ending<O> {
    type Output = O;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<O>>;
    type Dial = <Boxed<O> as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let event = Pin::new(&mut self.inner).poll(context);
        event.map(|event| {
            event.map_upgrade(|upgrade| {
                let (end, registration) = AbortHandle::new_pair();
                // The swarm asks the behaviour before it comes back here.
                *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
                let upgrade = Abortable::new(upgrade, registration);
                let ended = |made: Result<_, _>| {
                    made.unwrap_or_else(|_| Err(io::Error::other("it gave way to another handshake")))
                };
                upgrade.map(ended).boxed()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 128;

    struct Crowd {
        behaviour: Behaviour,
        begun: Vec<AbortHandle>,
        now: Instant,
    }

    impl Crowd {
        fn new() -> Self {
            let behaviour = Behaviour {
                most: MOST,
                newest: Newest::default(),
                pending: HashMap::new(),
            };
            Self {
                behaviour,
                begun: Vec::new(),
                now: Instant::now(),
            }
        }

        fn comes(&mut self, ip: &str) -> bool {
            let family = if ip.contains(':') { "ip6" } else { "ip4" };
            self.comes_from(&format!("/{family}/{ip}/tcp/9"))
        }

        /// Whether it is let in.
        fn comes_from(&mut self, remote: &str) -> bool {
            let local = "/ip4/192.0.2.1/tcp/1".parse().unwrap();
            let (end, _) = AbortHandle::new_pair();
            let id = ConnectionId::new_unchecked(self.begun.len());
            self.begun.push(end.clone());
            let remote = remote.parse().unwrap();
            let admitted = self.behaviour.admit(id, &local, &remote, end, self.now);
            assert!(self.behaviour.pending.len() <= MOST);
            admitted.is_ok()
        }

        /// Which ones were ended.
        fn ended(&self) -> Vec<usize> {
            let all = self.begun.iter().enumerate();
            all.filter(|(_, end)| end.is_aborted())
                .map(|(nth, _)| nth)
                .collect()
        }
    }

    #[test]
    fn an_address_and_a_network_have_their_share_and_the_oldest_gives_way_when_it_has_had_time() {
        for (one, other, third, elsewhere) in [
            ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.3.1"),
            (
                "2001:db8::1",
                "2001:db8:0:1::1",
                "2001:db8:0:2::1",
                "2001:db8:1::1",
            ),
        ] {
            let mut crowd = Crowd::new();
            let let_in = (0..20).filter(|_| crowd.comes(one)).count();
            assert_eq!(let_in, PER_ADDRESS);
            let let_in = (0..20).filter(|_| crowd.comes(other)).count();
            assert_eq!(let_in, PER_NETWORK - PER_ADDRESS);
            assert!(!crowd.comes(third), "the network has its share");
            assert!(crowd.comes(elsewhere));
            assert!(crowd.ended().is_empty());
            crowd.now += TIME;
            assert!(crowd.comes(third));
            assert_eq!(crowd.ended(), [0]);
            assert!(crowd.comes(other));
            assert_eq!(crowd.ended(), [0, 20], "the oldest at that address");
        }
    }

    #[test]
    fn where_there_is_no_place_left_the_network_that_has_the_most_gives_one_at_once() {
        let mut crowd = Crowd::new();
        for network in 0..MOST / PER_NETWORK {
            for address in 0..PER_NETWORK {
                assert!(crowd.comes(&format!("198.51.{network}.{address}")));
            }
        }
        for nth in 0..8 {
            assert!(crowd.comes(&format!("203.0.{nth}.1")));
        }
        assert_eq!(crowd.ended().len(), 8);
        assert!(crowd.begun[MOST..].iter().all(|end| !end.is_aborted()));
        let taken: Vec<_> = (0..MOST / PER_NETWORK)
            .map(|network| {
                let network = Network::V4([198, 51, network as u8]);
                crowd.behaviour.count(|pending| pending.network == network)
            })
            .collect();
        assert_eq!(taken, [PER_NETWORK - 1; MOST / PER_NETWORK], "each in turn");
    }

    #[test]
    fn of_many_who_come_at_once_those_who_came_first_may_end_what_they_have_begun() {
        let mut crowd = Crowd::new();
        let let_in = (0..2 * MOST)
            .filter(|nth| crowd.comes(&format!("198.{}.{}.1", nth / 200, nth % 200)))
            .count();
        assert_eq!((let_in, crowd.ended()), (MOST, vec![]));
        crowd.now += TIME;
        assert!(crowd.comes("203.0.113.1"));
        assert_eq!(crowd.ended(), [0]);
        // The same at home, where all are in one network, and as many as there are places.
        let mut crowd = Crowd::new();
        let let_in = (0..2 * MOST).filter(|_| crowd.comes("192.168.0.9")).count();
        assert_eq!((let_in, crowd.ended()), (MOST, vec![]));
        assert!(crowd.comes("203.0.113.1"));
        assert_eq!(crowd.ended(), [0], "they are too many for others to wait");
    }

    #[test]
    fn relays_are_not_taken_for_those_who_come_through_them() {
        let mut crowd = Crowd::new();
        let relayed = format!("/ip4/192.0.2.9/tcp/1/p2p/{}/p2p-circuit", PeerId::random());
        let let_in = (0..40).filter(|_| crowd.comes_from(&relayed)).count();
        assert_eq!(let_in, 40);
        assert!(crowd.comes("192.0.2.9"));
    }

    #[test]
    fn a_place_is_free_again_when_a_handshake_ends() {
        let mut crowd = Crowd::new();
        for _ in 0..PER_ADDRESS {
            assert!(crowd.comes("192.0.2.1"));
        }
        let address: Multiaddr = "/ip4/192.0.2.1/tcp/9".parse().unwrap();
        let id = ConnectionId::new_unchecked(3);
        let made =
            crowd
                .behaviour
                .handle_established_inbound_connection(id, PeerId::random(), &address, &address);
        assert!(made.is_ok());
        assert!(crowd.comes("192.0.2.1"));
        assert!(!crowd.comes("192.0.2.1"));
    }
}
