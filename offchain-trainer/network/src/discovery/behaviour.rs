//! What of discovery is in the swarm: Kademlia, between bounds, and mDNS if it is wanted.

use super::{
    mdns,
    reachable::{Surroundings, few},
    store::Store,
};
use crate::{
    allowance::{Allowances, Rate},
    common::Common,
    config::NetworkConfig,
    reports::{Fault, Reports},
};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, transport::PortUse},
    kad::{self, BucketInserts, Caching, StoreInserts},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, behaviour::toggle::Toggle,
    },
};
use std::{
    num::NonZeroUsize,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// How many closer peers, and records, are asked for at a time; as many paths share no peer.
const PATHS: usize = 3;
/// How many of the nearest a search ends with on each path, and keep what this PC tells. Each path asks as many at least, so that a search
/// connects with three times as many; a record lies in several places ([`PLACES`](super::record::PLACES)), with as many in each.
pub(super) const NEAREST: NonZeroUsize = NonZeroUsize::new(10).expect("it is not 0");
/// How long a peer may take to answer, and a search altogether.
const ANSWER: Duration = Duration::from_secs(5);
const SEARCH: Duration = Duration::from_secs(40);
/// How long a record of who has a blob counts.
const PROVIDER_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Addresses that are tried of a peer.
const TRIED: usize = 8;
/// Requests and answers of one peer: a PC that joins asks a few hundred.
const MESSAGES: Rate = Rate {
    each_second: 50.0,
    burst: 500.0,
};

pub(super) type Kad = kad::Behaviour<Store>;
/// What comes of a connection; libp2p has no other name for it.
type HandlerEvent = THandlerOutEvent<Kad>;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(super) kad: Toggle<Bounded>,
    pub(super) mdns: Toggle<mdns::Behaviour>,
}

pub(super) fn protocol(network: &str) -> StreamProtocol {
    let name = format!("/hydra/{network}/kad/1");
    // It begins with a slash.
    StreamProtocol::try_from_owned(name).unwrap_or(StreamProtocol::new("/hydra/kad/1"))
}

/// The part in the swarm, made before there is one.
pub(crate) fn build(config: &NetworkConfig, common: &Common) -> Behaviour {
    let discovery = &config.discovery;
    let kad = discovery.kademlia.then(|| {
        let mut kad = kad::Config::new(protocol(&discovery.network()));
        kad.set_record_filtering(StoreInserts::FilterBoth)
            .set_kbucket_inserts(BucketInserts::Manual)
            .set_caching(Caching::Disabled)
            .set_substreams_timeout(ANSWER)
            .set_query_timeout(SEARCH)
            .disjoint_query_paths(true)
            .set_replication_factor(NEAREST)
            // Who made a record renews it; see `publisher` and `providing`.
            .set_replication_interval(None)
            .set_publication_interval(None)
            .set_provider_publication_interval(None)
            .set_provider_record_ttl(Some(PROVIDER_LIFE))
            .set_record_ttl(Some(super::record::LONGEST_LIFE))
            .set_periodic_bootstrap_interval(None);
        if let Some(paths) = NonZeroUsize::new(PATHS) {
            kad.set_parallelism(paths);
        }
        let mut inner = Kad::with_config(common.local, Store::new(common.local), kad);
        inner.set_mode(Some(match discovery.server {
            Some(true) => kad::Mode::Server,
            Some(false) | None => kad::Mode::Client,
        }));
        Bounded {
            inner,
            surroundings: Surroundings {
                local_only: false,
                house: common.house.clone(),
            },
            reports: common.reports.clone(),
            messages: Allowances::new(MESSAGES),
        }
    });
    Behaviour {
        kad: kad.into(),
        mdns: mdns::behaviour(discovery.mdns, common.local, &common.house).into(),
    }
}

/// Kademlia, with an eye on what peers make it do: whom to dial, and how much to answer.
pub(crate) struct Bounded {
    pub(super) inner: Kad,
    pub(super) surroundings: Surroundings,
    reports: Reports,
    messages: Allowances<PeerId>,
}

impl NetworkBehaviour for Bounded {
    type ConnectionHandler = <Kad as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = kad::Event;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, local, remote)
    }

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

    /// Strangers name many of these addresses, and where they lead.
    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let named = self
            .inner
            .handle_pending_outbound_connection(id, peer, addresses, role)?;
        let fitting = named
            .into_iter()
            .filter(|address| self.surroundings.fits(address));
        Ok(few(fitting, TRIED))
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

    /// What is too much isn't answered; then its few streams are used up, and it has to wait.
    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        // Whether it speaks the protocol at all is nothing that it sent.
        let sent = !matches!(
            event,
            HandlerEvent::ProtocolConfirmed { .. } | HandlerEvent::ProtocolNotSupported { .. }
        );
        if sent && !self.messages.take(peer, Instant::now()) {
            self.reports.fault(peer, Fault::Flood);
        } else {
            self.inner.on_connection_handler_event(peer, id, event);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}
