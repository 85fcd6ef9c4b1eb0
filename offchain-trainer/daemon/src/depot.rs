//! Blobs, wherever they are: on our disk, or at other trainers.
//!
//! Everything that is stored for a round or a version goes through here, so that the ledger knows when it may go. What is on our
//! disk is served to whoever asks for it by its hash, so what nobody may have yet must never get here. Must never fetch more
//! bytes than the caller says a blob has.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_network::{FetchError, NetworkHandle, PeerId, SizeRule, peer_id_from_bytes};
use hydra_primitives::{BlobRef, H256, ModelId, RoundNumber, Version};

use crate::{
    append::AppendError,
    intact::Intact,
    joined,
    ledger::{Ledger, Tag},
    news::News,
};

/// How long a blob may take besides its bytes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes a second of the slowest line that is waited for.
const SLOWEST_LINE: u64 = 128 * 1024;

/// Why a blob can't be stored or had.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// Nobody has it, or nobody delivered.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Our own disk.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// The list of what may be deleted can't be written.
    #[error("can't write the list of blobs {}: {source}. Check free disk space and the folder's permissions", path.display())]
    Ledger {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: AppendError,
    },
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

/// The store, the network behind it, and the rule by which blobs are deleted.
#[derive(Debug)]
pub struct Depot {
    store: Arc<BlobStore>,
    network: NetworkHandle,
    ledger: Ledger,
    ledger_path: PathBuf,
    intact: Intact,
    news: News,
}

impl Depot {
    /// A depot over these; `ledger_path` is where the ledger's file is or will be.
    ///
    /// # Errors
    /// [`DepotError::Ledger`].
    pub fn new(
        store: Arc<BlobStore>,
        network: NetworkHandle,
        ledger_path: PathBuf,
    ) -> Result<Self, DepotError> {
        let ledger = Ledger::open(&ledger_path).map_err(|source| DepotError::Ledger {
            path: ledger_path.clone(),
            source: AppendError::Write(source),
        })?;
        Ok(Self {
            store,
            news: News::new(network.clone()),
            network,
            ledger,
            ledger_path,
            intact: Intact::default(),
        })
    }

    /// Stores a blob. Blocks; it is on disk when this returns.
    ///
    /// # Errors
    /// [`DepotError`].
    pub fn put_blocking(&self, bytes: &[u8], tag: Tag) -> Result<H256, DepotError> {
        self.note(hydra_primitives::content_hash(bytes), tag)?;
        let hash = self.store.put(bytes)?;
        self.news.stored(hash, bytes.len() as u64);
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
        self.note(hash, tag)?;
        let written = self.store.put_written(hash, write)?;
        if let (true, Some(size)) = (written, self.store.size(hash)?) {
            self.news.stored(hash, size);
        }
        Ok(written)
    }

    /// The blob's bytes: from our disk, else from `first`, else from any peer. `tag` is `None` for data sets, which stay.
    ///
    /// # Errors
    /// [`DepotError`].
    pub async fn get(
        &self,
        blob: BlobRef,
        first: Vec<PeerId>,
        tag: Option<Tag>,
    ) -> Result<Vec<u8>, DepotError> {
        self.note_or_keep(blob.hash, tag)?;
        Ok(self
            .network
            .fetch_bytes(blob.hash, SizeRule::Exact(blob.size), first)
            .await?)
    }

    /// As [`get`](Self::get), but the blob stays on our disk. What is there already isn't looked at.
    ///
    /// # Errors
    /// [`DepotError`].
    pub async fn fetch(&self, blob: BlobRef, first: Vec<PeerId>, tag: Option<Tag>) -> Result<(), DepotError> {
        self.note_or_keep(blob.hash, tag)?;
        let rule = SizeRule::Exact(blob.size);
        self.network.fetch(blob.hash, rule, first).await?;
        self.news.stored(blob.hash, blob.size);
        Ok(())
    }

    /// As [`fetch`](Self::fetch), but nobody can keep us waiting: `first` has `patience` to deliver, then everybody has,
    /// `then` before the rest.
    ///
    /// # Errors
    /// [`DepotError`].
    pub async fn fetch_soon(
        &self,
        blob: BlobRef,
        first: Vec<PeerId>,
        then: Vec<PeerId>,
        tag: Option<Tag>,
    ) -> Result<(), DepotError> {
        let waited = patience(blob.size);
        if let Ok(fetched) = tokio::time::timeout(waited, self.fetch(blob, first.clone(), tag)).await {
            return fetched;
        }
        let then = then.into_iter().filter(|peer| !first.contains(peer)).collect();
        let late = DepotError::TooSlow {
            hash: blob.hash,
            waited: waited.saturating_mul(2),
        };
        tokio::time::timeout(waited, self.fetch(blob, then, tag))
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
                    Ok(_) | Err(BlobError::Corrupt { .. }) => {}
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
        self.blocking(move |depot| Ok(depot.intact.open(&depot.store, blob)?))
            .await
    }

    /// Deletes what is no longer kept; see [`Ledger::sweep`].
    ///
    /// # Errors
    /// [`DepotError::Store`].
    pub async fn sweep(
        self: &Arc<Self>,
        at: (H256, ModelId, RoundNumber, Version),
        needed: HashSet<H256>,
    ) -> Result<usize, DepotError> {
        self.blocking(move |depot| {
            let swept = depot.ledger.sweep(&depot.store, at, &needed)?;
            depot.news.swept(|hash| depot.store.has(hash));
            Ok(swept)
        })
        .await
    }

    /// Runs disk work on a thread that may block.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, DepotError> + Send + 'static,
    ) -> Result<T, DepotError> {
        let depot = self.clone();
        joined(tokio::task::spawn_blocking(move || work(&depot)).await).unwrap_or(Err(DepotError::Stopping))
    }

    /// Sees to it that data sets stay, whatever else claims name their blobs as; see [`Ledger::keep`].
    ///
    /// # Errors
    /// [`DepotError::Ledger`]: the next start doesn't know of it.
    pub fn keep(&self, hashes: impl IntoIterator<Item = H256>) -> Result<(), DepotError> {
        self.ledger
            .keep(hashes)
            .map_err(|source| self.ledger_error(source))
    }

    /// What is announced to others.
    pub(crate) fn news(&self) -> &News {
        &self.news
    }

    /// The data plane.
    pub fn network(&self) -> &NetworkHandle {
        &self.network
    }

    fn note_or_keep(&self, hash: H256, tag: Option<Tag>) -> Result<(), DepotError> {
        match tag {
            Some(tag) => self.note(hash, tag),
            None => self.keep([hash]),
        }
    }

    fn note(&self, hash: H256, tag: Tag) -> Result<(), DepotError> {
        let noted = self.ledger.note(&self.store, hash, tag);
        noted.map_err(|source| self.ledger_error(source))
    }

    fn ledger_error(&self, source: AppendError) -> DepotError {
        DepotError::Ledger {
            path: self.ledger_path.clone(),
            source,
        }
    }
}

/// How long a blob of this size may take from somebody who means to deliver it.
fn patience(size: u64) -> Duration {
    PATIENCE.saturating_add(Duration::from_secs(size / SLOWEST_LINE))
}

/// The PeerIds among `bytes` that are some; the chain doesn't promise it.
pub fn peers(bytes: &[Vec<u8>]) -> Vec<PeerId> {
    bytes
        .iter()
        .filter_map(|peer| peer_id_from_bytes(peer).ok())
        .collect()
}
