//! Asking one peer for slices of a blob, or for which of them it has.

use crate::{
    config::Limits,
    error::PeerFault,
    lane::{Use, lost},
    pace::Pace,
    peers::PeerInfo,
    pool::Pool,
    priority::Priority,
    progress::Progress,
    reports::Fault,
    size::SizeRule,
    wire::{
        Request, SIZE_SIZE, Status, WireError, decode_size, decode_slices, decode_status, encode_request,
    },
};
use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use hydra_blobs::{Availability, H256, SliceRange, SliceSet, slice_len};
use libp2p::PeerId;
use libp2p_stream::OpenStreamError;
use std::{io, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// Bytes of memory for a slice of which nothing has come.
const FIRST: usize = 64 * 1024;
/// How often in a row somebody else's giving up may break a lane under a question.
const BROKEN: usize = 4;
/// For so long the news that a peer has left may take after its stream broke.
const NEWS: Duration = Duration::from_millis(100);

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) hash: H256,
    /// 1 to [`MAX_RANGES`](crate::wire::MAX_RANGES).
    pub(crate) ranges: Vec<SliceRange>,
    pub(crate) rule: SizeRule,
    pub(crate) priority: Priority,
}

/// Takes what arrives.
pub(crate) trait Take: Send {
    /// A slice as it was sent, of a blob that is said to have `size` bytes. It isn't verified: an error says what is wrong with it,
    /// or with one before it.
    fn slice(
        &mut self,
        range: SliceRange,
        size: u64,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<(), PeerFault>> + Send;

    /// The peer doesn't have this one yet.
    fn not_yet(&mut self, range: SliceRange) -> impl Future<Output = ()> + Send;

    /// That was all: what is wrong with what was taken before, if something is.
    fn end(&mut self) -> impl Future<Output = Result<(), PeerFault>> + Send;
}

/// Asks `peer` for slices, and hands each on as it arrives.
///
/// Memory: one slice, of a size that has passed the question's rule, and what `take` holds.
pub(crate) async fn ask(
    pool: &Pool,
    peer: PeerId,
    question: &Question,
    limits: &Limits,
    progress: &Progress,
    mut peers: watch::Receiver<Vec<PeerInfo>>,
    take: &mut impl Take,
) -> Result<(), PeerFault> {
    // Waiting for our own other fetches isn't the peer's fault, so it happens outside the timeouts.
    let turn = pool.turn(peer, question.hash, question.priority).await;
    let mut answer = exchange(pool, peer, question, limits, progress, take).await;
    // libp2p-stream drops, unseen, a stream that comes before the one before it was taken: once says nothing about the peer.
    if matches!(answer, Err(PeerFault::Lost(_))) && !progress.is_heard() {
        let has_left = |peers: &Vec<PeerInfo>| peers.iter().all(|info| info.peer_id != peer);
        let has_left = timeout(NEWS, peers.wait_for(has_left)).await.is_ok();
        answer = match has_left {
            true => Err(PeerFault::NotConnected),
            false => exchange(pool, peer, question, limits, progress, take).await,
        };
    }
    drop(turn);
    // The peer has done its part; what is left to do here keeps nobody from asking it.
    let waits = progress.excuse();
    let answer = take.end().await.and(answer);
    drop(waits);
    match &answer {
        Err(PeerFault::Lost(_)) => pool.distrust(peer),
        Err(PeerFault::WrongData(_)) => pool.reports.fault(peer, Fault::WrongData),
        // One of us two has been told a wrong size; we don't know who.
        Err(PeerFault::WrongSize { .. }) => pool.reports.fault(peer, Fault::Refused),
        Err(PeerFault::BadAnswer(_)) => pool.reports.fault(peer, Fault::BadMessage),
        Err(PeerFault::Trickle) => pool.reports.fault(peer, Fault::Trickle),
        _ => {}
    }
    answer
}

async fn exchange(
    pool: &Pool,
    peer: PeerId,
    question: &Question,
    limits: &Limits,
    progress: &Progress,
    take: &mut impl Take,
) -> Result<(), PeerFault> {
    let bytes = encode_request(&Request::Get {
        hash: question.hash,
        ranges: question.ranges.clone(),
    });
    for _ in 0..BROKEN {
        let opened = within(limits.stall, pool.lane(peer, question.priority)).await?;
        let mut used: Use = opened.map_err(open_fault)?;
        let Some(reader) = used.ask(&bytes, limits.stall, progress).await? else {
            progress.queue();
            continue;
        };
        let answer = read_slices(reader, pool, peer, question, limits, progress, take).await;
        if matches!(answer, Ok(()) | Err(PeerFault::NotFound)) {
            pool.keep(peer, used.done());
        }
        return answer;
    }
    Err(PeerFault::Lost(
        "streams to it were given up over and over".into(),
    ))
}

async fn read_slices(
    reader: &mut (impl AsyncRead + Unpin),
    pool: &Pool,
    peer: PeerId,
    question: &Question,
    limits: &Limits,
    progress: &Progress,
    take: &mut impl Take,
) -> Result<(), PeerFault> {
    let class = question.priority.class();
    for range in question.ranges.iter().copied() {
        let mut pace = Pace::new(limits, Instant::now());
        let status = read_status(reader, limits.stall).await?;
        progress.hear();
        match status {
            Status::Found => {}
            Status::NotFound => return Err(PeerFault::NotFound),
            Status::Busy => return Err(PeerFault::Busy),
            Status::Partly => {
                take.not_yet(range).await;
                continue;
            }
        }
        let claimed = read_size(reader, limits.stall).await?;
        if !question.rule.allows(claimed) {
            return Err(PeerFault::WrongSize {
                claimed,
                rule: question.rule,
            });
        }
        // At most a megabyte, whatever is claimed.
        let len = slice_len(claimed, range).map_err(PeerFault::WrongData)?;
        let mut bytes = pool.buffers.take();
        bytes.truncate(len);
        let mut filled = 0;
        while filled < len {
            // Memory that isn't there yet follows what has come: a promise costs nothing.
            if filled == bytes.len() {
                bytes.resize((2 * filled).max(FIRST).min(len), 0);
            }
            let left = pace.left(filled as u64, Instant::now());
            let read = timeout(left, reader.read(&mut bytes[filled..])).await;
            let read = read.map_err(|_| pace.fault(filled as u64))?.map_err(lost)?;
            if read == 0 {
                return Err(lost(io::ErrorKind::UnexpectedEof.into()));
            }
            filled += read;
            progress.note(read as u64);
            let waits = progress.excuse();
            pace.excuse(pool.throttle.pass(class, question.hash, read as u64).await);
            drop(waits);
        }
        pool.rates.note(peer, len as u64, pace.taken(Instant::now()));
        // The disk is ours.
        let waits = progress.excuse();
        take.slice(range, claimed, bytes).await?;
        drop(waits);
    }
    Ok(())
}

/// Asks `peer` which slices of a blob it has. The size it names is what `rule` allows, and not proven.
///
/// On a stream of its own: whoever is late with this isn't kept from sending slices.
pub(crate) async fn ask_availability(
    pool: &Pool,
    peer: PeerId,
    hash: H256,
    rule: SizeRule,
    limits: &Limits,
) -> Result<Availability, PeerFault> {
    let exchange = async {
        let mut stream = pool.stream(peer).await.map_err(open_fault)?;
        let question = encode_request(&Request::Have { hash });
        stream.write_all(&question).await.map_err(lost)?;
        stream.flush().await.map_err(lost)?;
        let status = read_status(&mut stream, limits.stall).await?;
        let size = match status {
            Status::NotFound => return Ok(Availability::None),
            Status::Busy => return Err(PeerFault::Busy),
            Status::Found | Status::Partly => read_size(&mut stream, limits.stall).await?,
        };
        if !rule.allows(size) {
            return Err(PeerFault::WrongSize { claimed: size, rule });
        }
        if status == Status::Found {
            return Ok(Availability::Whole { size });
        }
        let len = SliceSet::byte_len(size).map_err(|error| PeerFault::BadAnswer(error.into()))?;
        let mut bits = vec![0; len];
        stream.read_exact(&mut bits).await.map_err(lost)?;
        let slices = decode_slices(size, bits).map_err(PeerFault::BadAnswer)?;
        Ok(Availability::Some(slices))
    };
    let answer = within(limits.stall, exchange).await.and_then(|answer| answer);
    match &answer {
        Err(PeerFault::WrongSize { .. }) => pool.reports.fault(peer, Fault::Refused),
        Err(PeerFault::BadAnswer(_)) => pool.reports.fault(peer, Fault::BadMessage),
        _ => {}
    }
    answer
}

async fn read_status(reader: &mut (impl AsyncRead + Unpin), stall: Duration) -> Result<Status, PeerFault> {
    let mut byte = [0];
    within(stall, reader.read_exact(&mut byte)).await?.map_err(lost)?;
    decode_status(byte[0]).map_err(PeerFault::BadAnswer)
}

async fn read_size(reader: &mut (impl AsyncRead + Unpin), stall: Duration) -> Result<u64, PeerFault> {
    let mut bytes = [0; SIZE_SIZE];
    within(stall, reader.read_exact(&mut bytes))
        .await?
        .map_err(lost)?;
    decode_size(&bytes).map_err(|error: WireError| PeerFault::BadAnswer(error))
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, PeerFault> {
    timeout(limit, future)
        .await
        .map_err(|_| PeerFault::Stalled(limit))
}

fn open_fault(error: OpenStreamError) -> PeerFault {
    match error {
        OpenStreamError::UnsupportedProtocol(_) => PeerFault::NoProtocol,
        other => PeerFault::Lost(other.to_string()),
    }
}
