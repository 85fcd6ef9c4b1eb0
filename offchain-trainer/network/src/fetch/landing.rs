//! Where slices go: verified, written, noted. Each is hashed once, on a thread where that keeps nobody from receiving.

use crate::{
    buffers::Buffers, client::Take, disk::blocking, error::FetchError, error::PeerFault, size::SizeRule,
};
use hydra_blobs::{BlobError, BlobStore, H256, PartialBlob, SliceError, SliceRange, SliceSet, VerifiedSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{sync::mpsc, task::JoinHandle};

/// The blob as far as it has come. Clones share it.
#[derive(Clone)]
pub(super) struct Landing {
    store: Arc<BlobStore>,
    hash: H256,
    buffers: Buffers,
    /// Made with the first slice that was verified.
    partial: Arc<Mutex<Option<PartialBlob>>>,
}

impl Landing {
    pub(super) fn new(store: Arc<BlobStore>, hash: H256, buffers: Buffers) -> Self {
        Self {
            store,
            hash,
            buffers,
            partial: Arc::default(),
        }
    }

    /// Goes on with what an earlier fetch has left, and says how large the blob is if that is known for sure.
    pub(super) async fn resume(&self, rule: SizeRule) -> Result<Option<u64>, FetchError> {
        let landing = self.clone();
        let resume = move || {
            let found = landing.store.resume(landing.hash, |size| rule.allows(size))?;
            let Some(partial) =
                found.filter(|partial| matches!(rule, SizeRule::Exact(_)) || partial.proves_size())
            else {
                return Ok(None);
            };
            let size = partial.size();
            *landing.partial() = Some(partial);
            Ok(Some(size))
        };
        blocking(resume).await
    }

    /// Which slices are here, of a blob of `size` bytes.
    pub(super) fn slices(&self, size: u64) -> Result<SliceSet, SliceError> {
        match &*self.partial() {
            Some(partial) => Ok(partial.slices()),
            None => SliceSet::empty(size),
        }
    }

    /// Writes a slice; not again if it is here.
    pub(super) fn write(&self, slice: VerifiedSlice) -> Result<(), BlobError> {
        let partial = {
            let mut partial = self.partial();
            match &*partial {
                Some(partial) => partial.clone(),
                None => partial
                    .insert(self.store.partial(self.hash, slice.blob_size())?)
                    .clone(),
            }
        };
        partial.write(&slice)?;
        self.buffers.give(slice.into_buffer());
        Ok(())
    }

    /// Makes it part of the store; its size in bytes.
    pub(super) async fn finish(&self) -> Result<u64, FetchError> {
        let partial = self.partial().clone();
        let (store, hash) = (self.store.clone(), self.hash);
        blocking(move || match partial {
            Some(partial) => partial.finish(),
            // Only a blob of which nothing has come.
            None => store.partial(hash, 0)?.finish(),
        })
        .await
    }

    fn partial(&self) -> MutexGuard<'_, Option<PartialBlob>> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of one range of a request.
pub(super) struct Arrival {
    pub(super) id: u64,
    pub(super) range: SliceRange,
    pub(super) what: Arrived,
}

pub(super) enum Arrived {
    /// It is in the file: so many bytes.
    Slice { bytes: u64 },
    /// The peer doesn't have it yet.
    NotYet,
    /// Our own disk refused it.
    Trouble(BlobError),
}

/// Takes what one request brings, and lands it.
pub(super) struct Lander {
    /// The request's number.
    pub(super) id: u64,
    pub(super) landing: Landing,
    pub(super) arrivals: mpsc::Sender<Arrival>,
    /// The slice that is being verified and written while the next one arrives.
    pub(super) before: Option<(SliceRange, JoinHandle<Landed>)>,
}

pub(super) type Landed = Result<Result<u64, BlobError>, SliceError>;

impl Lander {
    /// Waits for the one before.
    async fn settle(&mut self) -> Result<(), PeerFault> {
        let Some((range, job)) = self.before.take() else {
            return Ok(());
        };
        let what = match job.await {
            Ok(Ok(Ok(bytes))) => Arrived::Slice { bytes },
            Ok(Ok(Err(error))) => Arrived::Trouble(error),
            Ok(Err(error)) => return Err(PeerFault::WrongData(error)),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down.
                Err(_) => return Err(PeerFault::NotConnected),
            },
        };
        self.tell(range, what).await;
        Ok(())
    }

    async fn tell(&self, range: SliceRange, what: Arrived) {
        // Fails only if the fetch has ended.
        let _ = self
            .arrivals
            .send(Arrival {
                id: self.id,
                range,
                what,
            })
            .await;
    }
}

impl Take for Lander {
    async fn slice(&mut self, range: SliceRange, size: u64, bytes: Vec<u8>) -> Result<(), PeerFault> {
        self.settle().await?;
        let landing = self.landing.clone();
        let job = tokio::task::spawn_blocking(move || {
            let slice = VerifiedSlice::verify(landing.hash, size, range, bytes)?;
            let len = slice.data().len() as u64;
            Ok(landing.write(slice).map(|()| len))
        });
        self.before = Some((range, job));
        Ok(())
    }

    async fn not_yet(&mut self, range: SliceRange) {
        self.tell(range, Arrived::NotYet).await;
    }

    async fn end(&mut self) -> Result<(), PeerFault> {
        self.settle().await
    }
}

/// Takes what one request brings, and keeps it: for those who don't know yet how large the blob is.
#[derive(Default)]
pub(super) struct Keeper {
    pub(super) hash: H256,
    pub(super) slices: Vec<VerifiedSlice>,
}

impl Take for Keeper {
    async fn slice(&mut self, range: SliceRange, size: u64, bytes: Vec<u8>) -> Result<(), PeerFault> {
        let hash = self.hash;
        let verify = move || VerifiedSlice::verify(hash, size, range, bytes);
        match tokio::task::spawn_blocking(verify).await {
            Ok(Ok(slice)) => self.slices.push(slice),
            Ok(Err(error)) => return Err(PeerFault::WrongData(error)),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(PeerFault::NotConnected),
            },
        }
        Ok(())
    }

    async fn not_yet(&mut self, _: SliceRange) {}

    async fn end(&mut self) -> Result<(), PeerFault> {
        Ok(())
    }
}
