//! The task that owns the swarm.
//!
//! Everything that needs the swarm happens here, one event at a time; the rest of the program sees it through
//! [`NetworkHandle`](crate::NetworkHandle). It ends when told to, or when the last handle is gone.

use crate::{
    NetworkConfig, NetworkError, NetworkHandle, PeerInfo,
    bootstrap::{Bootstrap, Dialled, peer_in},
    listen::listen,
    peers::Peers,
    pool::Pool,
    server, time, wire,
};
use futures::StreamExt;
use hydra_blobs::BlobStore;
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, identify,
    multiaddr::Protocol,
    noise, ping,
    swarm::{
        self, ConnectionId, NetworkBehaviour, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp, yamux,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::Instant,
};

/// What Identify calls the protocol family.
const PROTOCOL_VERSION: &str = "/hydra/1";
/// A machine that trains on all cores answers late; one that is gone never does.
const PING_TIMEOUT: Duration = Duration::from_secs(30);
/// Streams on one connection, both directions together.
const MAX_STREAMS_PER_CONNECTION: usize = 64;
/// Commands that wait for the swarm.
const QUEUE: usize = 64;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// Why a peer couldn't be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The address is our own.
    #[error("{address} is this trainer itself. Dial another peer's address")]
    Ourselves {
        /// The address dialled.
        address: Multiaddr,
    },
    /// Somebody else answers there.
    #[error("{address} is answered by peer {obtained}. Check the peer's address; it may have a new key")]
    WrongPeer {
        /// The address dialled.
        address: Multiaddr,
        /// Who answered.
        obtained: PeerId,
    },
    /// Nobody answers there.
    #[error("can't reach {address}: {reason}. Check that the peer runs and that the address is right")]
    Unreachable {
        /// The address dialled.
        address: Multiaddr,
        /// What went wrong.
        reason: String,
    },
    /// The network has been shut down.
    #[error("the network has been shut down. Start it again first")]
    ShutDown,
}

pub(crate) enum Command {
    Dial {
        address: Multiaddr,
        reply: oneshot::Sender<Result<PeerId, DialError>>,
    },
    ShutDown,
}

/// The data plane.
pub struct Network;

impl Network {
    /// Starts the network. It listens when this returns; bootstrap peers are dialled in the background. Must be
    /// called in a tokio runtime.
    ///
    /// # Errors
    /// [`NetworkError`], [`NetworkError::PortTaken`] in particular.
    pub async fn start(config: NetworkConfig, store: Arc<BlobStore>) -> Result<NetworkHandle, NetworkError> {
        let NetworkConfig {
            keypair,
            listen: addresses,
            bootstrap,
            agent,
            clock,
            limits,
        } = config;
        let local = keypair.public().to_peer_id();
        let mut swarm = build_swarm(keypair, agent)?;
        let mut control = swarm.behaviour().streams.new_control();
        let incoming = control
            .accept(wire::PROTOCOL)
            .map_err(|error| NetworkError::Transport(error.to_string()))?;
        let askers = control
            .accept(time::PROTOCOL)
            .map_err(|error| NetworkError::Transport(error.to_string()))?;
        let events = listen(&mut swarm, &addresses).await?;
        let (peers_sender, peers) = watch::channel(Vec::new());
        let (found, offset) = watch::channel(None);
        let timekeeper = time::keep(
            control.clone(),
            peers.clone(),
            clock.clone(),
            limits.ask_time,
            found,
        );
        let tasks = vec![
            AbortOnDrop(tokio::spawn(server::serve(incoming, store.clone(), limits.clone())).abort_handle()),
            AbortOnDrop(tokio::spawn(time::serve(askers, clock)).abort_handle()),
            AbortOnDrop(tokio::spawn(timekeeper).abort_handle()),
        ];

        let pool = Arc::new(Pool::new(control, limits.slices_per_peer));
        let (commands, command_receiver) = mpsc::channel(QUEUE);
        let (listening_sender, listening) = watch::channel(Vec::new());
        let mut service = Service {
            bootstrap: Bootstrap::new(&bootstrap, local, &limits, Instant::now()),
            peers: Peers::default(),
            pool: pool.clone(),
            dials: HashMap::new(),
            peers_sender,
            listening_sender,
            swarm,
        };
        for event in events {
            service.on_event(event);
        }
        tokio::spawn(service.run(command_receiver, tasks));
        Ok(NetworkHandle::new(
            local, commands, peers, listening, offset, pool, store, limits,
        ))
    }
}

fn build_swarm(keypair: libp2p::identity::Keypair, agent: String) -> Result<Swarm<Behaviour>, NetworkError> {
    let transport = |error: &dyn std::fmt::Display| NetworkError::Transport(error.to_string());
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            multiplexer,
        )
        .map_err(|error| transport(&error))?
        .with_behaviour(|key| Behaviour {
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
        .build())
}

/// Enough for both directions' blob streams and the small protocols; the default allows a peer hundreds, with a
/// buffer each.
fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_STREAMS_PER_CONNECTION);
    config
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Service {
    swarm: Swarm<Behaviour>,
    bootstrap: Bootstrap,
    peers: Peers,
    pool: Arc<Pool>,
    /// Who waits for which dial.
    dials: HashMap<ConnectionId, (Multiaddr, oneshot::Sender<Result<PeerId, DialError>>)>,
    peers_sender: watch::Sender<Vec<PeerInfo>>,
    listening_sender: watch::Sender<Vec<Multiaddr>>,
}

impl Service {
    /// `commands` is dropped last: that its channel is closed tells the handles that everything has ended.
    async fn run(mut self, mut commands: mpsc::Receiver<Command>, tasks: Vec<AbortOnDrop>) {
        loop {
            let due = self.bootstrap.next_due();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                command = commands.recv() => match command {
                    Some(Command::Dial { address, reply }) => self.dial(address, reply),
                    Some(Command::ShutDown) | None => break,
                },
                () = sleep_until(due) => self.dial_bootstrap(),
            }
        }
        drop(tasks);
        drop(self);
        drop(commands);
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.connected(peer_id, connection_id, endpoint.get_remote_address().clone());
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                if self.peers.disconnected(peer_id, connection_id) {
                    self.pool.forget(peer_id);
                    self.bootstrap.disconnected(peer_id, Instant::now());
                }
                self.publish_peers();
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id, error, ..
            } => {
                self.dial_failed(connection_id, &error);
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => {
                self.publish_listening();
            }
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                tracing::error!(
                    ?addresses,
                    ?reason,
                    "stopped listening; restart the trainer to be reachable again"
                );
                self.publish_listening();
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has trouble"),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                self.peers.set_agent(&peer_id, &info.agent_version);
                self.publish_peers();
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result,
            })) => {
                match result {
                    Ok(latency) => {
                        self.peers.set_latency(&peer, latency);
                        self.publish_peers();
                    }
                    Err(ping::Failure::Unsupported) => {}
                    // A host that lost power never says goodbye.
                    Err(error) => {
                        tracing::debug!(%peer, %error, "no answer to ping, closing the connection");
                        self.swarm.close_connection(connection);
                    }
                }
            }
            _ => {}
        }
    }

    fn connected(&mut self, peer: PeerId, id: ConnectionId, address: Multiaddr) {
        let older = self.peers.connected(peer, id, address);
        // Two trainers that dial each other at once have two connections. One side decides, or each would close the
        // other's. The newest stays, because an older one may lead to a process that is gone.
        if *self.swarm.local_peer_id() < peer {
            for id in older {
                self.swarm.close_connection(id);
            }
        }
        self.bootstrap.connected(id, peer);
        if let Some((_, reply)) = self.dials.remove(&id) {
            let _ = reply.send(Ok(peer));
        }
        self.publish_peers();
    }

    fn dial(&mut self, address: Multiaddr, reply: oneshot::Sender<Result<PeerId, DialError>>) {
        if let Some(peer) = peer_in(&address).filter(|peer| self.peers.is_connected(peer)) {
            let _ = reply.send(Ok(peer));
            return;
        }
        let options = dial_options(&address);
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(id, (address, reply));
            }
            Err(error) => {
                let _ = reply.send(Err(explain(address, &error)));
            }
        }
    }

    fn dial_bootstrap(&mut self) {
        let Self { bootstrap, swarm, .. } = self;
        bootstrap.dial_due(Instant::now(), |address| {
            let options = dial_options(address);
            let id = options.connection_id();
            match swarm.dial(options) {
                Ok(()) => Dialled::Started(id),
                Err(error) => match explain(address.clone(), &error) {
                    DialError::Ourselves { .. } => Dialled::Ourselves,
                    error => {
                        tracing::warn!(%error, "can't dial a bootstrap peer");
                        Dialled::Failed
                    }
                },
            }
        });
    }

    fn dial_failed(&mut self, id: ConnectionId, error: &swarm::DialError) {
        if let Some((address, reply)) = self.dials.remove(&id) {
            let _ = reply.send(Err(explain(address, error)));
        }
        if matches!(error, swarm::DialError::LocalPeerId { .. }) {
            self.bootstrap.is_ourselves(id);
        } else if let Some(address) = self.bootstrap.failed(id, Instant::now()) {
            let error = explain(address.clone(), error);
            tracing::warn!(%error, "a bootstrap peer is away; trying again until it comes back");
        }
    }

    fn publish_peers(&self) {
        let now = self.peers.list();
        // Whoever waits for changes isn't woken for none.
        self.peers_sender.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    fn publish_listening(&self) {
        let local = *self.swarm.local_peer_id();
        let addresses = self
            .swarm
            .listeners()
            .map(|a| a.clone().with(Protocol::P2p(local)));
        self.listening_sender.send_replace(addresses.collect());
    }
}

/// A new local port for each connection: dialling from the listening port gains nothing without hole punching, and
/// makes two trainers that dial each other at once collide in TCP.
fn dial_options(address: &Multiaddr) -> DialOpts {
    match peer_in(address) {
        Some(peer) => DialOpts::peer_id(peer)
            .condition(PeerCondition::Always)
            .addresses(vec![address.clone()])
            .allocate_new_port()
            .build(),
        None => DialOpts::unknown_peer_id()
            .address(address.clone())
            .allocate_new_port()
            .build(),
    }
}

fn explain(address: Multiaddr, error: &swarm::DialError) -> DialError {
    match error {
        // The swarm strikes our own listening addresses from those it was given, and then has none.
        swarm::DialError::LocalPeerId { .. } | swarm::DialError::NoAddresses => {
            DialError::Ourselves { address }
        }
        swarm::DialError::WrongPeerId { obtained, .. } => DialError::WrongPeer {
            address,
            obtained: *obtained,
        },
        swarm::DialError::Transport(attempts) => {
            let reasons: Vec<_> = attempts.iter().map(|(_, error)| innermost(error)).collect();
            DialError::Unreachable {
                address,
                reason: reasons.join("; "),
            }
        }
        other => DialError::Unreachable {
            address,
            reason: innermost(other),
        },
    }
}

/// libp2p's own message spreads over lines and repeats the address; the last cause says it all.
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
