//! What the swarm is made of: the transport below, the small protocols and the bounds above.

use crate::{buffered::Buffered, config::Limits, error::NetworkError, muxer, names::Names, per_address};
use libp2p::{
    Swarm, SwarmBuilder, Transport,
    connection_limits::{self, ConnectionLimits},
    core::upgrade::Version,
    identify,
    identity::Keypair,
    noise, ping,
    swarm::NetworkBehaviour,
    tcp,
};
use std::time::Duration;

/// What Identify calls the protocol family.
const PROTOCOL_VERSION: &str = "/hydra/1";
/// A machine that trains on all cores answers late; one that is gone never does.
const PING_TIMEOUT: Duration = Duration::from_secs(30);
/// Streams on one connection, both directions together.
const MAX_STREAMS_PER_CONNECTION: usize = 64;
/// Bytes that a peer may have sent on one connection without our having read them: 256 KiB for each stream, and as much again for
/// those on which much arrives.
const MAX_WINDOW: usize = 32 * 1024 * 1024;

/// The part of a handshake's time that may pass before a name is blamed: what is left must do for the rest.
const LOOK_UP: f32 = 0.7;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    // The bounds come first: nothing is spent on a connection that they refuse.
    per_address: per_address::Behaviour,
    connections: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) streams: libp2p_stream::Behaviour,
}

pub(crate) fn build_swarm(
    keypair: Keypair,
    agent: String,
    limits: &Limits,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let transport = |error: &dyn std::fmt::Display| NetworkError::Transport(error.to_string());
    let noise = noise::Config::new(&keypair).map_err(|error| transport(&error))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .map(|stream, _| Buffered::new(stream))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(muxer::Config::new(MAX_STREAMS_PER_CONNECTION, MAX_WINDOW));
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|_| Names::new(tcp, limits.handshake.mul_f32(LOOK_UP)))
        .map_err(|error| transport(&error))?
        .with_behaviour(|key| Behaviour {
            per_address: per_address::Behaviour::new(limits.connections_per_address),
            connections: connection_limits::Behaviour::new(bounds(limits)),
            identify: identify::Behaviour::new(
                identify::Config::new(PROTOCOL_VERSION.into(), key.public())
                    .with_agent_version(agent)
                    // Addresses that a peer merely claims to have are never dialled.
                    .with_cache_size(0),
            ),
            ping: ping::Behaviour::new(ping::Config::new().with_timeout(PING_TIMEOUT)),
            streams: libp2p_stream::Behaviour::new(),
        })
        .map_err(|error| transport(&error))?;
    // Connections are for keeps, whether or not a blob is moving.
    Ok(builder
        .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::MAX))
        .with_connection_timeout(limits.handshake)
        .build())
}

/// Whom we dial ourselves is bounded by whom we want to dial.
fn bounds(limits: &Limits) -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.connections_pending))
        .with_max_established_incoming(Some(limits.connections))
        .with_max_established_per_peer(Some(limits.connections_per_peer))
}
