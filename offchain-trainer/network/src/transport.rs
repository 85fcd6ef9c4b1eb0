//! What carries bytes between peers: how to dial, listen, encrypt, and run many streams over one connection.

use crate::{config::NetworkConfig, error::NetworkError, names::Names};
use libp2p::{
    PeerId, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, timeout::TransportTimeout},
        upgrade::Version,
    },
    noise, relay, tcp, yamux,
};

/// Streams on one connection, both directions together.
const MAX_STREAMS_PER_CONNECTION: usize = 64;

/// The part of a handshake's time that may pass before a name is blamed: what is left must do for the rest.
const LOOK_UP: f32 = 0.7;

/// Any transport: peers are who they say they are.
pub(crate) type Authenticated = Boxed<(PeerId, StreamMuxerBox)>;

/// A transport, and what belongs to it in the swarm.
pub(crate) struct Built {
    pub(crate) transport: Authenticated,
    /// There if connections can be made through relays.
    pub(crate) relay: Option<relay::client::Behaviour>,
}

/// The transport of a PC on the internet.
pub(crate) fn build(config: &NetworkConfig) -> Result<Built, NetworkError> {
    let failed = |error: &dyn std::fmt::Display| NetworkError::Transport(error.to_string());
    let NetworkConfig { keypair, limits, .. } = config;
    let noise = noise::Config::new(keypair).map_err(|error| failed(&error))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(multiplexer());
    let named = Names::new(tcp, limits.handshake.mul_f32(LOOK_UP))
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    Ok(Built {
        transport: TransportTimeout::new(named, limits.handshake).boxed(),
        relay: None,
    })
}

/// Enough for both directions' blob streams and the small protocols; the default allows a peer hundreds, with a
/// buffer each.
fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_STREAMS_PER_CONNECTION);
    config
}
