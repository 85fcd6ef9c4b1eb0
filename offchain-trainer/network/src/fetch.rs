//! Getting a whole blob from several peers.
//!
//! The blob is asked for in slices of 1 MiB, several at a time, from the preferred peers, or from all others once no
//! preferred one is left or all of them are slow: a slice that doesn't arrive is asked of others as well after a second
//! ([`Limits::hedge`](crate::Limits::hedge)), and whoever delivers first is used; the others are called off. Every slice
//! is verified on arrival, so peers can be mixed freely and a liar costs one group of 16 KiB. Where the caller doesn't
//! know the size, it isn't believed until the blob's last group has proven it.
//!
//! Peers come and go meanwhile: who connects is asked, too, and who comes back is asked again.

use crate::{
    Limits, PeerFault, PeerInfo,
    client::{Progress, ask},
    handle::blocking,
    pool::Pool,
    wire::Request,
};
use futures::{
    StreamExt,
    future::{AbortHandle, abortable},
    stream::FuturesUnordered,
};
use hydra_blobs::{
    BlobError, BlobStore, H256, PartialBlob, SliceError, SliceRange, VerifiedSlice, slice_ranges,
};
use libp2p::PeerId;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedMutexGuard, watch},
    time::{Instant, timeout, timeout_at},
};

/// How often in a row a peer may be busy or lose a stream before it is given up for this blob.
const STRIKES: u32 = 4;
/// Pause after the first strike; doubles with each.
const STRIKE_PAUSE: Duration = Duration::from_millis(100);
/// Bytes a second of one request, below which it counts as late.
const SLOWEST: u64 = 32 * 1024;

/// How large a blob may be, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeRule {
    /// Exactly this: somebody accountable declared it.
    Exact(u64),
    /// At most this.
    AtMost(u64),
}

impl SizeRule {
    /// Whether a blob of `size` bytes is acceptable.
    pub fn allows(&self, size: u64) -> bool {
        match self {
            Self::Exact(exact) => size == *exact,
            Self::AtMost(limit) => size <= *limit,
        }
    }

    /// The largest acceptable size in bytes.
    pub fn limit(&self) -> u64 {
        match self {
            Self::Exact(size) | Self::AtMost(size) => *size,
        }
    }
}

impl fmt::Display for SizeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(size) => write!(f, "exactly {size} bytes are expected"),
            Self::AtMost(size) => write!(f, "at most {size} bytes are allowed"),
        }
    }
}

/// Why a blob couldn't be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There was nobody to ask.
    #[error(
        "can't fetch blob {hash:?}: no peer is connected. Check the network connection and the bootstrap addresses"
    )]
    NoPeers {
        /// The blob.
        hash: H256,
    },
    /// Everybody was asked, and nobody has it.
    #[error("none of the {asked} connected peers has blob {hash:?}. Try again when its owner is back")]
    NotFound {
        /// The blob.
        hash: H256,
        /// How many were asked.
        asked: usize,
    },
    /// Somebody may have it, but nobody delivered.
    #[error("no peer delivered blob {hash:?}: {}. Try again later", list(faults))]
    Failed {
        /// The blob.
        hash: H256,
        /// Each peer asked, and what was wrong with it.
        faults: Vec<(PeerId, PeerFault)>,
    },
    /// We have the blob, and its size isn't allowed: whoever declared the size was wrong.
    #[error("blob {hash:?} has {size} bytes, but {rule}. Whoever announced it gave a wrong size")]
    WrongSize {
        /// The blob.
        hash: H256,
        /// Its real size in bytes.
        size: u64,
        /// What was allowed.
        rule: SizeRule,
    },
    /// Our own disk, or a size that no blob can have.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// The network has been shut down.
    #[error("the network has been shut down. Start it again first")]
    ShutDown,
}

impl From<SliceError> for FetchError {
    fn from(error: SliceError) -> Self {
        Self::Store(error.into())
    }
}

fn list(faults: &[(PeerId, PeerFault)]) -> String {
    let faults: Vec<_> = faults
        .iter()
        .map(|(peer, fault)| format!("{peer} {fault}"))
        .collect();
    faults.join(", ")
}

/// One peer, as far as this fetch is concerned.
struct Source {
    peer: PeerId,
    preferred: bool,
    asked: usize,
    strikes: u32,
    /// It is late with something: nothing else is asked of it until it delivers.
    slow: bool,
    /// Set when it isn't asked any more, or while it isn't connected.
    fault: Option<PeerFault>,
}

impl Source {
    fn new(peer: PeerId, preferred: bool, fault: Option<PeerFault>) -> Self {
        Self {
            peer,
            preferred,
            asked: 0,
            strikes: 0,
            slow: false,
            fault,
        }
    }
}

/// One request to one peer that is not answered yet.
struct Open {
    index: usize,
    range: SliceRange,
    made: Instant,
    progress: Arc<Progress>,
    abort: AbortHandle,
    /// It doesn't count any more; others were asked for the same.
    late: bool,
}

impl Open {
    fn late_at(&self, hedge: Duration) -> Instant {
        // The peer's time begins with its turn. Before that we wait for ourselves, which mustn't take forever either.
        let since = self.progress.since().unwrap_or(self.made);
        since + hedge + Duration::from_millis(self.progress.received().saturating_mul(1000) / SLOWEST)
    }
}

/// One request to one peer, and what became of it.
struct Attempt {
    id: u64,
    index: usize,
    range: SliceRange,
    /// The peer's strikes when it was asked.
    strikes: u32,
    answer: Result<VerifiedSlice, PeerFault>,
}

/// One fetch.
pub(crate) struct Fetcher<'a> {
    hash: H256,
    rule: SizeRule,
    pool: &'a Pool,
    store: &'a Arc<BlobStore>,
    limits: &'a Limits,
    peers: watch::Receiver<Vec<PeerInfo>>,
    sources: Vec<Source>,
    partial: Option<PartialBlob>,
    /// Until when somebody may arrive; set when nobody is left to ask, until there is progress again.
    give_up: Option<Instant>,
}

impl<'a> Fetcher<'a> {
    #[allow(clippy::too_many_arguments)] // All of it is needed, and there is one caller.
    pub(crate) fn new(
        hash: H256,
        rule: SizeRule,
        pool: &'a Pool,
        store: &'a Arc<BlobStore>,
        limits: &'a Limits,
        peers: watch::Receiver<Vec<PeerInfo>>,
        local: PeerId,
        providers: &[PeerId],
    ) -> Self {
        let mut seen = HashSet::from([local]);
        let sources = providers
            .iter()
            .filter(|peer| seen.insert(**peer))
            .map(|peer| Source::new(*peer, true, Some(PeerFault::NotConnected)))
            .collect();
        let mut fetcher = Self {
            hash,
            rule,
            pool,
            store,
            limits,
            peers,
            sources,
            partial: None,
            give_up: None,
        };
        fetcher.meet();
        fetcher
    }

    pub(crate) async fn run(mut self) -> Result<u64, FetchError> {
        let size = match self.rule {
            SizeRule::Exact(size) => size,
            SizeRule::AtMost(_) => self.prove_size().await?,
        };
        let mut todo = slice_ranges(size)?;
        let mut missing = slice_ranges(size)?.filter(|range| !self.has(*range)).count();
        // Slices that a peer failed to deliver, or is late with.
        let mut again: Vec<SliceRange> = Vec::new();
        let mut open: HashMap<u64, Open> = HashMap::new();
        let mut next_id: u64 = 0;
        let mut running = FuturesUnordered::new();
        while missing > 0 {
            while open.values().filter(|open| !open.late).count() < self.limits.slices_fetched {
                let placed = self.place(&mut again, &open).or_else(|| {
                    let index = self.next_source(&HashSet::new())?;
                    // Proving the size may have brought two.
                    Some((todo.find(|range| !self.has(*range))?, index))
                });
                let Some((range, index)) = placed else { break };
                self.sources[index].asked += 1;
                let progress = Arc::new(Progress::default());
                next_id += 1;
                let attempt = self.attempt(next_id, index, range, SizeRule::Exact(size), progress.clone());
                let (attempt, abort) = abortable(attempt);
                running.push(attempt);
                open.insert(
                    next_id,
                    Open {
                        index,
                        range,
                        made: Instant::now(),
                        progress,
                        abort,
                        late: false,
                    },
                );
            }
            if open.is_empty() {
                if self.pardon() || self.arrival().await {
                    continue;
                }
                return Err(self.failure());
            }
            let hedge = self.limits.hedge;
            let due = open.values().filter(|open| !open.late);
            let due = due.map(|open| open.late_at(hedge)).min();
            let ended = tokio::select! {
                Some(ended) = running.next() => ended,
                () = until(due) => {
                    again.extend(self.find_late(&mut open));
                    continue;
                }
                Ok(()) = self.peers.changed() => {
                    self.meet();
                    continue;
                }
            };
            // What was called off isn't open any more.
            let Ok(attempt) = ended else { continue };
            open.remove(&attempt.id);
            self.sources[attempt.index].asked -= 1;
            let range = attempt.range;
            let slice = self.judge(attempt);
            if self.has(range) {
                continue;
            }
            match slice {
                Some(slice) => {
                    self.write(slice).await?;
                    missing -= 1;
                    again.retain(|other| *other != range);
                    self.call_off(range, &mut open);
                }
                None if again.contains(&range) => {}
                None => again.push(range),
            }
        }
        drop(running);
        match self.partial.take() {
            Some(partial) => blocking(move || partial.finish()).await,
            None => Err(self.failure()),
        }
    }

    /// One of the ranges in `again` with somebody who wasn't asked for it yet.
    fn place(&self, again: &mut Vec<SliceRange>, open: &HashMap<u64, Open>) -> Option<(SliceRange, usize)> {
        let (at, index) = again.iter().enumerate().find_map(|(at, range)| {
            let asked = open.values().filter(|open| open.range == *range);
            let index = self.next_source(&asked.map(|open| open.index).collect())?;
            Some((at, index))
        })?;
        Some((again.swap_remove(at), index))
    }

    /// Marks what has become late, and returns what to ask of others: of twice as many with each time.
    fn find_late(&mut self, open: &mut HashMap<u64, Open>) -> Vec<SliceRange> {
        let now = Instant::now();
        let mut ranges = Vec::new();
        for late in open.values_mut().filter(|open| !open.late) {
            if late.late_at(self.limits.hedge) <= now {
                late.late = true;
                // Not if it is us who are late with asking.
                self.sources[late.index].slow |= late.progress.since().is_some();
                ranges.push(late.range);
            }
        }
        let copies = |range: &SliceRange| {
            let asked = open.values().filter(|open| open.range == *range).count();
            std::iter::repeat_n(*range, asked + 1)
        };
        ranges.iter().flat_map(copies).collect()
    }

    /// Ends the requests for a slice that is here: it would be sent again, and late answers would count against peers.
    fn call_off(&mut self, range: SliceRange, open: &mut HashMap<u64, Open>) {
        open.retain(|_, other| {
            if other.range != range {
                return true;
            }
            other.abort.abort();
            let source = &mut self.sources[other.index];
            source.asked -= 1;
            // It was delivering, only later than somebody else.
            if other.progress.received() > 0 {
                source.slow = false;
            }
            false
        });
    }

    /// Lets those be asked again that were only late; whether there are any.
    fn pardon(&mut self) -> bool {
        let late = self.sources.iter_mut().filter(|s| s.slow && s.fault.is_none());
        late.map(|source| source.slow = false).count() > 0
    }

    /// Takes note of who has connected, nearest first; whether there is somebody new to ask.
    fn meet(&mut self) -> bool {
        let mut nearest = self.peers.borrow_and_update().clone();
        nearest.sort_by_key(|info| info.latency.unwrap_or(Duration::MAX));
        let mut news = false;
        for PeerInfo { peer_id, .. } in nearest {
            match self.sources.iter_mut().find(|source| source.peer == peer_id) {
                None => self.sources.push(Source::new(peer_id, false, None)),
                Some(source) if source.fault == Some(PeerFault::NotConnected) => {
                    source.fault = None;
                    source.slow = false;
                }
                Some(_) => continue,
            }
            news = true;
        }
        news
    }

    /// Waits until there is somebody new to ask, if a provider is away that may come, or come back.
    async fn arrival(&mut self) -> bool {
        let away = |source: &Source| source.fault == Some(PeerFault::NotConnected);
        if !self.sources.iter().any(away) {
            return false;
        }
        let arrival = self.limits.arrival;
        let give_up = *self.give_up.get_or_insert_with(|| Instant::now() + arrival);
        while let Ok(Ok(())) = timeout_at(give_up, self.peers.changed()).await {
            if self.meet() {
                return true;
            }
        }
        false
    }

    fn has(&self, range: SliceRange) -> bool {
        self.partial.as_ref().is_some_and(|partial| partial.has(range))
    }

    /// Finds a peer that proves how large the blob is. Keeps what it sent for that.
    async fn prove_size(&mut self) -> Result<u64, FetchError> {
        loop {
            // Everyone gets a moment first, and who needed longer is waited for only after that.
            for hurried in [true, false] {
                self.pardon();
                while let Some(index) = self.next_source(&HashSet::new()) {
                    match self.proof(index, hurried).await {
                        Ok(slices) => {
                            let size = slices.first().map_or(0, VerifiedSlice::blob_size);
                            for slice in slices {
                                self.write(slice).await?;
                            }
                            // Who was late with the proof may be in time with the rest.
                            self.pardon();
                            return Ok(size);
                        }
                        // Given up, unless it is only in doubt.
                        Err(error) => error.map_or(Ok(()), Err)?,
                    }
                    if self.sources[index].fault.is_none() {
                        self.sources[index].slow = true;
                    }
                    self.meet();
                }
            }
            if !self.arrival().await {
                return Err(self.failure());
            }
        }
    }

    /// What proves the blob's size, from one peer: its first slice, and its last if that is another one.
    async fn proof(&mut self, index: usize, hurried: bool) -> Result<Vec<VerifiedSlice>, Option<FetchError>> {
        let (first, rule) = (SliceRange::first(), self.rule);
        let Some(first) = self.insist(index, first, rule, hurried).await else {
            return Err(None);
        };
        if first.proves_size() {
            return Ok(vec![first]);
        }
        let size = first.blob_size();
        let last = slice_ranges(size)
            .map_err(|error| Some(error.into()))?
            .next_back();
        let Some(last) = last else { return Err(None) };
        // If the size is a lie, this is where it falls: nobody can make a last group that fits.
        match self.insist(index, last, SizeRule::Exact(size), hurried).await {
            Some(last) => Ok(vec![first, last]),
            None => Err(None),
        }
    }

    /// Asks one peer for one slice: if `hurried`, once and for a moment, otherwise until it delivers or is given up.
    async fn insist(
        &mut self,
        index: usize,
        range: SliceRange,
        rule: SizeRule,
        hurried: bool,
    ) -> Option<VerifiedSlice> {
        while self.sources[index].fault.is_none() {
            let progress = Arc::<Progress>::default();
            let attempt = self.attempt(0, index, range, rule, progress.clone());
            let attempt = tokio::select! {
                attempt = attempt => attempt,
                () = moment(&progress, self.limits.hedge), if hurried => return None,
            };
            match self.judge(attempt) {
                None if !hurried => {}
                slice => return slice,
            }
        }
        None
    }

    /// Doesn't borrow `self`, so that several can run while results are handled.
    fn attempt(
        &self,
        id: u64,
        index: usize,
        range: SliceRange,
        rule: SizeRule,
        progress: Arc<Progress>,
    ) -> impl Future<Output = Attempt> + use<'a> {
        let Source { peer, strikes, .. } = self.sources[index];
        let (pool, limits, mut peers) = (self.pool, self.limits, self.peers.clone());
        let request = Request {
            hash: self.hash,
            range,
        };
        async move {
            let connected = |peers: &Vec<PeerInfo>| peers.iter().any(|info| info.peer_id == peer);
            if strikes > 0 {
                let pause = STRIKE_PAUSE * (1 << (strikes - 1).min(8));
                // No use in a longer pause once it has left; that it is back shows in the list again.
                let _ = timeout(pause, peers.wait_for(|peers| !connected(peers))).await;
            }
            let connected = connected(&peers.borrow());
            let answer = match connected {
                true => ask(pool, peer, request, rule, limits, &progress).await,
                false => Err(PeerFault::NotConnected),
            };
            Attempt {
                id,
                index,
                range,
                strikes,
                answer,
            }
        }
    }

    /// The peer to ask next: the least busy of the preferred ones, or of the others if no preferred one is left that
    /// isn't slow. None of those in `not`.
    fn next_source(&self, not: &HashSet<usize>) -> Option<usize> {
        let usable = |source: &Source| source.fault.is_none() && !source.slow;
        let fresh = self.sources.iter().enumerate();
        let fresh: Vec<_> = fresh
            .filter(|(index, source)| usable(source) && !not.contains(index))
            .collect();
        let preferred = fresh.iter().any(|(_, source)| source.preferred);
        let candidates = fresh.into_iter().filter(|(_, source)| {
            let room = if source.strikes > 0 {
                1
            } else {
                self.limits.slices_per_peer
            };
            source.preferred == preferred && source.asked < room
        });
        candidates
            .min_by_key(|(_, source)| source.asked)
            .map(|(index, _)| index)
    }

    /// What an attempt means for its peer; returns the slice if there is one.
    fn judge(&mut self, attempt: Attempt) -> Option<VerifiedSlice> {
        let source = &mut self.sources[attempt.index];
        source.slow = false;
        let fault = match attempt.answer {
            Ok(slice) => {
                source.strikes = 0;
                return Some(slice);
            }
            Err(fault) => fault,
        };
        tracing::debug!(peer = %source.peer, hash = ?self.hash, %fault, "a peer didn't deliver");
        // Streams that break together are one event, not one each. That it is away isn't another one.
        if source.strikes == attempt.strikes && fault != PeerFault::NotConnected {
            source.strikes = source.strikes.saturating_add(1);
        }
        if source.fault.is_none() && (!fault.is_passing() || source.strikes >= STRIKES) {
            source.fault = Some(fault);
        }
        None
    }

    /// The file is only made once a slice of it has been verified.
    async fn write(&mut self, slice: VerifiedSlice) -> Result<(), FetchError> {
        self.give_up = None;
        let (partial, store, hash) = (self.partial.take(), self.store.clone(), self.hash);
        let written = blocking(move || {
            let mut partial = match partial {
                Some(partial) => partial,
                None => store.partial(hash, slice.blob_size())?,
            };
            partial.write(&slice)?;
            Ok(partial)
        });
        self.partial = Some(written.await?);
        Ok(())
    }

    fn failure(&mut self) -> FetchError {
        let hash = self.hash;
        let faults = self.sources.iter().map(|source| source.fault.as_ref());
        let mut there = faults.filter(|fault| *fault != Some(&PeerFault::NotConnected));
        let asked = there.clone().count();
        if asked == 0 {
            return FetchError::NoPeers { hash };
        }
        if there.all(|fault| fault == Some(&PeerFault::NotFound)) {
            return FetchError::NotFound { hash, asked };
        }
        let faults = self
            .sources
            .drain(..)
            .filter_map(|s| Some((s.peer, s.fault?)))
            .collect();
        FetchError::Failed { hash, faults }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Ends when we have waited `limit` for our turn to ask, or from then on `limit` for the peer.
async fn moment(progress: &Progress, limit: Duration) {
    tokio::time::sleep(limit).await;
    if let Some(since) = progress.since() {
        tokio::time::sleep_until(since + limit).await;
    }
}

/// Lets one fetch per blob run at a time.
#[derive(Default)]
pub(crate) struct Gates {
    gates: Mutex<HashMap<H256, Arc<tokio::sync::Mutex<()>>>>,
}

/// Held while a blob is being fetched.
pub(crate) struct Gate<'a> {
    gates: &'a Gates,
    hash: H256,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Gates {
    pub(crate) async fn enter(&self, hash: H256) -> Gate<'_> {
        let mutex = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            gates.entry(hash).or_default().clone()
        };
        // Made first, so that a caller that gives up waiting cleans up as well.
        let mut gate = Gate {
            gates: self,
            hash,
            guard: None,
        };
        gate.guard = Some(mutex.lock_owned().await);
        gate
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let mut gates = self.gates.gates.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        // Nobody else waits or holds it.
        if gates
            .get(&self.hash)
            .is_some_and(|mutex| Arc::strong_count(mutex) == 1)
        {
            gates.remove(&self.hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_time_begins_with_its_turn() {
        let hedge = Duration::from_secs(1);
        let made = Instant::now() - hedge / 2;
        let open = Open {
            index: 0,
            range: SliceRange::first(),
            made,
            progress: Arc::default(),
            abort: AbortHandle::new_pair().0,
            late: false,
        };
        assert_eq!(
            open.late_at(hedge),
            made + hedge,
            "our own queue may not take forever"
        );
        open.progress.begin();
        assert!(open.late_at(hedge) >= made + hedge / 2 + hedge);
    }
}
