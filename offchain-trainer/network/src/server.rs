//! Serving our blobs to others.
//!
//! Peers are strangers: they may ask for nonsense, read slowly, or open as many streams as they can. So everything
//! here is bounded (streams and slices in memory, per peer, per address and altogether, and time), and a bad request ends its stream.

use crate::{
    config::Limits,
    origin::Origin,
    peers::PeerInfo,
    slots::Slots,
    wire::{Header, REQUEST_SIZE, Request, decode_request, encode_header},
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_blobs::{BlobError, BlobStore, EncodedSlice};
use libp2p::{Multiaddr, PeerId, Stream};
use libp2p_stream::IncomingStreams;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

/// Bytes that have to be taken within [`Limits::stall`].
const SEND_STEP: usize = 64 * 1024;
/// How many peers are told at a time that we are busy; the others just see their stream close.
const REFUSALS: usize = 32;

/// Serves until the network is gone. Aborting the task ends all transfers.
pub(crate) async fn serve(
    mut incoming: IncomingStreams,
    store: Arc<BlobStore>,
    peers: watch::Receiver<Vec<PeerInfo>>,
    limits: Limits,
) {
    // What a peer's streams share: the slices that may go to it.
    let share = limits.slices_per_peer;
    let slots = Slots::new(limits.streams_per_peer, limits.streams, move || {
        Semaphore::new(share)
    });
    let slots = Arc::new(slots);
    // And all streams from one address, whoever they belong to.
    let share = limits.slices_per_address;
    let addresses = Slots::new(Semaphore::MAX_PERMITS, Semaphore::MAX_PERMITS, move || {
        Semaphore::new(share)
    });
    let addresses = Arc::new(addresses);
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
            let (peers, addresses) = (peers.clone(), addresses.clone());
            streams.spawn(async move {
                let Some(at) = address(peers, peer, limits.stall).await else {
                    return;
                };
                // None for an address that we dialled by name: it is one that we chose.
                let address = Origin::of(&at).and_then(|origin| Slots::take(&addresses, origin));
                let address_share = address.as_ref().map(|address| &*address.shared);
                let shares = [Some(&*slot.shared), address_share, Some(&*slices)];
                let ended = converse(&mut stream, &store, shares, &limits).await;
                tracing::trace!(%peer, ?ended, "blob stream ended");
                drop((slot, address));
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

/// Where a peer is. A stream may be here before the news of its connection is; `None` if that never comes.
async fn address(
    mut peers: watch::Receiver<Vec<PeerInfo>>,
    peer: PeerId,
    patience: Duration,
) -> Option<Multiaddr> {
    let is_it = |info: &&PeerInfo| info.peer_id == peer;
    let there = peers.wait_for(|peers| peers.iter().any(|info| is_it(&info)));
    let peers = timeout(patience, there).await.ok()?.ok()?;
    peers.iter().find(is_it).map(|info| info.address.clone())
}

/// Answers requests on one stream until the peer closes it, idles, or misbehaves. `shares` are the slices that may go to
/// this peer, to its address, and to anybody: the narrowest first, as who waits for that keeps nothing from others.
async fn converse(
    stream: &mut Stream,
    store: &Arc<BlobStore>,
    shares: [Option<&Semaphore>; 3],
    limits: &Limits,
) -> io::Result<()> {
    let mut bytes = [0; REQUEST_SIZE];
    loop {
        within(limits.idle_stream, stream.read_exact(&mut bytes)).await?;
        let request = decode_request(&bytes).map_err(io::Error::other)?;
        // Whoever asks in vain needs no slice, and can ask elsewhere at once.
        if !is_here(store.clone(), request).await? {
            within(limits.stall, send_header(stream, Header::NotFound)).await?;
            continue;
        }
        let permits = async {
            let mut permits = Vec::with_capacity(shares.len());
            for share in shares.into_iter().flatten() {
                // Fails only if the semaphore were closed, which nobody does.
                permits.extend(share.acquire().await);
            }
            permits
        };
        // Better told to come back than left waiting until it gives us up.
        let Ok(permits) = timeout(limits.stall / 2, permits).await else {
            within(limits.stall, send_header(stream, Header::Busy)).await?;
            continue;
        };
        // The permits stand for a slice in memory; a slow reader must not keep them for long.
        within(limits.request, answer(stream, store, request, limits)).await?;
        drop(permits);
    }
}

async fn answer(
    stream: &mut Stream,
    store: &Arc<BlobStore>,
    request: Request,
    limits: &Limits,
) -> io::Result<()> {
    let stall = limits.stall;
    let slice = match look_up(store.clone(), request).await? {
        Found::Slice(slice) => slice,
        Found::Nothing => return within(stall, send_header(stream, Header::NotFound)).await,
        Found::Trouble => return within(stall, send_header(stream, Header::Busy)).await,
    };
    let header = Header::Found {
        total_size: slice.total_size,
    };
    within(stall, send_header(stream, header)).await?;
    let step = limits
        .pace
        .map_or(SEND_STEP, |pace| (pace as usize).clamp(1, SEND_STEP));
    for (sent, step) in slice.bytes.chunks(step).enumerate() {
        if sent > 0 && limits.pace.is_some() {
            within(stall, stream.flush()).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
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

async fn is_here(store: Arc<BlobStore>, request: Request) -> io::Result<bool> {
    Ok(tokio::task::spawn_blocking(move || store.has(request.hash)).await?)
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
