//! What the swarm is made of: the transport below, the small protocols, the parts, and the bounds above.

mod handshakes;

use crate::{
    common::Common,
    config::{Limits, NetworkConfig},
    discovery::behaviour as discovery,
    few_endings::FewEndings,
    gossip::behaviour as gossip,
    manager::door::Door,
    per_address,
    reach::behaviour as reach,
    transport::Built,
};
use libp2p::{
    Swarm, Transport,
    connection_limits::{self, ConnectionLimits},
    core::muxing::StreamMuxerBox,
    identify, ping,
    swarm::{self, NetworkBehaviour, behaviour::toggle::Toggle},
};
use std::time::Duration;

/// What Identify calls the protocol family.
const PROTOCOL_VERSION: &str = "/hydra/1";
/// A machine that trains on all cores answers late; one that is gone never does.
const PING_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    // The bounds come first: nothing is spent on a connection that they refuse.
    per_address: per_address::Behaviour,
    connections: connection_limits::Behaviour,
    pub(crate) manager: Door,
    handshakes: handshakes::Behaviour,
    pub(crate) identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) streams: libp2p_stream::Behaviour,
    pub(crate) reach: reach::Behaviour,
    pub(crate) discovery: discovery::Behaviour,
    pub(crate) gossip: Toggle<gossip::Behaviour>,
}

pub(crate) fn build_swarm(config: &NetworkConfig, built: Built, common: &Common) -> Swarm<Behaviour> {
    let NetworkConfig {
        keypair,
        limits,
        agent,
        ..
    } = config;
    let transport = built
        .transport
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(FewEndings(muxer))))
        .boxed();
    let (handshakes, transport) = handshakes::bounded(transport, limits.connections_pending as usize);
    let behaviour = Behaviour {
        per_address: per_address::Behaviour::new(limits.connections_per_address),
        connections: connection_limits::Behaviour::new(bounds(limits)),
        manager: Door::default(),
        handshakes,
        identify: identify::Behaviour::new(
            identify::Config::new(PROTOCOL_VERSION.into(), keypair.public())
                .with_agent_version(agent.clone())
                // Addresses that a peer merely claims to have are never dialled.
                .with_cache_size(0),
        ),
        ping: ping::Behaviour::new(ping::Config::new().with_timeout(PING_TIMEOUT)),
        streams: libp2p_stream::Behaviour::new(),
        reach: reach::Behaviour::new(config, common, built.relay),
        discovery: discovery::build(config, common),
        gossip: gossip::build(config, common),
    };
    // With whoever has a slot they are for keeps; see `manager`.
    let swarm = swarm::Config::with_tokio_executor().with_idle_connection_timeout(config.manager.idle);
    Swarm::new(transport.boxed(), behaviour, common.local, swarm)
}

/// Whom we dial ourselves is bounded by whom we want to dial.
fn bounds(limits: &Limits) -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_established_incoming(Some(limits.connections))
        .with_max_established_per_peer(Some(limits.connections_per_peer))
}
