//! Hole punching (DCUtR), which the library's is the core of.
//!
//! What is different here: the other side is told only those addresses that [`observed`](crate::reach::observed) found, not
//! what identify guesses, and we dial only addresses of the internet outside of our own house: the core dials whatever the other side
//! says, so that anybody could have us knock at doors in our own network. And a relayed connection is kept for a minute: the core keeps
//! one until it has tried three times, and who never answers would hold a relay's place, and our connection, for an hour.

use crate::{
    house::Outside,
    reach::kept_for::KeptFor,
    scope::{Scope, is_relayed},
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    dcutr,
    swarm::{
        ConnectionDenied, ConnectionId, DialFailure, FromSwarm, NetworkBehaviour, NewExternalAddrCandidate,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, behaviour::ConnectionEstablished,
    },
};
use std::{
    collections::HashSet,
    task::{Context, Poll},
    time::Duration,
};

/// So many addresses of one peer are dialled.
const MOST: usize = 20;
/// A relayed connection is kept for so long, for three tries: each may wait ten seconds for the other side, and as long for its dials.
const TRIES: Duration = Duration::from_secs(60);

/// The behaviour.
pub(crate) struct Puncher {
    inner: dcutr::Behaviour,
    outside: Outside,
    /// Dials that have begun.
    dials: HashSet<ConnectionId>,
}

#[derive(Debug, thiserror::Error)]
#[error("the peer names addresses that it can't have")]
struct Refused;

impl Puncher {
    pub(crate) fn new(local: PeerId, outside: Outside) -> Self {
        Self {
            inner: dcutr::Behaviour::new(local),
            outside,
            dials: HashSet::new(),
        }
    }

    /// Where the other side may find us: the best last, which are tried first.
    pub(crate) fn tell(&mut self, candidates: &[Multiaddr]) {
        for addr in candidates {
            self.inner
                .on_swarm_event(FromSwarm::NewExternalAddrCandidate(NewExternalAddrCandidate {
                    addr,
                }));
        }
    }

    fn may_dial(&self, addresses: &[Multiaddr]) -> bool {
        let fine = |address: &Multiaddr| {
            self.outside.has(address) && Scope::of(address) != Some(Scope::Name) && !is_relayed(address)
        };
        addresses.len() <= MOST && addresses.iter().all(fine)
    }
}

impl NetworkBehaviour for Puncher {
    type ConnectionHandler = KeptFor<THandler<dcutr::Behaviour>>;
    type ToSwarm = dcutr::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let inner = self
            .inner
            .handle_established_inbound_connection(id, peer, local, remote)?;
        Ok(KeptFor::new(inner, TRIES))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        _: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if self.dials.contains(&id) && !self.may_dial(addresses) {
            return Err(ConnectionDenied::new(Refused));
        }
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let inner = self
            .inner
            .handle_established_outbound_connection(id, peer, address, role, port_use)?;
        Ok(KeptFor::new(inner, TRIES))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            // Candidates come from us alone.
            FromSwarm::NewExternalAddrCandidate(_) => return,
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, .. })
            | FromSwarm::DialFailure(DialFailure { connection_id, .. }) => {
                self.dials.remove(&connection_id);
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        let action = self.inner.poll(context);
        if let Poll::Ready(ToSwarm::Dial { opts }) = &action {
            self.dials.insert(opts.connection_id());
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::House;
    use libp2p::swarm::ConnectionHandler;
    use std::future::poll_fn;
    use tokio::time::Instant;

    #[test]
    fn nobody_has_us_knock_at_doors_of_our_own_network() {
        let house = House::default();
        house.is_at(&["/ip6/2001:db8:1:2::3/tcp/1".parse().unwrap()]);
        let puncher = Puncher::new(PeerId::random(), Outside::new(Scope::Public, house));
        let fine: Multiaddr = "/ip4/203.0.113.5/udp/1/quic-v1".parse().unwrap();
        assert!(puncher.may_dial(std::slice::from_ref(&fine)));
        for private in [
            "/ip4/10.0.0.1/tcp/22",
            "/ip4/127.0.0.1/tcp/9944",
            "/ip6/2001:db8:1:2::9/tcp/80",
            "/dns/localhost/tcp/1",
        ] {
            assert!(
                !puncher.may_dial(&[fine.clone(), private.parse().unwrap()]),
                "{private}"
            );
        }
        assert!(!puncher.may_dial(&vec![fine; MOST + 1]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_relayed_connection_whose_other_side_never_answers_is_let_go_after_a_minute() {
        let (local, peer) = (PeerId::random(), PeerId::random());
        let mut puncher = Puncher::new(local, Outside::new(Scope::Public, House::default()));
        let relay: Multiaddr = format!("/ip4/203.0.113.5/tcp/1/p2p/{}/p2p-circuit", PeerId::random())
            .parse()
            .unwrap();
        let start = Instant::now();
        let mut handler = puncher
            .handle_established_outbound_connection(
                ConnectionId::new_unchecked(1),
                peer,
                &relay,
                Endpoint::Dialer,
                PortUse::Reuse,
            )
            .unwrap();
        assert!(handler.connection_keep_alive(), "a hole may be punched");
        poll_fn(|context| {
            while handler.poll(context).is_ready() {}
            match handler.connection_keep_alive() {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
        assert!(start.elapsed() >= TRIES && start.elapsed() < TRIES * 2);
    }
}
