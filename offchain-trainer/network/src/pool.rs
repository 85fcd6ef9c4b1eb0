//! Streams to peers, shared by all fetches.
//!
//! A peer serves a bounded number of streams per peer; with one bound for all of our fetches together, they wait for
//! each other here instead of being turned away there. A stream that was used without trouble is kept for a while:
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
    streams_per_peer: usize,
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
    pub(crate) fn new(control: Control, streams_per_peer: usize) -> Self {
        Self {
            control,
            streams_per_peer,
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
        let idle = self.with(peer, |streams| {
            streams.idle.retain(|(_, since)| since.elapsed() < KEEP);
            streams.idle.pop()
        });
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

    /// Closes idle streams to `peer`: one of them broke, so the others may be broken too.
    pub(crate) fn forget(&self, peer: PeerId) {
        self.with(peer, |streams| streams.idle.clear());
    }

    fn with<T>(&self, peer: PeerId, f: impl FnOnce(&mut PeerStreams) -> T) -> T {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing idle and nothing in use: the entry says no more than a new one would.
        peers.retain(|other, s| {
            *other == peer || !s.idle.is_empty() || s.allowed.available_permits() < self.streams_per_peer
        });
        f(peers.entry(peer).or_insert_with(|| PeerStreams {
            allowed: Arc::new(Semaphore::new(self.streams_per_peer)),
            idle: Vec::new(),
        }))
    }
}
