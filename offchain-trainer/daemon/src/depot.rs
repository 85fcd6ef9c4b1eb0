//! Blobs, wherever they are: on our disk, or at other trainers.
//!
//! Everything that is stored for a round or a version goes through here, so that the database knows when it may go. What is on our
//! disk is served to whoever asks for it by its hash, so what nobody may have yet must never get here. Must never fetch more
//! bytes than the caller says a blob has.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_network::{FetchError, NetworkHandle, PeerId, Priority, SizeRule, peer_id_from_bytes};
use hydra_primitives::{BlobRef, H256, ModelId};

use crate::{
    database::{Database, DatabaseError, Purpose, Standing, Swept, Tag},
    intact::Intact,
    joined,
    news::{News, TOLD},
    space::{Held, Space},
};

/// How long a blob may take besides its bytes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes a second of the slowest line that is waited for.
const SLOWEST_LINE: u64 = 128 * 1024;
/// So long what has come of a blob waits for somebody to go on with it.
const PARTIAL_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Damaged files that are kept for whoever wants to know what happened to the disk: so many, of so many bytes together, for so long.
const DAMAGED: usize = 4;
const DAMAGED_BYTES: u64 = 256 << 20;
const DAMAGED_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why a blob can't be stored or had.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// Nobody has it, or nobody delivered.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Our own disk.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// It can't be recorded what the blob is for, so it isn't stored.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Those who were asked take too long.
    #[error("blob {hash:?} did not arrive within {waited:?}. Trying again elsewhere")]
    TooSlow {
        /// The blob.
        hash: H256,
        /// How long was waited.
        waited: Duration,
    },
    /// It was fetched again, and is damaged again.
    #[error(
        "blob {hash:?} was damaged on disk or gone, was fetched again, and is so again. Check the disk, and run a memory test"
    )]
    Damaged {
        /// The blob.
        hash: H256,
    },
    /// The program is ending.
    #[error("the trainer is stopping")]
    Stopping,
}

/// The store, the network behind it, and what is known of each blob.
#[derive(Debug)]
pub struct Depot {
    store: Arc<BlobStore>,
    network: NetworkHandle,
    database: Arc<Database>,
    intact: Intact,
    news: News,
}

impl Depot {
    /// A depot over these.
    pub fn new(store: Arc<BlobStore>, network: NetworkHandle, database: Arc<Database>) -> Self {
        Self {
            store,
            news: News::new(network.clone()),
            network,
            database,
            intact: Intact::default(),
        }
    }

    /// Stores a blob. Blocks; it is on disk when this returns.
    ///
    /// # Errors
    /// [`DepotError`].
    pub fn put_blocking(&self, bytes: &[u8], tag: Tag) -> Result<H256, DepotError> {
        let purpose = Purpose::For(tag);
        self.database
            .note(hydra_primitives::content_hash(bytes), purpose)?;
        let hash = self.store.put(bytes)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.database.stored(hash, purpose, size);
        self.news.stored(hash, size);
        Ok(hash)
    }

    /// Stores what `write` writes if it is the blob called `hash`, and says whether it was. Blocks; it is on disk when this returns. It is
    /// never in memory as a whole.
    ///
    /// # Errors
    /// [`DepotError`].
    pub fn put_written_blocking(
        &self,
        hash: H256,
        tag: Tag,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<bool, DepotError> {
        let purpose = Purpose::For(tag);
        self.database.note(hash, purpose)?;
        let stored = self.store.put_written(hash, write)?;
        if let Some(size) = self.store.size(hash)?.filter(|_| stored) {
            self.database.stored(hash, purpose, size);
            self.news.stored(hash, size);
        }
        Ok(stored)
    }

    /// The blob's bytes: from our disk, else from `first`, else from any peer. `tag` is `None` for data sets, which stay.
    ///
    /// # Errors
    /// [`DepotError`].
    pub async fn get(
        self: &Arc<Self>,
        blob: BlobRef,
        first: Vec<PeerId>,
        tag: Option<Tag>,
    ) -> Result<Vec<u8>, DepotError> {
        self.note(blob.hash, tag).await?;
        let rule = SizeRule::Exact(blob.size);
        let bytes = self.network.fetch_bytes(blob.hash, rule, first).await?;
        self.database.stored(blob.hash, tag, blob.size);
        self.news.stored(blob.hash, blob.size);
        Ok(bytes)
    }

    /// As [`get`](Self::get), but the blob stays on our disk. What is there already isn't looked at. `priority`: how soon it is needed.
    ///
    /// # Errors
    /// [`DepotError`].
    pub async fn fetch(
        self: &Arc<Self>,
        blob: BlobRef,
        first: Vec<PeerId>,
        tag: Option<Tag>,
        priority: Priority,
    ) -> Result<(), DepotError> {
        self.note(blob.hash, tag).await?;
        let rule = SizeRule::Exact(blob.size);
        self.network.fetch_with(blob.hash, rule, first, priority).await?;
        self.database.stored(blob.hash, tag, blob.size);
        self.news.stored(blob.hash, blob.size);
        Ok(())
    }

    /// As [`fetch`](Self::fetch) for a round, but nobody can keep us waiting: `first` has a while to deliver, then everybody has,
    /// `then` before the rest. `beside` so many others share our line at the same time.
    ///
    /// # Errors
    /// [`DepotError`].
    pub async fn fetch_soon(
        self: &Arc<Self>,
        blob: BlobRef,
        first: Vec<PeerId>,
        then: Vec<PeerId>,
        beside: usize,
        tag: Option<Tag>,
    ) -> Result<(), DepotError> {
        let waited = self.patience(blob.size, beside);
        let fetch = |from| self.fetch(blob, from, tag, Priority::Round);
        if let Ok(fetched) = tokio::time::timeout(waited, fetch(first.clone())).await {
            return fetched;
        }
        let then = then.into_iter().filter(|peer| !first.contains(peer)).collect();
        let late = DepotError::TooSlow {
            hash: blob.hash,
            waited: waited.saturating_mul(2),
        };
        tokio::time::timeout(waited, fetch(then))
            .await
            .unwrap_or(Err(late))
    }

    /// The blob's file, if it is on our disk. Whoever reads it hashes what it reads, and believes none of it before all of it is what the
    /// name says; if it isn't, that is for [`look_again`](Self::look_again). Blocks.
    ///
    /// # Errors
    /// [`DepotError::Store`].
    pub fn open_unverified(&self, hash: H256) -> Result<Option<File>, DepotError> {
        match File::open(self.store.path(hash)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.cant_read(hash, error)),
        }
    }

    /// What to say of a file that can't be read.
    pub fn cant_read(&self, hash: H256, source: io::Error) -> DepotError {
        DepotError::Store(BlobError::Io {
            action: "read",
            path: self.store.path(hash),
            source,
        })
    }

    /// Hashes blobs that weren't what their names say when they were read. Those that are damaged on disk are moved aside, so that fetching
    /// them brings them again.
    ///
    /// # Errors
    /// [`DepotError::Store`].
    pub async fn look_again(self: &Arc<Self>, hashes: Vec<H256>) -> Result<(), DepotError> {
        self.blocking(move |depot| {
            for hash in hashes {
                match depot.store.verify(hash) {
                    Ok(true) => {}
                    Ok(false) | Err(BlobError::Corrupt { .. }) => depot.database.lost(hash),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether the blob is on our disk, and so served to whoever asks for it by its hash. Its content isn't looked at.
    pub fn has(&self, hash: H256) -> bool {
        self.store.has(hash)
    }

    /// The blob's file, to be read little by little, if it is on our disk. A damaged one is not; that costs hashing all of
    /// it, the first time.
    ///
    /// # Errors
    /// [`DepotError::Store`].
    pub async fn file(self: &Arc<Self>, blob: BlobRef) -> Result<Option<File>, DepotError> {
        self.blocking(move |depot| {
            let file = depot.intact.open(&depot.store, blob)?;
            depot.database.used(file.is_some().then_some(blob.hash));
            Ok(file)
        })
        .await
    }

    /// Deletes what is no longer kept where a model is now; see [`Database::sweep`].
    ///
    /// # Errors
    /// [`DepotError::Store`].
    pub async fn sweep(self: &Arc<Self>, at: Standing, needed: HashSet<H256>) -> Result<Swept, DepotError> {
        self.blocking(move |depot| {
            let swept = depot.database.sweep(&depot.store, &at, &needed);
            depot.news.swept(|hash| depot.store.has(hash));
            Ok(swept?)
        })
        .await
    }

    /// What a look after the store finds to do now and then: what was read is remembered, models that are gone leave nothing behind, what
    /// is only cached makes room, and what is known comes to disk. Blocks. Returns what was deleted.
    ///
    /// # Errors
    /// [`DepotError`], the first one. Whatever can be done all the same is done.
    pub(crate) fn tidy_blocking(&self, space: &Space) -> Result<Swept, DepotError> {
        self.database.used(self.store.take_used());
        let gone = self.database.sweep_gone(&self.store);
        let (damaged, bytes) = match space.is_short() {
            true => (0, 0),
            false => (DAMAGED, DAMAGED_BYTES),
        };
        let pruned = self.store.prune_corrupt(damaged, bytes, DAMAGED_AGE);
        let partials = self.prune_partials(space.is_short() || space.is_full());
        let evicted = self.database.evict(&self.store, space.wanted(self.held()));
        self.news.swept(|hash| self.store.has(hash));
        let written = match self.database.write_all() {
            // That is said already, and tried again.
            Err(error) if error.is_full() => Ok(()),
            written => written,
        };
        let mut swept = gone?;
        pruned?;
        partials?;
        swept.add(evicted?);
        written?;
        Ok(swept)
    }

    /// Deletes what has come of blobs that nobody went on fetching, and when room is short of all that nobody fetches now.
    fn prune_partials(&self, all: bool) -> Result<(), DepotError> {
        let mut done = Ok(());
        for (hash, _, last) in self.store.partials()? {
            // A clock that was set back makes it young: then it goes later.
            let age = last.elapsed().unwrap_or_default();
            if all || age > PARTIAL_AGE {
                done = done.and(self.store.remove_partial(hash).map(drop));
            }
        }
        Ok(done?)
    }

    /// The blobs that were read since this was last asked.
    pub(crate) fn take_used(&self) -> HashSet<H256> {
        self.store.take_used()
    }

    /// Bytes in the store.
    pub(crate) fn held(&self) -> Held {
        let (bytes, cached) = self.database.bytes();
        Held { bytes, cached }
    }

    /// A duty sheet of this chain names these models; see [`Database::sheet`].
    pub(crate) fn sheet(&self, genesis: H256, models: impl IntoIterator<Item = ModelId>) -> bool {
        self.database.sheet(genesis, models)
    }

    /// Runs disk work on a thread that may block.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, DepotError> + Send + 'static,
    ) -> Result<T, DepotError> {
        let depot = self.clone();
        joined(tokio::task::spawn_blocking(move || work(&depot)).await).unwrap_or(Err(DepotError::Stopping))
    }

    /// Sees to it that data sets stay, whatever else claims name their blobs as; see [`Database::keep`]. Doesn't block. Returns whether that
    /// has to be [written](Self::write).
    pub fn keep(&self, hashes: impl IntoIterator<Item = H256>) -> bool {
        self.database.keep(hashes)
    }

    /// Writes what is known of blobs to disk.
    ///
    /// # Errors
    /// [`DepotError::Database`]: the next start doesn't know of it, unless it can be written later.
    pub async fn write(self: &Arc<Self>) -> Result<(), DepotError> {
        self.blocking(|depot| Ok(depot.database.write_all()?)).await
    }

    /// Tells the network of the large blobs that are here already, imported or from before: whoever looks for one finds this PC.
    ///
    /// # Errors
    /// [`DepotError::Stopping`].
    pub(crate) async fn provide_stored(self: &Arc<Self>) -> Result<(), DepotError> {
        let large = self
            .blocking(|depot| Ok(depot.database.large(NetworkHandle::LARGE, TOLD)))
            .await?;
        self.news.stored_before(large).await;
        Ok(())
    }

    /// What is announced to others.
    pub(crate) fn news(&self) -> &News {
        &self.news
    }

    /// The data plane.
    pub fn network(&self) -> &NetworkHandle {
        &self.network
    }

    /// How long a blob of this size may take from somebody who means to deliver it, beside so many others, on the slowest line that is
    /// waited for, or that its owner allows.
    fn patience(&self, size: u64, beside: usize) -> Duration {
        let line = self
            .network
            .download_rate()
            .map_or(SLOWEST_LINE, |rate| rate.min(SLOWEST_LINE));
        let all = size.saturating_mul(u64::try_from(beside).unwrap_or(u64::MAX).saturating_add(1));
        PATIENCE.saturating_add(Duration::from_secs(all / line.max(1)))
    }

    /// What a blob is for; `None`: a data set. On disk when this returns.
    async fn note(self: &Arc<Self>, hash: H256, tag: Option<Tag>) -> Result<(), DepotError> {
        // As a rule it is known, and nobody needs a thread to wait.
        if self.database.knows(hash, tag) {
            return Ok(());
        }
        self.blocking(move |depot| Ok(depot.database.note(hash, tag)?))
            .await
    }
}

/// The PeerIds among `bytes` that are some; the chain doesn't promise it.
pub fn peers(bytes: &[Vec<u8>]) -> Vec<PeerId> {
    bytes
        .iter()
        .filter_map(|peer| peer_id_from_bytes(peer).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::Kind, warnings::Warnings};
    use hydra_network::{Keypair, Multiaddr, Network, NetworkConfig};

    async fn network(store: &Arc<BlobStore>, bootstrap: Vec<Multiaddr>) -> NetworkHandle {
        let mut config = NetworkConfig::new(Keypair::generate_ed25519());
        config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
        config.bootstrap = bootstrap;
        config.discovery.mdns = false;
        config.reach.assume_public = true;
        Network::start(config, store.clone()).await.unwrap()
    }

    #[tokio::test]
    async fn a_large_blob_that_was_imported_is_found_by_who_looks_for_it() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [store, others] =
            [0, 1].map(|n: usize| Arc::new(BlobStore::open(folders[n].path().join("blobs")).unwrap()));
        let database = Arc::new(Database::open(folders[0].path()).unwrap());
        let bytes = vec![7; 1 << 20];
        let hash = store.put(&bytes).unwrap();
        database.stored(hash, Purpose::DataSet, 1 << 20);
        let ours = network(&store, vec![]).await;
        let other = network(&others, ours.listen_addresses()).await;
        let depot = Arc::new(Depot::new(store, ours.clone(), database));
        depot.provide_stored().await.unwrap();
        let found = async {
            loop {
                let found = other.find_providers(hash).await;
                if !found.is_empty() {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(60), found).await;
        assert_eq!(found.unwrap(), [ours.local_peer_id()]);
    }

    #[tokio::test]
    async fn what_nobody_goes_on_fetching_goes_when_there_is_too_much() {
        const SIZE: u64 = 3 << 20;
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(BlobStore::open(folder.path().join("blobs")).unwrap());
        let network = Network::start(NetworkConfig::new(Keypair::generate_ed25519()), store.clone());
        let database = Arc::new(Database::open(folder.path()).unwrap());
        let depot = Depot::new(store.clone(), network.await.unwrap(), database);
        let [fetched, given_up] = [1, 2].map(|n| H256([n; 32]));
        let fetch = store.partial(fetched, SIZE).unwrap();
        drop(store.partial(given_up, SIZE).unwrap());
        let begun = || {
            let partials = store.partials().unwrap();
            partials
                .into_iter()
                .map(|(hash, ..)| hash)
                .collect::<HashSet<H256>>()
        };
        let tag = Tag {
            genesis: H256([9; 32]),
            model: 0,
            kind: Kind::Update,
            number: 1,
        };
        depot.put_blocking(&[7; 2000], tag).unwrap();

        let space = Space::new(folder.path(), 0, Some(1000));
        depot.tidy_blocking(&space).unwrap();
        assert_eq!(begun(), HashSet::from([fetched, given_up]));
        assert!(!space.look(depot.held(), &Warnings::default()));
        depot.tidy_blocking(&space).unwrap();
        assert_eq!(begun(), HashSet::from([fetched]), "what is being fetched stays");
        drop(fetch);
    }
}
