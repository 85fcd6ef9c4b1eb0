//! Serving our blobs to others.
//!
//! Peers are strangers: they may ask for nonsense, read slowly, or open as many streams as they can. So everything
//! here is bounded (streams per peer and altogether, slices in memory, time), and a bad request ends its stream.

use crate::{
    Limits,
    wire::{Header, REQUEST_SIZE, Request, decode_request, encode_header},
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_blobs::{BlobError, BlobStore, EncodedSlice};
use libp2p::{PeerId, Stream};
use libp2p_stream::IncomingStreams;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

/// Bytes that have to be taken within [`Limits::stall`].
const SEND_STEP: usize = 64 * 1024;
/// How many peers are told at a time that we are busy; the others just see their stream close.
const REFUSALS: usize = 32;

/// Serves until the network is gone. Aborting the task ends all transfers.
pub(crate) async fn serve(mut incoming: IncomingStreams, store: Arc<BlobStore>, limits: Limits) {
    let slots = Arc::new(Slots::new(&limits));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let slices = Arc::new(Semaphore::new(limits.slices_served));
    let mut streams = JoinSet::new();
    loop {
        // Ended streams are reaped at once: the set would otherwise grow with every stream ever served.
        let (peer, mut stream) = tokio::select! {
            Some(_) = streams.join_next() => continue,
            next = incoming.next() => match next {
                Some(next) => next,
                None => return,
            },
        };
        if let Some(slot) = Slots::take(&slots, peer) {
            let (store, slices, limits) = (store.clone(), slices.clone(), limits.clone());
            streams.spawn(async move {
                let ended = converse(&mut stream, &store, &slices, &limits).await;
                tracing::trace!(%peer, ?ended, "blob stream ended");
                drop(slot);
            });
        } else if let Ok(permit) = refusals.clone().try_acquire_owned() {
            let stall = limits.stall;
            streams.spawn(async move {
                let told = within(stall, refuse(&mut stream)).await;
                tracing::debug!(%peer, ?told, "too many blob streams, refused one");
                drop(permit);
            });
        }
    }
}

/// Answers requests on one stream until the peer closes it, idles, or misbehaves.
async fn converse(
    stream: &mut Stream,
    store: &Arc<BlobStore>,
    slices: &Semaphore,
    limits: &Limits,
) -> io::Result<()> {
    let mut bytes = [0; REQUEST_SIZE];
    loop {
        within(limits.idle_stream, stream.read_exact(&mut bytes)).await?;
        let request = decode_request(&bytes).map_err(io::Error::other)?;
        // Better told to come back than left waiting until it gives us up.
        let Ok(permit) = timeout(limits.stall / 2, slices.acquire()).await else {
            within(limits.stall, send_header(stream, Header::Busy)).await?;
            continue;
        };
        // The permit stands for a slice in memory; a slow reader must not keep it for long.
        within(limits.request, answer(stream, store, request, limits.stall)).await?;
        drop(permit);
    }
}

async fn answer(
    stream: &mut Stream,
    store: &Arc<BlobStore>,
    request: Request,
    stall: Duration,
) -> io::Result<()> {
    let slice = match look_up(store.clone(), request).await? {
        Found::Slice(slice) => slice,
        Found::Nothing => return within(stall, send_header(stream, Header::NotFound)).await,
        Found::Trouble => return within(stall, send_header(stream, Header::Busy)).await,
    };
    let header = Header::Found {
        total_size: slice.total_size,
    };
    within(stall, send_header(stream, header)).await?;
    for step in slice.bytes.chunks(SEND_STEP) {
        within(stall, stream.write_all(step)).await?;
    }
    within(stall, stream.flush()).await
}

enum Found {
    Slice(EncodedSlice),
    Nothing,
    /// Our disk failed; that says nothing about the blob.
    Trouble,
}

async fn look_up(store: Arc<BlobStore>, request: Request) -> io::Result<Found> {
    let cut = tokio::task::spawn_blocking(move || store.encode_slice(request.hash, request.range)).await?;
    match cut {
        Ok(Some(slice)) => Ok(Found::Slice(slice)),
        Ok(None) | Err(BlobError::Corrupt { .. }) => Ok(Found::Nothing),
        // Whoever knows the blob's size wouldn't ask for this.
        Err(BlobError::Slice(error)) => Err(io::Error::other(error)),
        Err(error) => {
            tracing::error!(%error, "can't serve a blob");
            Ok(Found::Trouble)
        }
    }
}

/// Takes the request first: closing a stream before would discard the answer with it.
async fn refuse(stream: &mut Stream) -> io::Result<()> {
    stream.read_exact(&mut [0; REQUEST_SIZE]).await?;
    send_header(stream, Header::Busy).await?;
    stream.close().await
}

async fn send_header(stream: &mut Stream, header: Header) -> io::Result<()> {
    stream.write_all(&encode_header(&header)).await?;
    stream.flush().await
}

async fn within<T>(limit: Duration, io: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, io)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// How many streams are open, per peer and altogether.
struct Slots {
    per_peer: usize,
    total: Arc<Semaphore>,
    open: Mutex<HashMap<PeerId, usize>>,
}

impl Slots {
    fn new(limits: &Limits) -> Self {
        let total = Arc::new(Semaphore::new(limits.streams));
        Self {
            per_peer: limits.streams_per_peer,
            total,
            open: Mutex::default(),
        }
    }

    fn take(slots: &Arc<Self>, peer: PeerId) -> Option<Slot> {
        let total = slots.total.clone().try_acquire_owned().ok()?;
        let mut open = slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&peer).copied().unwrap_or(0);
        if count >= slots.per_peer {
            return None;
        }
        open.insert(peer, count + 1);
        Some(Slot {
            slots: slots.clone(),
            peer,
            _total: total,
        })
    }
}

/// One open stream; gives its place back when dropped.
struct Slot {
    slots: Arc<Slots>,
    peer: PeerId,
    _total: tokio::sync::OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get(&self.peer) {
            Some(count) if *count > 1 => {
                let count = count - 1;
                open.insert(self.peer, count);
            }
            _ => {
                open.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_bounded_per_peer_and_altogether() {
        let limits = Limits {
            streams_per_peer: 2,
            streams: 3,
            ..Limits::default()
        };
        let slots = Arc::new(Slots::new(&limits));
        let [a, b] = [PeerId::random(), PeerId::random()];
        let first = Slots::take(&slots, a).unwrap();
        let _second = Slots::take(&slots, a).unwrap();
        assert!(Slots::take(&slots, a).is_none(), "per peer");
        let third = Slots::take(&slots, b).unwrap();
        assert!(Slots::take(&slots, b).is_none(), "altogether");
        drop(first);
        assert!(Slots::take(&slots, a).is_some());
        drop(third);
        assert!(
            !slots.open.lock().unwrap().contains_key(&b),
            "nothing is kept about peers that left"
        );
    }
}
