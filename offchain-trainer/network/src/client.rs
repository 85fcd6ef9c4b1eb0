//! Asking one peer for slices of a blob, or for which of them it has.

use crate::{
    config::Limits,
    error::PeerFault,
    lane::Use,
    pace::Pace,
    pool::Pool,
    priority::Priority,
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
use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// Bytes of memory for a slice of which nothing has come.
const FIRST: usize = 64 * 1024;
/// How often in a row somebody else's giving up may break a lane under a question.
const BROKEN: usize = 4;

/// How far a request has come, for those who watch it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    since: OnceLock<Instant>,
    received: AtomicU64,
    /// When the last of them did, in milliseconds since then.
    last: AtomicU64,
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

    /// When something last arrived, or its turn began.
    pub(crate) fn last(&self) -> Option<Instant> {
        Some(self.since()? + Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    fn note(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
        let since = self.since().map_or(Duration::ZERO, |since| since.elapsed());
        let last = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.last.store(last, Ordering::Relaxed);
    }

    /// Bytes that have arrived.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

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
    take: &mut impl Take,
) -> Result<(), PeerFault> {
    // Waiting for our own other fetches isn't the peer's fault, so it happens outside the timeouts.
    let turn = pool.turn(peer, question.hash, question.priority).await;
    let answer = exchange(pool, peer, question, limits, progress, take).await;
    drop(turn);
    // The peer has done its part; what is left to do here keeps nobody from asking it.
    let answer = take.end().await.and(answer);
    match &answer {
        Err(PeerFault::Lost(_)) => pool.distrust(peer),
        Err(PeerFault::WrongData(_) | PeerFault::WrongSize { .. }) => {
            pool.reports.fault(peer, Fault::WrongData);
        }
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
        let Some(mut reader) = used.ask(&bytes).await.map_err(lost)? else {
            continue;
        };
        progress.begin();
        let answer = read_slices(&mut *reader, pool, peer, question, limits, progress, take).await;
        drop(reader);
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
        match read_status(reader, limits.stall).await? {
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
            pace.excuse(pool.throttle.pass(class, question.hash, read as u64).await);
        }
        pool.rates.note(peer, len as u64, pace.taken(Instant::now()));
        let before = Instant::now();
        take.slice(range, claimed, bytes).await?;
        pace.excuse(before.elapsed());
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
        Err(PeerFault::WrongSize { .. }) => pool.reports.fault(peer, Fault::WrongData),
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

fn lost(error: io::Error) -> PeerFault {
    PeerFault::Lost(error.to_string())
}

fn open_fault(error: OpenStreamError) -> PeerFault {
    match error {
        OpenStreamError::UnsupportedProtocol(_) => PeerFault::NoProtocol,
        other => PeerFault::Lost(other.to_string()),
    }
}
