//! What all fetches share: streams to peers, how much is asked of each, how fast it is, and how fast we want to be.
//!
//! A peer serves a bounded number of slices per peer; with one bound for all of our fetches together, they wait for
//! each other here, by importance, where it isn't held against the peer, instead of being kept waiting or turned away there. A stream
//! that was used without trouble is kept for a while: opening one costs a round trip.

use crate::{
    buffers::Buffers,
    config::Limits,
    lane::{Lane, Use},
    late::Late,
    priority::Priority,
    rates::Rates,
    reports::Reports,
    throttle::Throttle,
    turns::{Turn, Turns},
    wire::PROTOCOL,
};
use hydra_blobs::H256;
use libp2p::{PeerId, Stream};
use libp2p_stream::{Control, OpenStreamError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// Well below the 30 s after which a server closes an idle stream.
pub(crate) const KEEP: Duration = Duration::from_secs(5);
/// Questions that may be open on one stream before another one is opened: one is answered while the next is on its way.
const DEPTH: usize = 2;

pub(crate) struct Pool {
    control: Control,
    per_peer: usize,
    peers: Mutex<HashMap<PeerId, PeerLanes>>,
    pub(crate) rates: Rates,
    pub(crate) late: Late,
    pub(crate) reports: Reports,
    pub(crate) buffers: Buffers,
    /// What comes in, by importance.
    pub(crate) throttle: Throttle<H256>,
}

struct PeerLanes {
    turns: Arc<Turns<H256>>,
    /// All that are open. Who uses one holds it: a broken one closes when the last of them has noticed.
    lanes: Vec<Weak<Lane>>,
    /// Those that nobody uses.
    idle: Vec<Arc<Lane>>,
    opening: usize,
}

impl Pool {
    pub(crate) fn new(control: Control, limits: &Limits, reports: Reports) -> Self {
        Self {
            control,
            per_peer: limits.slices_per_peer,
            peers: Mutex::default(),
            rates: Rates::default(),
            late: Late::default(),
            reports,
            buffers: Buffers::new(),
            throttle: Throttle::new(limits.download_rate, Priority::SPARE.len()),
        }
    }

    /// Waits until `peer` may be asked something else for the blob `hash`.
    pub(crate) async fn turn(&self, peer: PeerId, hash: H256, priority: Priority) -> Turn<H256> {
        let turns = self.with(peer, |lanes| lanes.turns.clone());
        Turns::wait(&turns, priority.class(), hash).await
    }

    /// A lane to `peer`: an idle one, a new one, or behind somebody else's question that isn't less important.
    pub(crate) async fn lane(&self, peer: PeerId, priority: Priority) -> Result<Use, OpenStreamError> {
        let most = self.per_peer.div_ceil(DEPTH).max(1);
        let class = priority.class();
        let used = self.with(peer, |known| {
            let lanes = known.lanes.iter().filter_map(Weak::upgrade);
            let lanes: Vec<_> = lanes.filter(|lane| lane.is_for(class)).collect();
            let open = lanes.len() + known.opening;
            let used = lanes
                .into_iter()
                .min_by_key(|lane| lane.users())
                .filter(|lane| lane.users() == 0 || open >= most)
                .map(|lane| Use::new(lane, class));
            known.idle.retain(|lane| lane.users() == 0);
            known.opening += usize::from(used.is_none());
            used
        });
        if let Some(used) = used {
            return Ok(used);
        }
        let opening = Opening { pool: self, peer };
        let lane = Lane::new(self.stream(peer).await?);
        drop(opening);
        self.with(peer, |known| known.lanes.push(Arc::downgrade(&lane)));
        Ok(Use::new(lane, class))
    }

    /// Keeps a lane for a while if nobody uses it any more.
    pub(crate) fn keep(&self, peer: PeerId, lane: Arc<Lane>) {
        self.with(peer, |known| {
            if lane.users() == 0 && !known.idle.iter().any(|idle| Arc::ptr_eq(idle, &lane)) {
                known.idle.push(lane);
            }
        });
    }

    /// A stream to `peer` for one question.
    pub(crate) async fn stream(&self, peer: PeerId) -> Result<Stream, OpenStreamError> {
        self.control.clone().open_stream(peer, PROTOCOL).await
    }

    /// Gives up the streams to `peer`: one of them broke, so the others may be broken too.
    pub(crate) fn distrust(&self, peer: PeerId) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = peers.get_mut(&peer) {
            known
                .lanes
                .drain(..)
                .filter_map(|lane| lane.upgrade())
                .for_each(|lane| lane.give_up());
            known.idle.clear();
        }
        forget_unused(&mut peers);
    }

    /// Closes streams that have been idle for too long.
    pub(crate) fn sweep(&self) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        sweep(&mut peers);
    }

    /// `peer` is gone.
    pub(crate) fn forget(&self, peer: PeerId) {
        self.distrust(peer);
        self.rates.forget(&peer);
    }

    fn with<T>(&self, peer: PeerId, f: impl FnOnce(&mut PeerLanes) -> T) -> T {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        // Of all peers: nobody may ever ask this one again for anything.
        sweep(&mut peers);
        f(peers.entry(peer).or_insert_with(|| PeerLanes {
            turns: Turns::new(self.per_peer, &Priority::SPARE),
            lanes: Vec::new(),
            idle: Vec::new(),
            opening: 0,
        }))
    }
}

fn sweep(peers: &mut HashMap<PeerId, PeerLanes>) {
    for known in peers.values_mut() {
        known
            .idle
            .retain(|lane| !lane.is_broken() && lane.idle().is_none_or(|idle| idle < KEEP));
        known
            .lanes
            .retain(|lane| lane.upgrade().is_some_and(|lane| !lane.is_broken()));
    }
    forget_unused(peers);
}

/// Counts as a lane until there is one, or none.
struct Opening<'a> {
    pool: &'a Pool,
    peer: PeerId,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.pool
            .with(self.peer, |known| known.opening = known.opening.saturating_sub(1));
    }
}

/// No stream, nothing in use and nobody waiting: the entry says no more than a new one would.
fn forget_unused(peers: &mut HashMap<PeerId, PeerLanes>) {
    peers.retain(|_, known| {
        !known.lanes.is_empty() || known.opening > 0 || Arc::strong_count(&known.turns) > 1
    });
}
