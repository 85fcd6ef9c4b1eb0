//! Streams to peers, shared by all fetches.
//!
//! A peer serves a bounded number of slices per peer; with one bound for all of our fetches together, they wait for
//! each other here, where it isn't held against the peer, instead of being kept waiting or turned away there. A stream that was used without trouble is kept for a while:
//! opening one costs a round trip.

use crate::wire::PROTOCOL;
use libp2p::{PeerId, Stream};
use libp2p_stream::{Control, OpenStreamError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Well below the 30 s after which a server closes an idle stream.
const KEEP: Duration = Duration::from_secs(5);

pub(crate) struct Pool {
    control: Control,
    slices_per_peer: usize,
    peers: Mutex<HashMap<PeerId, PeerStreams>>,
}

struct PeerStreams {
    allowed: Arc<Semaphore>,
    idle: Vec<(Stream, Instant)>,
}

/// The right to use one stream. Dropping it closes the stream, unless it was kept.
pub(crate) struct Lease {
    pub(crate) stream: Stream,
    peer: PeerId,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(control: Control, slices_per_peer: usize) -> Self {
        Self {
            control,
            slices_per_peer,
            peers: Mutex::default(),
        }
    }

    /// Waits until another stream to `peer` is allowed.
    pub(crate) async fn permit(&self, peer: PeerId) -> Option<OwnedSemaphorePermit> {
        let allowed = self.with(peer, |streams| streams.allowed.clone());
        // Fails only if the semaphore were closed, which nobody does.
        allowed.acquire_owned().await.ok()
    }

    /// A stream to `peer`: an idle one, or a new one.
    pub(crate) async fn open(
        &self,
        peer: PeerId,
        permit: OwnedSemaphorePermit,
    ) -> Result<Lease, OpenStreamError> {
        let idle = self.with(peer, |streams| streams.idle.pop());
        let stream = match idle {
            Some((stream, _)) => stream,
            None => self.control.clone().open_stream(peer, PROTOCOL).await?,
        };
        Ok(Lease {
            stream,
            peer,
            _permit: permit,
        })
    }

    /// Keeps a stream on which the last answer has been read to its end.
    pub(crate) fn keep(&self, lease: Lease) {
        let Lease {
            stream,
            peer,
            _permit,
        } = lease;
        self.with(peer, |streams| streams.idle.push((stream, Instant::now())));
    }

    /// Closes idle streams to `peer`: it is gone, or one of them broke, so the others may be broken too.
    pub(crate) fn forget(&self, peer: PeerId) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = peers.get_mut(&peer) {
            streams.idle.clear();
        }
        forget_unused(&mut peers);
    }

    /// Closes streams that have been idle for too long.
    pub(crate) fn sweep(&self) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        sweep(&mut peers);
    }

    fn with<T>(&self, peer: PeerId, f: impl FnOnce(&mut PeerStreams) -> T) -> T {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        // Of all peers: nobody may ever ask this one again for anything.
        sweep(&mut peers);
        f(peers.entry(peer).or_insert_with(|| PeerStreams {
            allowed: Arc::new(Semaphore::new(self.slices_per_peer)),
            idle: Vec::new(),
        }))
    }
}

fn sweep(peers: &mut HashMap<PeerId, PeerStreams>) {
    for streams in peers.values_mut() {
        streams.idle.retain(|(_, since)| since.elapsed() < KEEP);
    }
    forget_unused(peers);
}

/// Nothing idle, nothing in use and nobody waiting: the entry says no more than a new one would.
fn forget_unused(peers: &mut HashMap<PeerId, PeerStreams>) {
    peers.retain(|_, streams| !streams.idle.is_empty() || Arc::strong_count(&streams.allowed) > 1);
}
