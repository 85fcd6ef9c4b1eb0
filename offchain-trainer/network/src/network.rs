//! Starting the network: puts its parts together.

use crate::{
    behaviour::build_swarm,
    book::Book,
    bootstrap::Bootstrap,
    chosen_names::ChosenNames,
    common::Common,
    config::NetworkConfig,
    error::NetworkError,
    handle::{NetworkHandle, Views},
    house::House,
    listen::listen,
    members::Members,
    pool::Pool,
    reports::Reports,
    server,
    service::{AbortOnDrop, Parts, Service, Shown},
    strays::Strays,
    time,
    transport::{self, Built},
    tunnel, wire,
};
use hydra_blobs::BlobStore;
use libp2p::{
    PeerId,
    core::{muxing::StreamMuxerBox, transport::Boxed},
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

/// Commands that wait for the swarm.
const QUEUE: usize = 64;

/// The data plane.
pub struct Network;

impl Network {
    /// Starts the network. It listens when this returns; bootstrap peers are dialled in the background. Must be
    /// called in a tokio runtime.
    ///
    /// # Errors
    /// [`NetworkError`], [`NetworkError::PortTaken`] in particular.
    pub async fn start(config: NetworkConfig, store: Arc<BlobStore>) -> Result<NetworkHandle, NetworkError> {
        let built = transport::build(&config)?;
        Self::run(config, store, built, true).await
    }

    /// As [`start`](Self::start), over any transport, such as one in memory: for tests and measurements of many networks in one process.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    #[doc(hidden)]
    pub async fn start_over(
        config: NetworkConfig,
        store: Arc<BlobStore>,
        transport: Boxed<(PeerId, StreamMuxerBox)>,
    ) -> Result<NetworkHandle, NetworkError> {
        let built = Built {
            transport,
            relay: None,
            strays: Strays::default(),
            names: ChosenNames::default(),
            house: House::default(),
        };
        Self::run(config, store, built, false).await
    }

    /// `sockets` says whether the transport's addresses are this computer's.
    async fn run(
        config: NetworkConfig,
        store: Arc<BlobStore>,
        built: Built,
        sockets: bool,
    ) -> Result<NetworkHandle, NetworkError> {
        let local = config.keypair.public().to_peer_id();
        let (reports, reported) = Reports::new();
        let common = Common {
            local,
            book: Book::open(local, config.book.clone(), built.house.clone()),
            members: Members::default(),
            reports,
            strays: built.strays.clone(),
            names: built.names.clone(),
            house: built.house.clone(),
            seed: config.seed.unwrap_or_else(random_seed),
        };
        let mut swarm = build_swarm(&config, built, &common);
        let now = Instant::now();
        let (parts, views_of_parts) = Parts::new(&config, &common, reported, now);
        let NetworkConfig {
            listen: addresses,
            bootstrap,
            clock,
            limits,
            reach,
            ..
        } = config;
        let mut control = swarm.behaviour().streams.new_control();
        let mut accept = |protocol| {
            let accepted = control.accept(protocol);
            accepted.map_err(|error| NetworkError::Transport(error.to_string()))
        };
        let (askers, tellers) = (accept(wire::PROTOCOL)?, accept(time::PROTOCOL)?);
        let nodes = accept(tunnel::PROTOCOL)?;
        let events = listen(&mut swarm, &addresses, &reach, sockets).await?;

        let (peers_shown, peers) = watch::channel(Vec::new());
        let (listening_shown, listening) = watch::channel(Vec::new());
        let (away_shown, away) = watch::channel(Vec::new());
        let (offset_shown, clock_offset) = watch::channel(None);
        let (own_node, own) = watch::channel(None);
        let (carried_shown, carried) = watch::channel(0);
        let exit = tunnel::Exit::new(
            own,
            peers.clone(),
            common.members.clone(),
            tunnel::Places::default(),
            carried_shown,
        );
        let every = limits.ask_time;
        let reports = common.reports.clone();
        let tasks = vec![
            spawn(server::serve(
                askers,
                store.clone(),
                peers.clone(),
                limits.clone(),
                reports.clone(),
            )),
            spawn(time::serve(tellers, clock.clone(), reports.clone())),
            spawn(exit.serve(nodes, reports.clone())),
            spawn(time::keep(
                control.clone(),
                peers.clone(),
                clock,
                every,
                offset_shown,
            )),
        ];

        let tunnel = tunnel::View {
            control: control.clone(),
            own: own_node,
            carried,
        };
        let pool = Arc::new(Pool::new(control, &limits, reports));
        let bootstrap = Bootstrap::new(&bootstrap, local, &limits, now);
        let shown = Shown {
            peers: peers_shown,
            listening: listening_shown,
            away: away_shown,
        };
        let mut service = Service::new(swarm, bootstrap, parts, pool.clone(), shown);
        for event in events {
            service.on_event(event);
        }
        let (commands, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(service.run(receiver, tasks));
        let views = Views {
            peers,
            listening,
            away,
            clock_offset,
            manager: views_of_parts.manager,
            discovery: views_of_parts.discovery,
            gossip: views_of_parts.gossip,
            reach: views_of_parts.reach,
            tunnel,
        };
        Ok(NetworkHandle::new(local, commands, views, pool, store, limits))
    }
}

/// From the system's own source of randomness, as every hash map's is.
fn random_seed() -> u64 {
    RandomState::new().hash_one(0)
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDrop {
    AbortOnDrop(tokio::spawn(task).abort_handle())
}
