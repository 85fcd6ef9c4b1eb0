//! Asking peers for the time, and telling it.
//!
//! `/hydra/time/1`: who wants to know opens a stream and sends one byte, whatever it is; the answer is eight bytes, the
//! milliseconds since 1970 on the other's clock, little-endian, and the end of the stream. Asked is who has a slot, once and then every
//! [`Limits::ask_time`](crate::Limits::ask_time), and, while these are few, whoever connects; who didn't answer, sooner. Visitors come and
//! go by the dozen with each search.
//!
//! What the answers are worth is for [`clock`](crate::clock) to say. Nobody is held to have a clock that is right, so a bad
//! answer costs a peer nothing.

use crate::{
    allowance::{Allowances, Rate},
    clock::{Clock, ClockOffset, Estimator, ahead},
    manager::Slot,
    peers::PeerInfo,
    reports::{Fault, Reports},
    slots::Slots,
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, stream::FuturesUnordered};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::{Control, IncomingStreams};
use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};

/// The protocol's name on the network.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/hydra/time/1");
/// How long one exchange may take with everything, on either side: afterwards its answer says nothing any more.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after a failure a peer is asked again, each time twice as long: of two connections that were made at once, the one
/// that the question went over may just have been closed.
const AGAIN: Duration = Duration::from_secs(1);
/// As many are asked even if they have no slot.
const FEW: usize = 8;
/// Streams that one peer may have open for this: one, and one that is still closing.
const PER_PEER: usize = 2;
/// Streams that all peers together may have open for this. All that one address can have
/// ([`Limits::connections_per_address`](crate::Limits::connections_per_address) peers) are a quarter.
const TOTAL: usize = 256;
/// How often a peer may ask: many times what an honest one does, even one that comes and goes.
const QUESTIONS: Rate = Rate {
    each_second: 2.0,
    burst: 512.0,
};

/// Tells whoever asks, until the network is gone.
pub(crate) async fn serve(mut incoming: IncomingStreams, clock: Clock, reports: Reports) {
    let mut allowances = Allowances::new(QUESTIONS);
    let slots = Arc::new(Slots::new(PER_PEER, TOTAL, || ()));
    let mut streams = JoinSet::new();
    loop {
        let (peer, stream) = tokio::select! {
            Some(_) = streams.join_next() => continue,
            next = incoming.next() => match next {
                Some(next) => next,
                None => return,
            },
        };
        if !allowances.take(peer, Instant::now()) {
            reports.fault(peer, Fault::Flood);
            continue;
        }
        // Who finds no place sees the stream close, and may ask again later.
        if let Some(slot) = Slots::take(&slots, peer) {
            let clock = clock.clone();
            streams.spawn(async move {
                let told = timeout(PATIENCE, tell(stream, &clock)).await;
                tracing::trace!(%peer, ?told, "asked for the time");
                drop(slot);
            });
        }
    }
}

async fn tell(mut stream: Stream, clock: &Clock) -> io::Result<()> {
    stream.read_exact(&mut [0]).await?;
    stream.write_all(&clock.ms().to_le_bytes()).await?;
    stream.close().await
}

/// Asks the peers, and all again `every` so often; `found` shows what follows. Ends with the network.
pub(crate) async fn keep(
    control: Control,
    mut peers: watch::Receiver<Vec<PeerInfo>>,
    clock: Clock,
    every: Duration,
    found: watch::Sender<Option<ClockOffset>>,
) {
    let mut estimator = Estimator::default();
    let mut asked: HashSet<PeerId> = HashSet::new();
    let mut failures: HashMap<PeerId, u32> = HashMap::new();
    let mut asking = FuturesUnordered::new();
    let mut round = interval_at(Instant::now() + every, every);
    // After this computer has slept, one round makes up for all that were missed.
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let connected: HashMap<PeerId, Slot> = {
            let peers = peers.borrow_and_update();
            peers.iter().map(|peer| (peer.peer_id, peer.slot)).collect()
        };
        asked.retain(|peer| connected.contains_key(peer));
        // Those with a slot first: as long as they are few, others have a say, too.
        let (visitors, holders): (Vec<_>, Vec<_>) =
            connected.iter().partition(|(_, slot)| **slot == Slot::None);
        for (peer, slot) in holders.into_iter().chain(visitors) {
            if (*slot == Slot::None && asked.len() >= FEW) || !asked.insert(*peer) {
                continue;
            }
            asking.push(answer(
                control.clone(),
                *peer,
                peers.clone(),
                clock.clone(),
                Duration::ZERO,
            ));
        }
        // Whoever isn't asked again any more has said something too long ago.
        estimator.retain(|peer| asked.contains(peer));
        failures.retain(|peer, _| asked.contains(peer));
        let estimate = estimator.estimate();
        found.send_if_modified(|before| std::mem::replace(before, estimate) != estimate);
        tokio::select! {
            changed = peers.changed() => if changed.is_err() { return },
            _ = round.tick() => asked.clear(),
            Some((peer, told)) = asking.next() => {
                estimator.note(peer, told);
                if told.is_some() {
                    failures.remove(&peer);
                } else if asked.contains(&peer) {
                    let before = failures.entry(peer).or_default();
                    let wait = AGAIN.saturating_mul(2u32.saturating_pow(*before));
                    *before = before.saturating_add(1);
                    if wait < every {
                        asking.push(answer(control.clone(), peer, peers.clone(), clock.clone(), wait));
                    }
                }
            }
        }
    }
}

/// Asks `peer` after `wait`, if it is connected then: to ask one that has gone would dial it, and it would be asked again because it came.
async fn answer(
    control: Control,
    peer: PeerId,
    peers: watch::Receiver<Vec<PeerInfo>>,
    clock: Clock,
    wait: Duration,
) -> (PeerId, Option<i64>) {
    sleep(wait).await;
    if !peers.borrow().iter().any(|other| other.peer_id == peer) {
        return (peer, None);
    }
    let told = timeout(PATIENCE, ask(control, peer, &clock)).await;
    (peer, told.ok().flatten())
}

/// How far we are ahead of `peer` in milliseconds, if it tells in time.
async fn ask(mut control: Control, peer: PeerId, clock: &Clock) -> Option<i64> {
    let mut stream = control.open_stream(peer, PROTOCOL).await.ok()?;
    let sent = Instant::now();
    stream.write_all(&[0]).await.ok()?;
    stream.flush().await.ok()?;
    let mut theirs = [0; 8];
    stream.read_exact(&mut theirs).await.ok()?;
    ahead(clock.ms(), sent.elapsed(), u64::from_le_bytes(theirs))
}
