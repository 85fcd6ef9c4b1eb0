//! Starting the network: puts its parts together.

use crate::{
    behaviour::build_swarm,
    bootstrap::Bootstrap,
    config::NetworkConfig,
    error::NetworkError,
    handle::{NetworkHandle, Views},
    listen::listen,
    pool::Pool,
    reports::Reports,
    server,
    service::{AbortOnDrop, Service, Shown},
    time, wire,
};
use hydra_blobs::BlobStore;
use std::sync::Arc;
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
        let NetworkConfig {
            keypair,
            listen: addresses,
            bootstrap,
            agent,
            clock,
            limits,
        } = config;
        let local = keypair.public().to_peer_id();
        let mut swarm = build_swarm(keypair, agent, &limits)?;
        let mut control = swarm.behaviour().streams.new_control();
        let mut accept = |protocol| {
            let accepted = control.accept(protocol);
            accepted.map_err(|error| NetworkError::Transport(error.to_string()))
        };
        let (askers, tellers) = (accept(wire::PROTOCOL)?, accept(time::PROTOCOL)?);
        let events = listen(&mut swarm, &addresses).await?;

        let (peers_shown, peers) = watch::channel(Vec::new());
        let (listening_shown, listening) = watch::channel(Vec::new());
        let (away_shown, away) = watch::channel(Vec::new());
        let (offset_shown, clock_offset) = watch::channel(None);
        let every = limits.ask_time;
        let reports = Reports::default();
        let tasks = vec![
            spawn(server::serve(
                askers,
                store.clone(),
                peers.clone(),
                limits.clone(),
                reports.clone(),
            )),
            spawn(time::serve(tellers, clock.clone())),
            spawn(time::keep(
                control.clone(),
                peers.clone(),
                clock,
                every,
                offset_shown,
            )),
        ];

        let pool = Arc::new(Pool::new(control, &limits, reports));
        let bootstrap = Bootstrap::new(&bootstrap, local, &limits, Instant::now());
        let shown = Shown {
            peers: peers_shown,
            listening: listening_shown,
            away: away_shown,
        };
        let mut service = Service::new(swarm, bootstrap, pool.clone(), shown);
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
        };
        Ok(NetworkHandle::new(local, commands, views, pool, store, limits))
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDrop {
    AbortOnDrop(tokio::spawn(task).abort_handle())
}
