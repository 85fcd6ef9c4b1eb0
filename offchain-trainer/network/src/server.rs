//! Serving our blobs to others.
//!
//! Peers are strangers: they may ask for nonsense, read slowly, or open as many streams as they can. So everything
//! here is bounded (streams and slices in memory, per peer, per address and altogether, and time), slices and bytes go out in turn among their addresses,
//! and a bad request ends its stream. Whoever asks for what isn't here costs no look at the disk.

mod fair;

use self::fair::{Fair, LOOK};
use crate::{
    allowance::{Allowances, Rate},
    buffers::Buffers,
    config::Limits,
    error::PeerFault,
    muxer::FRAME,
    origin::{Holder, Origin},
    pace::Pace,
    peers::PeerInfo,
    refusals::Refusals,
    reports::{Fault, Reports},
    slots::Slots,
    starving::Starving,
    throttle::Throttle,
    turns::{Turn, Turns},
    wire::{
        REQUEST_HEAD, Request, RequestHead, SIZE_SIZE, Status, decode_head, decode_ranges,
        encode_availability, encode_found, encode_status, ranges_len,
    },
};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt};
use hydra_blobs::{Availability, BlobError, BlobStore, Cut, EncodedSlice, H256, SliceRange};
use libp2p::{Multiaddr, PeerId, Stream};
use libp2p_stream::IncomingStreams;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// Bytes that have to be taken within [`Limits::stall`], and that go out in one turn: whole frames of the multiplexer.
const SEND_STEP: usize = 2 * FRAME;
/// Bytes before a slice.
const HEADER: usize = 1 + SIZE_SIZE;
/// How often we look whether another program has put a blob into the folder.
const REFRESH: Duration = Duration::from_secs(5);
/// Questions of a peer that are answered without a slice: what there is of a blob, or that there is nothing. An honest one asks for dozens
/// of blobs at a time, and about each again twice a second.
const QUESTIONS: Rate = Rate {
    each_second: 200.0,
    burst: 2048.0,
};

/// What all streams share.
struct Shop {
    store: Arc<BlobStore>,
    limits: Limits,
    reports: Reports,
    buffers: Buffers,
    /// Slices in memory.
    slices: Arc<Turns<Holder>>,
    throttle: Throttle<Holder>,
    starving: Starving,
    fair: Fair,
    questions: Mutex<Allowances<PeerId>>,
}

/// Whom one stream is for, and the slices that may go to it and to its address: narrower than what may go to anybody, and so asked for
/// first, as who waits for that keeps nothing from others.
struct Customer {
    peer: PeerId,
    /// Whose turn it has.
    holder: Holder,
    shares: Vec<Arc<Semaphore>>,
}

/// The right to have one slice in memory.
struct Place {
    _shares: Vec<OwnedSemaphorePermit>,
    _turn: Turn<Holder>,
}

/// Serves until the network is gone. Aborting the task ends all transfers.
pub(crate) async fn serve(
    mut incoming: IncomingStreams,
    store: Arc<BlobStore>,
    peers: watch::Receiver<Vec<PeerInfo>>,
    limits: Limits,
    reports: Reports,
) {
    let share = limits.served_to_peer();
    let slots = Slots::new(limits.streams_per_peer, limits.streams, move || {
        Semaphore::new(share)
    });
    let slots = Arc::new(slots);
    // And all streams from one address, whoever they belong to.
    let share = limits.served_to_address();
    let addresses = Slots::new(Semaphore::MAX_PERMITS, Semaphore::MAX_PERMITS, move || {
        Semaphore::new(share)
    });
    let addresses = Arc::new(addresses);
    let share = limits.served_to_site();
    let sites = Slots::new(Semaphore::MAX_PERMITS, Semaphore::MAX_PERMITS, move || {
        Semaphore::new(share)
    });
    let sites = Arc::new(sites);
    let mut refusals = Refusals::new();
    let shop = Arc::new(Shop {
        slices: Turns::new(limits.served_at_once(), &[0]),
        throttle: Throttle::new(limits.upload_rate, 1),
        starving: Starving::default(),
        fair: Fair::new(limits.served_at_once(), 2 * limits.stall, Instant::now()),
        questions: Mutex::new(Allowances::new(QUESTIONS)),
        buffers: Buffers::new(),
        store,
        limits,
        reports,
    });
    let mut refresh = interval(REFRESH);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut streams = JoinSet::new();
    loop {
        // Ended streams are reaped at once: the set would otherwise grow with every stream ever served.
        let (peer, mut stream) = tokio::select! {
            Some(_) = streams.join_next() => continue,
            _ = refresh.tick() => {
                let store = shop.store.clone();
                streams.spawn_blocking(move || {
                    if let Err(error) = store.refresh() {
                        tracing::warn!(%error, "can't look into the blob folder");
                    }
                });
                continue;
            }
            next = incoming.next() => match next {
                Some(next) => next,
                None => return,
            },
        };
        if let Some(slot) = Slots::take(&slots, peer) {
            let (shop, peers) = (shop.clone(), peers.clone());
            let (addresses, sites) = (addresses.clone(), sites.clone());
            streams.spawn(async move {
                let Some(at) = address(peers, peer, shop.limits.stall).await else {
                    return;
                };
                // None for an address that we dialled by name: it is one that we chose.
                let origin = Origin::of(&at);
                let address = origin.and_then(|origin| Slots::take(&addresses, origin));
                let site = origin.and_then(site).and_then(|site| Slots::take(&sites, site));
                let shares = [
                    Some(&slot.shared),
                    address.as_ref().map(|address| &address.shared),
                    site.as_ref().map(|site| &site.shared),
                ];
                let customer = Customer {
                    peer,
                    holder: origin.map_or(Holder::Peer(peer), Holder::At),
                    shares: shares.into_iter().flatten().cloned().collect(),
                };
                let ended = shop.converse(&mut stream, &customer).await;
                tracing::trace!(%peer, ?ended, "blob stream ended");
                drop((slot, address, site));
            });
            continue;
        }
        if !refusals.count(peer, Instant::now()) {
            shop.reports.fault(peer, Fault::Flood);
        }
        if let Some(telling) = refusals.tell(peer) {
            let stall = shop.limits.stall;
            streams.spawn(async move {
                let told = within(stall, refuse(&mut stream)).await;
                tracing::debug!(%peer, ?told, "too many blob streams, refused one");
                drop(telling);
            });
        }
    }
}

/// The network of 2⁸⁰ addresses that an IPv6 address is in: many customers have one, and so 2¹⁶ origins.
fn site(origin: Origin) -> Option<u64> {
    match origin {
        Origin::V4(_) => None,
        Origin::V6(upper) => Some(upper >> 16),
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

impl Shop {
    /// Answers requests on one stream until the peer closes it, idles, or misbehaves.
    async fn converse(self: &Arc<Self>, stream: &mut Stream, customer: &Customer) -> io::Result<()> {
        let Limits {
            idle_stream, stall, ..
        } = self.limits;
        loop {
            let request = within(idle_stream, read_request(stream)).await?;
            let request = request.inspect_err(|_| self.reports.fault(customer.peer, Fault::BadMessage))?;
            let hash = match &request {
                Request::Get { hash, .. } | Request::Have { hash } => *hash,
            };
            let is_known = self.store.knows(hash);
            // Slices have their turns; all else is quickly asked, and without an end.
            if (!is_known || matches!(request, Request::Have { .. })) && !self.may_ask(customer.peer) {
                self.reports.fault(customer.peer, Fault::Flood);
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            // Whoever asks in vain needs no slice, and can ask elsewhere at once.
            if !is_known {
                within(stall, send(stream, &[encode_status(Status::NotFound)])).await?;
                continue;
            }
            match request {
                Request::Have { hash } => {
                    let answer = self.availability(hash).await?;
                    within(stall, send(stream, &answer)).await?;
                }
                Request::Get { hash, ranges } => self.serve(stream, customer, hash, &ranges).await?,
            }
        }
    }

    fn may_ask(&self, peer: PeerId) -> bool {
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.take(peer, Instant::now())
    }

    async fn availability(&self, hash: H256) -> io::Result<Vec<u8>> {
        let store = self.store.clone();
        let found = tokio::task::spawn_blocking(move || store.availability(hash)).await?;
        Ok(found.map_or_else(
            |error| {
                tracing::error!(%error, "can't say what there is of a blob");
                vec![encode_status(Status::Busy)]
            },
            |found: Availability| encode_availability(&found),
        ))
    }

    /// Answers one request: each range in its turn. The next one is read while this one is sent, if there is a place for it.
    async fn serve(
        self: &Arc<Self>,
        stream: &mut Stream,
        customer: &Customer,
        hash: H256,
        ranges: &[SliceRange],
    ) -> io::Result<()> {
        let stall = self.limits.stall;
        let mut ahead: Option<(Place, JoinHandle<Found>)> = None;
        for (at, range) in ranges.iter().enumerate() {
            let (place, found) = match ahead.take() {
                Some(ahead) => ahead,
                None => {
                    // Better told to come back than left waiting until it gives us up.
                    let Ok(place) = timeout(stall / 2, self.place(customer)).await else {
                        return within(stall, send(stream, &[encode_status(Status::Busy)])).await;
                    };
                    (place, self.cut(hash, *range))
                }
            };
            let found = found.await?;
            if let Some(next) = ranges.get(at + 1)
                && let Some(place) = self.place(customer).now_or_never()
            {
                ahead = Some((place, self.cut(hash, *next)));
            }
            let status = match found {
                Found::Slice(slice) => {
                    self.send_slice(stream, customer, slice).await?;
                    // It stands for a slice in memory; a slow reader must not keep it for long.
                    drop(place);
                    continue;
                }
                Found::NotYet => Status::Partly,
                Found::Nothing => Status::NotFound,
                Found::Trouble => Status::Busy,
            };
            within(stall, send(stream, &[encode_status(status)])).await?;
            if status != Status::Partly {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A place for a slice, when it is this customer's turn.
    async fn place(&self, customer: &Customer) -> Place {
        let mut shares = Vec::with_capacity(customer.shares.len());
        for share in &customer.shares {
            // Fails only if the semaphore were closed, which nobody does.
            shares.extend(share.clone().acquire_owned().await);
        }
        let waits = self.fair.wait(customer.holder);
        let turn = Turns::wait(&self.slices, 0, customer.holder).await;
        drop(waits);
        Place {
            _shares: shares,
            _turn: turn,
        }
    }

    /// Reads and verifies a slice, where that keeps nobody from sending.
    fn cut(&self, hash: H256, range: SliceRange) -> JoinHandle<Found> {
        let (store, buffer) = (self.store.clone(), self.buffers.take());
        tokio::task::spawn_blocking(move || match store.cut(hash, range, HEADER, buffer) {
            Ok(Cut::Slice(slice)) => Found::Slice(slice),
            Ok(Cut::NotYet) => Found::NotYet,
            // Of what was asked for behind the end, too: whoever asks may have been told another size, and that isn't its fault.
            Ok(Cut::Nothing) | Err(BlobError::Corrupt { .. } | BlobError::Slice(_)) => Found::Nothing,
            Err(error) => {
                tracing::error!(%error, "can't serve a blob");
                Found::Trouble
            }
        })
    }

    async fn send_slice(
        &self,
        stream: &mut Stream,
        customer: &Customer,
        mut slice: EncodedSlice,
    ) -> io::Result<()> {
        let limits = &self.limits;
        slice.bytes[..HEADER].copy_from_slice(&encode_found(slice.total_size));
        let mut pace = Pace::new(limits, Instant::now());
        let most = limits
            .pace
            .map_or(SEND_STEP, |pace| (pace as usize).clamp(1, SEND_STEP));
        let step = self.throttle.step(most);
        let mut sent = 0;
        for part in slice.bytes.chunks(step) {
            if sent > 0 && limits.pace.is_some() {
                within(limits.stall, stream.flush()).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
                pace.excuse(Duration::from_secs(1));
            }
            pace.excuse(self.throttle.pass(0, customer.holder, part.len() as u64).await);
            let left = pace.left(sent, Instant::now());
            let late = async {
                sleep(left / 4).await;
                let starves = self.starving.enter(customer.holder);
                sleep(left - left / 4).await;
                starves.is_alone()
            };
            tokio::select! {
                biased;
                written = stream.write_all(part) => written?,
                // It takes what it asked for too slowly, or not at all, unless it is our line that is slow.
                is_alone = late => {
                    if pace.fault(sent) == PeerFault::Trickle && is_alone {
                        self.reports.fault(customer.peer, Fault::Trickle);
                    }
                    return Err(io::ErrorKind::TimedOut.into());
                }
                // A bad line is no fault, and others don't wait for it.
                () = self.in_the_way(customer.holder, sent as usize + part.len(), &pace) => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            self.fair.sent(part.len(), Instant::now());
            sent += part.len() as u64;
        }
        within(limits.stall, stream.flush()).await?;
        self.buffers.give(slice.bytes);
        Ok(())
    }

    /// Ends when others wait for a place and whoever takes these bytes is slow.
    async fn in_the_way(&self, holder: Holder, bytes: usize, pace: &Pace) {
        loop {
            let now = Instant::now();
            if self.fair.is_in_the_way(holder, bytes, pace.taken(now), now) {
                return;
            }
            sleep(LOOK).await;
        }
    }
}

enum Found {
    Slice(EncodedSlice),
    NotYet,
    Nothing,
    /// Our disk failed; that says nothing about the blob.
    Trouble,
}

/// The next request, or what is wrong with it.
async fn read_request(stream: &mut Stream) -> io::Result<io::Result<Request>> {
    let mut head = [0; REQUEST_HEAD];
    stream.read_exact(&mut head).await?;
    let hash = match decode_head(&head) {
        Ok(RequestHead::Have { hash }) => return Ok(Ok(Request::Have { hash })),
        Ok(RequestHead::Get { hash }) => hash,
        Err(error) => return Ok(Err(io::Error::other(error))),
    };
    let mut count = [0];
    stream.read_exact(&mut count).await?;
    let len = match ranges_len(count[0]) {
        Ok(len) => len,
        Err(error) => return Ok(Err(io::Error::other(error))),
    };
    // 40 bytes at the most.
    let mut ranges = vec![0; len];
    stream.read_exact(&mut ranges).await?;
    let ranges = decode_ranges(&ranges).map_err(io::Error::other);
    Ok(ranges.map(|ranges| Request::Get { hash, ranges }))
}

/// Takes the request first: closing a stream before would discard the answer with it.
async fn refuse(stream: &mut Stream) -> io::Result<()> {
    read_request(stream).await??;
    send(stream, &[encode_status(Status::Busy)]).await?;
    stream.close().await
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn within<T>(limit: Duration, io: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, io)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
