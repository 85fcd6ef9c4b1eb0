//! What carries bytes between peers: how to dial, listen, encrypt, and run many streams over one connection.
//!
//! TCP, QUIC and WebSocket, each by IP address and by name, and over all of them connections through relays. Dials leave from
//! the port that is listened on, so that a router shows the same port to everybody: nobody could be reached through it
//! otherwise.

use crate::{
    buffered::Buffered,
    chosen_names::ChosenNames,
    config::NetworkConfig,
    error::NetworkError,
    house::{House, Outside},
    muxer,
    names::Names,
    own_port::OwnPort,
    relayed_addresses::FewAddresses,
    strays::Strays,
    websocket::WebSocket,
};
use futures::{AsyncRead, AsyncWrite};
use libp2p::{
    PeerId, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, timeout::TransportTimeout},
        upgrade::Version,
    },
    noise, quic, relay, tcp,
};

/// Streams on one connection, both directions together.
const MAX_STREAMS_PER_CONNECTION: u32 = 64;

/// The part of a handshake's time that may pass before a name is blamed: what is left must do for the rest.
const LOOK_UP: f32 = 0.7;

/// Bytes that a peer may have sent on one connection without our having read them: 256 KiB for each stream, and as much again for
/// those on which much arrives.
const MAX_WINDOW: usize = 32 * 1024 * 1024;

/// What a peer may send on a QUIC stream, and on all streams of a connection, before we have read it: enough for 100 Mbit/s
/// over 160 ms.
const QUIC_STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const QUIC_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// Any transport: peers are who they say they are.
pub(crate) type Authenticated = Boxed<(PeerId, StreamMuxerBox)>;

/// A transport, and what belongs to it in the swarm.
pub(crate) struct Built {
    pub(crate) transport: Authenticated,
    /// There if connections can be made through relays.
    pub(crate) relay: Option<relay::client::Behaviour>,
    /// Dials of its that left from other ports than they were to.
    pub(crate) strays: Strays,
    /// Names that may lead anywhere.
    pub(crate) names: ChosenNames,
    /// Where other names may not lead; somebody has to say where it is.
    pub(crate) house: House,
}

/// The transport of a PC on the internet.
pub(crate) fn build(config: &NetworkConfig) -> Result<Built, NetworkError> {
    let names = ChosenNames::of(&config.bootstrap);
    let NetworkConfig {
        keypair,
        limits,
        reach,
        ..
    } = config;
    let noise = noise::Config::new(keypair).map_err(|error| NetworkError::Transport(error.to_string()))?;
    let patience = limits.handshake.mul_f32(LOOK_UP);
    let house = House::default();
    let outside = Outside::new(reach.internet, house.clone());
    let tcp = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));

    let websocket = WebSocket::new(Names::new(tcp(), patience, names.clone(), outside.clone()), reach)?;
    let websocket = secured(websocket, noise.clone());

    let strays = Strays::default();
    let buffered = OwnPort::new(tcp(), strays.clone()).map(|stream, _| Buffered::new(stream));
    let mut quic = quic::Config::new(keypair);
    quic.handshake_timeout = limits.handshake;
    quic.max_concurrent_stream_limit = MAX_STREAMS_PER_CONNECTION;
    quic.max_stream_data = QUIC_STREAM_WINDOW;
    quic.max_connection_data = QUIC_CONNECTION_WINDOW;
    let quic = quic::tokio::Transport::new(quic).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let by_address = quic.or_transport(secured(buffered, noise.clone()));
    let named =
        Names::new(by_address, patience, names.clone(), outside).map(|connection, _| connection.into_inner());

    // WebSocket first: the others would look a name up and then not know what follows it.
    let direct = websocket
        .or_transport(named)
        .map(|connection, _| connection.into_inner());
    let (transport, relay) = if reach.relay_client {
        let (circuits, relay) = relay::client::new(keypair.public().to_peer_id());
        // Through relays first: their addresses begin as those of other transports do.
        let all = secured(FewAddresses::new(circuits), noise)
            .or_transport(direct)
            .map(|connection, _| connection.into_inner());
        (TransportTimeout::new(all, limits.handshake).boxed(), Some(relay))
    } else {
        (TransportTimeout::new(direct, limits.handshake).boxed(), None)
    };
    Ok(Built {
        transport,
        relay,
        strays,
        names,
        house,
    })
}

/// Encrypted, and with many streams. QUIC brings both along.
fn secured<T>(carrier: T, noise: noise::Config) -> Authenticated
where
    T: Transport<Output: AsyncRead + AsyncWrite + Send + Unpin + 'static> + Send + Unpin + 'static,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
{
    carrier
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        // Enough for both directions' blob streams and the small protocols.
        .multiplex(muxer::Config::new(
            MAX_STREAMS_PER_CONNECTION as usize,
            MAX_WINDOW,
        ))
        .boxed()
}
