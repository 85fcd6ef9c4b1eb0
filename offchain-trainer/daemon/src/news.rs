//! What this trainer announces to others: large blobs that it has anew, and that it comes, pauses or goes.
//!
//! It speeds things up, and nothing may wait for it or depend on it. What others announce is the data plane's business: it asks them first.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use hydra_network::{
    NetworkHandle,
    gossip::{Announcement, Have},
};
use hydra_primitives::H256;

/// Blobs that others are told of: as many as the data plane takes.
pub(crate) const TOLD: usize = 1024;

/// Announces through the data plane.
#[derive(Debug)]
pub(crate) struct News {
    network: NetworkHandle,
    paused: Mutex<bool>,
    /// The blobs that others are told of, the oldest first.
    told: Mutex<Vec<H256>>,
}

impl News {
    /// Says that this trainer is there.
    pub(crate) fn new(network: NetworkHandle) -> Self {
        let news = Self {
            network,
            paused: Mutex::new(false),
            told: Mutex::new(Vec::new()),
        };
        news.announce(Announcement::Coming);
        news
    }

    /// A blob is here and may be had by everybody. Small ones are asked for faster than announced.
    pub(crate) fn stored(&self, hash: H256, size: u64) {
        if size < NetworkHandle::LARGE {
            return;
        }
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.contains(&hash) {
                return;
            }
            if told.len() >= TOLD {
                told.remove(0);
            }
            told.push(hash);
        }
        self.announce(Announcement::NewBlob {
            hash,
            size,
            have: Have::Whole,
        });
        let network = self.network.clone();
        in_background(async move { network.provide(hash).await });
    }

    /// These blobs, the one used last first, are here for a while already. Whoever looks for one finds this PC; nobody is told without asking.
    pub(crate) async fn stored_before(&self, blobs: Vec<H256>) {
        let new: Vec<H256> = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let room = TOLD.saturating_sub(told.len());
            let known: HashSet<H256> = told.iter().copied().collect();
            let new = blobs.into_iter().filter(|hash| !known.contains(hash)).take(room);
            let new: Vec<H256> = new.collect();
            // They go before what has come since, which is newer.
            told.splice(..0, new.iter().rev().copied());
            new
        };
        // What is told last is provided first.
        for hash in new.into_iter().rev() {
            self.network.provide(hash).await;
        }
    }

    /// Some blobs may have been deleted: of those that `has` knows no more, nothing is told any more.
    pub(crate) fn swept(&self, has: impl Fn(H256) -> bool) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<H256> = told.extract_if(.., |hash| !has(*hash)).collect();
        drop(told);
        if !gone.is_empty() {
            let network = self.network.clone();
            in_background(async move {
                for hash in gone {
                    network.stop_providing(hash).await;
                }
            });
        }
    }

    /// Whether its owner has paused this PC, as each sheet says.
    pub(crate) fn standing(&self, paused: bool) {
        let mut before = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *before, paused) != paused {
            self.announce(Announcement::Pausing { paused });
        }
    }

    /// Says that this trainer is about to stop.
    pub(crate) async fn going(&self) {
        self.network.announce(Announcement::Going).await;
    }

    fn announce(&self, announcement: Announcement) {
        let network = self.network.clone();
        in_background(async move { network.announce(announcement).await });
    }
}

/// Whoever has news is often on a thread that may block, and never waits.
fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
