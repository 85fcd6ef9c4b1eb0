//! Asking one peer for one slice.

use crate::{
    config::Limits,
    error::PeerFault,
    pool::{Lease, Pool},
    size::SizeRule,
    wire::{HEADER_SIZE, Header, Request, decode_header, encode_request},
};
use futures::{AsyncReadExt, AsyncWriteExt};
use hydra_blobs::{GROUP_SIZE, SliceDecoder, VerifiedSlice};
use libp2p::{PeerId, Stream};
use libp2p_stream::OpenStreamError;
use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// How far a request has come, for those who watch it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    since: OnceLock<Instant>,
    received: AtomicU64,
}

impl Progress {
    /// From now on it is the peer's turn.
    pub(crate) fn begin(&self) {
        self.since.get_or_init(Instant::now);
    }

    /// Since when it is the peer's turn; `None` while we wait for our own other fetches.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since.get().copied()
    }

    /// Verified bytes that have arrived.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Asks `peer` for a slice and verifies it while it arrives.
///
/// Memory: at most the slice and one group, and nothing before the size has passed `rule`.
pub(crate) async fn ask(
    pool: &Pool,
    peer: PeerId,
    request: Request,
    rule: SizeRule,
    limits: &Limits,
    progress: &Progress,
) -> Result<VerifiedSlice, PeerFault> {
    // Waiting for our own other fetches isn't the peer's fault, so it happens outside the timeout.
    let permit = pool.permit(peer).await.ok_or(PeerFault::NotConnected)?;
    progress.begin();
    let exchange = async {
        let opened = within(limits.stall, pool.open(peer, permit)).await?;
        let mut lease: Lease = opened.map_err(open_fault)?;
        let answer = exchange(&mut lease.stream, request, rule, limits.stall, &progress.received).await;
        if matches!(answer, Ok(_) | Err(PeerFault::NotFound)) {
            pool.keep(lease);
        }
        answer
    };
    let answer = within(limits.request, exchange).await.and_then(|answer| answer);
    if matches!(answer, Err(PeerFault::Lost(_))) {
        pool.forget(peer);
    }
    answer
}

async fn exchange(
    stream: &mut Stream,
    request: Request,
    rule: SizeRule,
    stall: Duration,
    received: &AtomicU64,
) -> Result<VerifiedSlice, PeerFault> {
    let sent = async {
        stream.write_all(&encode_request(&request)).await?;
        stream.flush().await
    };
    within(stall, sent).await?.map_err(lost)?;
    let mut header = [0; HEADER_SIZE];
    within(stall, stream.read_exact(&mut header))
        .await?
        .map_err(lost)?;
    let claimed = match decode_header(&header).map_err(PeerFault::BadAnswer)? {
        Header::Found { total_size } => total_size,
        Header::NotFound => return Err(PeerFault::NotFound),
        Header::Busy => return Err(PeerFault::Busy),
    };
    if !rule.allows(claimed) {
        return Err(PeerFault::WrongSize { claimed, rule });
    }
    let mut decoder =
        SliceDecoder::new(request.hash, claimed, request.range).map_err(PeerFault::WrongData)?;
    let mut buffer = vec![0; GROUP_SIZE as usize];
    while let Some(wanted) = decoder.wants() {
        let part = &mut buffer[..wanted];
        within(stall, stream.read_exact(part)).await?.map_err(lost)?;
        decoder.feed(part).map_err(PeerFault::WrongData)?;
        received.fetch_add(wanted as u64, Ordering::Relaxed);
    }
    decoder.finish().map_err(PeerFault::WrongData)
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, PeerFault> {
    timeout(limit, future)
        .await
        .map_err(|_| PeerFault::Stalled(limit))
}

fn lost(error: io::Error) -> PeerFault {
    PeerFault::Lost(error.to_string())
}

fn open_fault(error: OpenStreamError) -> PeerFault {
    match error {
        OpenStreamError::UnsupportedProtocol(_) => PeerFault::NoProtocol,
        other => PeerFault::Lost(other.to_string()),
    }
}
