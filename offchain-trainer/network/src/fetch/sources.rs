//! Whom one fetch can ask, and what it thinks of them.
//!
//! Peers come and go meanwhile: who connects is asked, too, and who comes back is asked again.

use super::attempt::{Attempt, Whom};
use crate::{
    config::Limits,
    error::{FetchError, PeerFault},
    peers::PeerInfo,
};
use hydra_blobs::{H256, VerifiedSlice};
use libp2p::PeerId;
use std::{collections::HashSet, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// How often in a row a peer may be busy or lose a stream before it is given up for this blob.
const STRIKES: u32 = 4;

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

pub(super) struct Sources {
    list: Vec<Source>,
    peers: watch::Receiver<Vec<PeerInfo>>,
    arrival: Duration,
    slices_per_peer: usize,
    /// Until when somebody may arrive; set when nobody is left to ask, until there is progress again.
    give_up: Option<Instant>,
}

impl Sources {
    /// The preferred `providers`, and who is connected.
    pub(super) fn new(
        providers: &[PeerId],
        local: PeerId,
        peers: watch::Receiver<Vec<PeerInfo>>,
        limits: &Limits,
    ) -> Self {
        let mut seen = HashSet::from([local]);
        let list = providers
            .iter()
            .filter(|peer| seen.insert(**peer))
            .map(|peer| Source::new(*peer, true, Some(PeerFault::NotConnected)))
            .collect();
        let mut sources = Self {
            list,
            peers,
            arrival: limits.arrival,
            slices_per_peer: limits.slices_per_peer,
            give_up: None,
        };
        sources.meet();
        sources
    }

    /// Whoever is at `index` is about to be asked.
    pub(super) fn ask(&mut self, index: usize) -> Whom {
        self.list[index].asked += 1;
        self.whom(index)
    }

    pub(super) fn whom(&self, index: usize) -> Whom {
        let Source { peer, strikes, .. } = self.list[index];
        Whom { index, peer, strikes }
    }

    /// A request to it has ended, or been called off.
    pub(super) fn ended(&mut self, index: usize) {
        self.list[index].asked -= 1;
    }

    /// Nothing else is asked of it until it delivers.
    pub(super) fn is_slow(&mut self, index: usize) {
        self.list[index].slow = true;
    }

    /// It was delivering, only later than somebody else.
    pub(super) fn is_not_slow(&mut self, index: usize) {
        self.list[index].slow = false;
    }

    pub(super) fn is_given_up(&self, index: usize) -> bool {
        self.list[index].fault.is_some()
    }

    /// Something has arrived.
    pub(super) fn progress(&mut self) {
        self.give_up = None;
    }

    /// Lets those be asked again that were only late; whether there are any.
    pub(super) fn pardon(&mut self) -> bool {
        let late = self.list.iter_mut().filter(|s| s.slow && s.fault.is_none());
        late.map(|source| source.slow = false).count() > 0
    }

    /// Waits until the list of connected peers has changed; `false` when the network has ended.
    pub(super) async fn changed(&mut self) -> bool {
        self.peers.changed().await.is_ok()
    }

    /// Takes note of who has connected, nearest first; whether there is somebody new to ask.
    pub(super) fn meet(&mut self) -> bool {
        let mut nearest = self.peers.borrow_and_update().clone();
        nearest.sort_by_key(|info| info.latency.unwrap_or(Duration::MAX));
        let mut news = false;
        for PeerInfo { peer_id, .. } in nearest {
            match self.list.iter_mut().find(|source| source.peer == peer_id) {
                None => self.list.push(Source::new(peer_id, false, None)),
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
    pub(super) async fn arrival(&mut self) -> bool {
        let away = |source: &Source| source.fault == Some(PeerFault::NotConnected);
        if !self.list.iter().any(away) {
            return false;
        }
        let arrival = self.arrival;
        let give_up = *self.give_up.get_or_insert_with(|| Instant::now() + arrival);
        while let Ok(true) = timeout_at(give_up, self.changed()).await {
            if self.meet() {
                return true;
            }
        }
        false
    }

    /// The peer to ask next: the least busy of the preferred ones, or of the others if no preferred one is left that
    /// isn't slow. None of those in `not`.
    pub(super) fn next(&self, not: &HashSet<usize>) -> Option<usize> {
        let usable = |source: &Source| source.fault.is_none() && !source.slow;
        let fresh = self.list.iter().enumerate();
        let fresh: Vec<_> = fresh
            .filter(|(index, source)| usable(source) && !not.contains(index))
            .collect();
        let preferred = fresh.iter().any(|(_, source)| source.preferred);
        let candidates = fresh.into_iter().filter(|(_, source)| {
            let room = if source.strikes > 0 {
                1
            } else {
                self.slices_per_peer
            };
            source.preferred == preferred && source.asked < room
        });
        candidates
            .min_by_key(|(_, source)| source.asked)
            .map(|(index, _)| index)
    }

    /// What an attempt means for its peer; returns the slice if there is one.
    pub(super) fn judge(&mut self, hash: H256, attempt: Attempt) -> Option<VerifiedSlice> {
        let source = &mut self.list[attempt.index];
        source.slow = false;
        let fault = match attempt.answer {
            Ok(slice) => {
                source.strikes = 0;
                return Some(slice);
            }
            Err(fault) => fault,
        };
        tracing::debug!(peer = %source.peer, ?hash, %fault, "a peer didn't deliver");
        // Streams that break together are one event, not one each. That it is away isn't another one.
        if source.strikes == attempt.strikes && fault != PeerFault::NotConnected {
            source.strikes = source.strikes.saturating_add(1);
        }
        if source.fault.is_none() && (!fault.is_passing() || source.strikes >= STRIKES) {
            source.fault = Some(fault);
        }
        None
    }

    /// Why the blob couldn't be had.
    pub(super) fn failure(&mut self, hash: H256) -> FetchError {
        let faults = self.list.iter().map(|source| source.fault.as_ref());
        let mut there = faults.filter(|fault| *fault != Some(&PeerFault::NotConnected));
        let asked = there.clone().count();
        if asked == 0 {
            return FetchError::NoPeers { hash };
        }
        if there.all(|fault| fault == Some(&PeerFault::NotFound)) {
            return FetchError::NotFound { hash, asked };
        }
        let faults = self
            .list
            .drain(..)
            .filter_map(|s| Some((s.peer, s.fault?)))
            .collect();
        FetchError::Failed { hash, faults }
    }
}
