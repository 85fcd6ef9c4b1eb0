//! Puts the parts together: starts the trainer, and stops it.
//!
//! Must never leave a worker process or a port behind.

use std::{
    fs::{self, File},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_engine::{Engine, EngineConfig};
use hydra_host::{Holder, port_holder};
use hydra_network::{
    Clock, Keypair, Multiaddr, Network, NetworkConfig, NetworkError, NetworkHandle, PeerId,
    discovery::record::Capabilities,
};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    Options,
    database::{Database, DatabaseError, Reconciled},
    depot::Depot,
    import::{self, ImportError, Imported},
    joined, members,
    models::Models,
    node::Node,
    reach::Unreadable,
    secret::{self, SecretError, SecretFile},
    server::{Context, router, serve},
    space::Space,
    tasks::Shared,
    torch::{Torch, TorchError},
    tunnels::Tunnels,
};

/// How long requests that are being answered may take when the trainer stops.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How often the store is looked after when nothing asks for it, and the least time between two looks.
const TIDIES: Duration = Duration::from_secs(60);
const RESTS: Duration = Duration::from_secs(2);

/// Why the trainer can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A secret can't be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The base path can't be used.
    #[error("the base path {} can't be used: {source}. Name a folder that you may write to with --base-path", path.display())]
    BasePath {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another trainer uses the base path.
    #[error("another trainer is using {}: stop it first, or name another folder with --base-path", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The HTTP port is taken.
    #[error(
        "port {port} on 127.0.0.1 is already in use{}: stop that program (perhaps it is a trainer that still runs), or \
         choose another port with --http-port, here and in the node's --trainer-port",
        by(holder)
    )]
    HttpPortTaken {
        /// The port.
        port: u16,
        /// Who has it, if that can be seen.
        holder: Option<Holder>,
    },
    /// The data plane's port is taken.
    #[error(
        "port {port} on {ip} is already in use{}: stop that program (perhaps it is a trainer that still runs), or \
         choose another port with --p2p-port",
        by(holder)
    )]
    P2pPortTaken {
        /// The port.
        port: u16,
        /// The address.
        ip: IpAddr,
        /// Who has it, if that can be seen.
        holder: Option<Holder>,
    },
    /// The HTTP port can't be listened on.
    #[error("can't listen on 127.0.0.1:{port}: {source}. Choose a port above 1023 with --http-port")]
    Http {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The data plane can't start.
    #[error("{0}. Where other trainers reach this one is set with --p2p-address and --p2p-port")]
    Network(NetworkError),
    /// The blob store can't be opened.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// What the trainer remembers can't be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A data set can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A certificate can't be read.
    #[error(transparent)]
    Certificate(#[from] Unreadable),
    /// The program is ending.
    #[error("the trainer was stopped while it started")]
    Stopped,
}

impl From<NetworkError> for StartError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::PortTaken { port, ip } => Self::P2pPortTaken {
                port,
                ip,
                holder: port_holder(port),
            },
            error => Self::Network(error),
        }
    }
}

/// What others are told of this PC, in powers of two: whoever looks for peers of many kinds needs no more.
fn capabilities(options: &Options) -> Capabilities {
    let class = |amount: u64| amount.checked_ilog2().and_then(|class| u8::try_from(class).ok());
    // What the system doesn't tell is nothing.
    let free = hydra_host::free_space(&options.base_path).unwrap_or(0) >> 30;
    let room = options.store_quota.map_or(free, |quota| quota.min(free));
    Capabilities {
        provider: true,
        cores_class: class(options.worker_count() as u64).unwrap_or(0),
        room_class: class(room).unwrap_or(0),
        ..Capabilities::default()
    }
}

fn by(holder: &Option<Holder>) -> String {
    holder
        .as_ref()
        .map_or_else(String::new, |holder| format!(" by {holder}"))
}

/// A running trainer.
pub struct Trainer {
    shared: Arc<Shared>,
    network: NetworkHandle,
    http: SocketAddr,
    end: oneshot::Sender<()>,
    server: JoinHandle<()>,
    test: JoinHandle<()>,
    house: JoinHandle<()>,
    members: JoinHandle<()>,
    tunnels: JoinHandle<()>,
    /// Held as long as the base path is in use.
    lock: File,
}

impl Trainer {
    /// Starts a trainer: when this returns it answers on HTTP and serves blobs; its engine is tested in the background.
    /// Must be called in a tokio runtime with several threads.
    ///
    /// # Errors
    /// [`StartError`]; nothing keeps running then.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::start_with_clock(options, Clock::system()).await
    }

    /// As [`start`](Self::start), on a PC whose clock may be wrong: what it shows is compared with other trainers'.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_clock(options: Options, clock: Clock) -> Result<Self, StartError> {
        let token = secret::read(SecretFile::Token, &options.token_file)?;
        let key = secret::read(SecretFile::Key, &options.key_file)?;
        let lock = occupy(&options.base_path)?;
        let listener = listen(options.http_port).await?;
        let http = listener.local_addr().map_err(|source| StartError::Http {
            port: options.http_port,
            source,
        })?;
        let (store, database, imported) = open_store(&options).await?;

        let mut config = NetworkConfig::new(keypair(key.bytes())?);
        let port = options.p2p_port;
        config.listen = options
            .p2p_address
            .iter()
            .map(|ip| multiaddr(*ip, port))
            .collect();
        config.bootstrap = options.bootstrap.clone();
        config.clock = clock;
        config.book = Some(options.base_path.join("peers.json"));
        options.reach.apply(&mut config)?;
        config.discovery.network = options.network.clone();
        config.discovery.capabilities = capabilities(&options);
        // Who listens on this computer alone doesn't want to be found.
        config.discovery.mdns &= !options.p2p_address.iter().all(IpAddr::is_loopback);
        let network = Network::start(config, store.clone()).await?;

        let depot = Depot::new(store, network.clone(), database.clone());
        let models = options.base_path.join("models");
        let models = tokio::task::spawn_blocking(move || {
            Models::open(models.clone()).map_err(|source| StartError::BasePath { path: models, source })
        });
        let models = joined(models.await).unwrap_or(Err(StartError::Stopped))?;
        let workers = options.worker_count();
        let engine = Engine::new(EngineConfig {
            workers,
            worker: options.worker_binary.clone(),
            ..EngineConfig::default()
        });
        let space = Space::new(
            &options.base_path,
            options.reserve_space.saturating_mul(1 << 20),
            options.store_quota.map(|gib| gib.saturating_mul(1 << 30)),
        );
        let shared = Shared::new(
            Arc::new(depot),
            Torch::new(engine),
            database.clone(),
            models,
            space,
            imported,
            workers,
        );
        let shared = Arc::new(shared);
        for sentence in database.complaints() {
            shared.errors.add(sentence);
        }
        shared.look_around();

        let (end, ended) = oneshot::channel::<()>();
        let tunnels = Arc::new(Tunnels::new(network.clone()));
        let router = router(Context::new(
            shared.clone(),
            tunnels.clone(),
            token,
            options.node_rpc_port,
        ));
        let server = tokio::spawn(async move {
            // Ends when told to, or when the trainer is dropped.
            serve(listener, router, async { drop(ended.await) }).await;
        });
        let test = tokio::spawn(test_engine(shared.clone()));
        let house = tokio::spawn(keep_house(shared.clone()));
        let members = tokio::spawn(members::tell(Node::new(options.node_rpc_port), network.clone()));
        let tunnels = tokio::spawn(async move { tunnels.keep().await });
        let depot = shared.depot.clone();
        // The only error is that the program is ending.
        tokio::spawn(async move { drop(depot.provide_stored().await) });
        Ok(Self {
            shared,
            network,
            http,
            end,
            server,
            test,
            house,
            members,
            tunnels,
            lock,
        })
    }

    /// Where the HTTP server listens.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Who this trainer is on the data plane.
    pub fn peer_id(&self) -> PeerId {
        self.network.local_peer_id()
    }

    /// Where it listens for other trainers, with its PeerId at the end.
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.network.listen_addresses()
    }

    /// Stops everything: when this returns, both ports are free and no worker runs.
    pub async fn stop(self) {
        let Self {
            shared,
            network,
            end,
            server,
            test,
            house,
            members,
            tunnels,
            lock,
            ..
        } = self;
        test.abort();
        house.abort();
        members.abort();
        tunnels.abort();
        // What ends meanwhile gives it time to go out.
        shared.depot.news().going().await;
        shared.stop();
        let _ = end.send(());
        let abort = server.abort_handle();
        if tokio::time::timeout(LAST_ANSWERS, server).await.is_err() {
            abort.abort();
        }
        network.shutdown().await;
        shared.torch.stop();
        shared.close_database().await;
        // Closing would do, unless a process that is just being started holds a copy.
        let _ = lock.unlock();
    }
}

/// Tests the engine until it is known whether it can be used, at the start and whenever it is doubted. The chain is the clock: a
/// test that could not be finished is made again with the next sheet.
async fn test_engine(shared: Arc<Shared>) {
    while shared.torch.has_to_be_tested().await {
        let torch = shared.torch.clone();
        match tokio::spawn(async move { torch.test().await }).await {
            Ok(Ok(())) => {
                tracing::info!("the engine computes the bits that the network computes: ready to train");
                shared.engine_is_ready();
                continue;
            }
            Ok(Err(TorchError::Failed(reason))) => {
                return shared.errors.add(format!(
                    "the engine can't be used, so this trainer serves blobs and does not train: {reason}"
                ));
            }
            Ok(Err(TorchError::Stopping)) => return,
            Ok(Err(error)) => shared.errors.add(format!(
                "the engine's test could not be finished, so this trainer does not train yet; it is made again with \
                 the node's next duty sheet: {error}"
            )),
            Err(error) if error.is_panic() => shared.report("the engine's test", &error),
            // The program is ending.
            Err(_) => return,
        }
        shared.next_sheet().await;
    }
}

/// Looks after the store now and then, and soon when there is something to do.
async fn keep_house(shared: Arc<Shared>) {
    loop {
        // Timed out is as good as asked.
        let _ = timeout(TIDIES, shared.untidy()).await;
        let tidied = tokio::spawn({
            let shared = shared.clone();
            async move { shared.tidy().await }
        });
        match tidied.await {
            Err(error) if error.is_panic() => shared.report("looking after the store", &error),
            Err(_) => return,
            Ok(()) => {}
        }
        sleep(RESTS).await;
    }
}

/// Makes the base path and takes it for this process alone.
fn occupy(path: &Path) -> Result<File, StartError> {
    let fail = |source| StartError::BasePath {
        path: path.into(),
        source,
    };
    fs::create_dir_all(path).map_err(fail)?;
    let lock = File::create(path.join("trainer.lock")).map_err(fail)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(StartError::InUse { path: path.into() }),
        Err(fs::TryLockError::Error(source)) => Err(fail(source)),
    }
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => StartError::HttpPortTaken {
                port,
                holder: port_holder(port),
            },
            _ => StartError::Http { port, source },
        })
}

/// The store, what is known of it, and the data sets that were imported into it.
async fn open_store(options: &Options) -> Result<(Arc<BlobStore>, Arc<Database>, Vec<Imported>), StartError> {
    let (base, datasets) = (options.base_path.clone(), options.dataset.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let database = Database::open(&base)?;
        let store = BlobStore::open(base.join("blobs"))?;
        let found = database.reconcile(&store)?;
        if found != Reconciled::default() {
            tracing::info!(
                "{} blobs were on disk without a record, and are only cached from now on; {} records had no blob",
                found.adopted,
                found.forgotten
            );
        }
        let mut all = Vec::new();
        for dataset in datasets {
            let imported = import::import(&store, &database, &dataset)?;
            tracing::info!("data set {}: {} blobs", imported.name, imported.blobs.len());
            all.push(imported);
        }
        Ok((Arc::new(store), Arc::new(database), all))
    });
    joined(opened.await).unwrap_or(Err(StartError::Stopped))
}

fn multiaddr(address: IpAddr, port: u16) -> Multiaddr {
    let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
    // Every address and port number make one.
    format!("/{kind}/{address}/tcp/{port}")
        .parse()
        .unwrap_or_else(|_| Multiaddr::empty())
}

fn keypair(secret: &[u8; 32]) -> Result<Keypair, StartError> {
    Keypair::ed25519_from_bytes(*secret).map_err(|error| NetworkError::Transport(error.to_string()).into())
}
