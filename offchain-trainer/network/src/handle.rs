//! What the rest of the program holds of the network.

use crate::{
    bootstrap::AwayPeer,
    clock::ClockOffset,
    command::Command,
    config::Limits,
    discovery,
    disk::blocking,
    error::{DialError, FetchError},
    fetch::{Fetcher, Wanted},
    gates::Gates,
    gossip, manager,
    peers::PeerInfo,
    pool::Pool,
    priority::Priority,
    reach,
    size::SizeRule,
    tunnel,
};
use hydra_blobs::{BlobError, BlobStore, H256};
use libp2p::{Multiaddr, PeerId};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Access to a running network. Clones share it; it ends when the last one is dropped, or with
/// [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct NetworkHandle {
    inner: Arc<Inner>,
}

struct Inner {
    local: PeerId,
    commands: mpsc::Sender<Command>,
    views: Views,
    pool: Arc<Pool>,
    gates: Gates,
    store: Arc<BlobStore>,
    limits: Limits,
}

/// What the network's tasks show of themselves.
pub(crate) struct Views {
    pub(crate) peers: watch::Receiver<Vec<PeerInfo>>,
    pub(crate) listening: watch::Receiver<Vec<Multiaddr>>,
    pub(crate) away: watch::Receiver<Vec<AwayPeer>>,
    pub(crate) clock_offset: watch::Receiver<Option<ClockOffset>>,
    pub(crate) manager: manager::View,
    pub(crate) discovery: discovery::View,
    pub(crate) gossip: gossip::View,
    pub(crate) reach: reach::View,
    pub(crate) tunnel: tunnel::View,
}

impl std::fmt::Debug for NetworkHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkHandle")
            .field("local", &self.inner.local)
            .finish_non_exhaustive()
    }
}

impl NetworkHandle {
    pub(crate) fn new(
        local: PeerId,
        commands: mpsc::Sender<Command>,
        views: Views,
        pool: Arc<Pool>,
        store: Arc<BlobStore>,
        limits: Limits,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                local,
                commands,
                views,
                pool,
                gates: Gates::default(),
                store,
                limits,
            }),
        }
    }

    /// Gets a blob into the [`BlobStore`] and returns its size in bytes; at once if it is there already.
    ///
    /// The connected ones among `providers` are asked first, all other connected peers after them or when they
    /// deliver nothing for [`Limits::hedge`]. Providers that aren't connected are dialled ([`want`](Self::want)). Who connects
    /// meanwhile is asked as well, and where nobody is left to ask, a provider that isn't connected is waited for during
    /// [`Limits::arrival`], or for as long as it is being dialled. A peer that lies, breaks off or is too
    /// slow isn't asked again for this blob. Those who have announced the blob count as providers, and for a blob that may have
    /// [`LARGE`](Self::LARGE) bytes the network is asked for others, if nobody delivers. From the moment this returns, the blob is
    /// served to others; what has arrived of it before is, too, and of a blob of more than 1 MiB it stays on disk when the fetch is given up:
    /// the next one goes on from there.
    ///
    /// # Errors
    /// [`FetchError`]; peers come and go, so trying again later may succeed.
    pub async fn fetch(&self, hash: H256, rule: SizeRule, providers: Vec<PeerId>) -> Result<u64, FetchError> {
        self.fetch_with(hash, rule, providers, Priority::default()).await
    }

    /// As [`fetch`](Self::fetch), and says how soon the blob is needed.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_with(
        &self,
        hash: H256,
        rule: SizeRule,
        providers: Vec<PeerId>,
        priority: Priority,
    ) -> Result<u64, FetchError> {
        let Inner {
            local,
            views,
            pool,
            gates,
            store,
            limits,
            ..
        } = &*self.inner;
        // Two tasks that need the same blob share one download: the second finds it in the store.
        let _gate = gates.enter(hash).await;
        if let Some(size) = self.stored_size(hash).await? {
            if rule.allows(size) {
                return Ok(size);
            }
            // Either the size was announced wrongly, or the file was damaged; then it has been moved aside.
            if self.is_intact(hash).await? {
                return Err(FetchError::WrongSize { hash, size, rule });
            }
        }
        if self.inner.commands.is_closed() {
            return Err(FetchError::ShutDown);
        }
        let fetch = async |providers: &[PeerId]| {
            // Who isn't connected is dialled meanwhile.
            let mut visits = self.visit(providers).await;
            loop {
                let wanted = Wanted {
                    hash,
                    rule,
                    providers,
                    priority,
                };
                let fetcher = Fetcher::new(&wanted, pool, store, limits, views.peers.clone(), *local);
                match fetcher.run().await {
                    Err(
                        FetchError::NoPeers { .. } | FetchError::NotFound { .. } | FetchError::Failed { .. },
                    ) if visits.one_more().await => {}
                    fetched => return fetched,
                }
            }
        };
        let mut providers = providers;
        providers.extend(self.announcers(hash));
        match fetch(&providers).await {
            Err(error) => match self.found_elsewhere(hash, rule, &error).await {
                Some(others) => fetch(&others).await,
                None => Err(error),
            },
            fetched => fetched,
        }
    }

    /// Bytes a second of blobs that come in at the most, if its owner has set that.
    pub fn download_rate(&self) -> Option<u64> {
        self.inner.limits.download_rate
    }

    /// As [`fetch_with`](Self::fetch_with) for a round, and returns the content, which is held in memory whole: choose `rule` accordingly.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_bytes(
        &self,
        hash: H256,
        rule: SizeRule,
        providers: Vec<PeerId>,
    ) -> Result<Vec<u8>, FetchError> {
        let mut damaged = None;
        // A blob that was damaged on our disk has been moved aside by the first read: get it again.
        for _ in 0..2 {
            self.fetch_with(hash, rule, providers.clone(), Priority::Round)
                .await?;
            let store = self.inner.store.clone();
            match blocking(move || store.get(hash, rule.limit())).await {
                Ok(Some(bytes)) => return Ok(bytes),
                Ok(None) => {}
                Err(FetchError::Store(error @ BlobError::Corrupt { .. })) => damaged = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(damaged.map_or(FetchError::NotFound { hash, asked: 0 }, FetchError::Store))
    }

    /// Who we are connected to, by PeerId.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.inner.views.peers.borrow().clone()
    }

    /// Follows [`peers`](Self::peers): for waiting until somebody is there.
    pub fn watch_peers(&self) -> watch::Receiver<Vec<PeerInfo>> {
        self.inner.views.peers.clone()
    }

    /// Bootstrap peers that can't be reached, and why. Each is tried again until it can. None while there are enough other peers.
    pub fn away(&self) -> Vec<AwayPeer> {
        self.inner.views.away.borrow().clone()
    }

    /// Follows [`away`](Self::away).
    pub fn watch_away(&self) -> watch::Receiver<Vec<AwayPeer>> {
        self.inner.views.away.clone()
    }

    /// Who we are.
    pub fn local_peer_id(&self) -> PeerId {
        self.inner.local
    }

    /// Where we listen, with our PeerId at the end: as others need it to dial or bootstrap from us.
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.inner.views.listening.borrow().clone()
    }

    /// How far this computer's clock is from its peers', as far as they tell and agree. They may lie: this may make a
    /// sentence for the person at this computer, and must decide nothing else.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        *self.inner.views.clock_offset.borrow()
    }

    /// Follows [`clock_offset`](Self::clock_offset).
    pub fn watch_clock_offset(&self) -> watch::Receiver<Option<ClockOffset>> {
        self.inner.views.clock_offset.clone()
    }

    /// Connects to a peer, once: it isn't dialled again when the connection is lost. Returns who it is. If `address`
    /// names a connected peer, nothing happens.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, DialError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Dial { address, reply };
        self.inner
            .commands
            .send(command)
            .await
            .map_err(|_| DialError::ShutDown)?;
        answer.await.unwrap_or(Err(DialError::ShutDown))
    }

    /// Closes all connections and listeners; their ports are free when this returns. Harmless when repeated.
    pub async fn shutdown(&self) {
        // Fails only if it has ended already.
        let _ = self.inner.commands.send(Command::ShutDown).await;
        self.inner.commands.closed().await;
    }

    /// What the parts show; their own folders say what of it a handle tells.
    pub(crate) fn views(&self) -> &Views {
        &self.inner.views
    }

    /// Asks the task that owns the swarm for something; lost if it has ended.
    pub(crate) async fn command(&self, command: Command) {
        drop(self.inner.commands.send(command).await);
    }

    async fn stored_size(&self, hash: H256) -> Result<Option<u64>, FetchError> {
        let store = self.inner.store.clone();
        blocking(move || store.size(hash)).await
    }

    /// Whether our file is what its name says; otherwise it isn't here any more.
    async fn is_intact(&self, hash: H256) -> Result<bool, FetchError> {
        let store = self.inner.store.clone();
        match blocking(move || store.verify(hash)).await {
            Err(FetchError::Store(BlobError::Corrupt { .. })) => Ok(false),
            verified => verified,
        }
    }
}
