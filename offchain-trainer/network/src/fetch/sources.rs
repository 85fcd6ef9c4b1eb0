//! Whom one fetch can ask, and what it thinks of them.
//!
//! Peers come and go meanwhile: who connects is asked, too, and who comes back is asked again.

use super::attempt::{Attempt, Whom};
use crate::{
    config::Limits,
    error::{FetchError, PeerFault},
    peers::PeerInfo,
    pool::Pool,
    reports::Fault,
    wire::MAX_RANGES,
};
use hydra_blobs::{Availability, H256, MAX_SLICE_SIZE, SliceSet};
use libp2p::PeerId;
use std::{collections::HashSet, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// How often in a row a peer may be busy or lose a stream before it is given up for this blob.
const STRIKES: u32 = 4;
/// A peer is asked for no more at a time than it will have sent after so many seconds.
const AHEAD: f64 = 2.0;
/// One request is for no more than takes so many seconds.
const AT_ONCE: f64 = 0.25;
/// After this time a peer that has only some slices is asked again which; doubles while it has no further one.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// The longest such time.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(8);

/// One peer, as far as this fetch is concerned.
struct Source {
    peer: PeerId,
    preferred: bool,
    /// Requests that aren't answered yet.
    requests: usize,
    /// Slices they are for.
    slices: usize,
    strikes: u32,
    /// It is late with something, or was lately: nothing else is asked of it until it delivers, or nobody else is left.
    slow: bool,
    /// Set when it isn't asked any more, or while it isn't connected.
    fault: Option<PeerFault>,
    /// What it has. Until it says so it is thought to have all.
    has: Availability,
    /// What it turned out not to have, since it last said what it has.
    lacks: HashSet<u64>,
    /// All slices that it has ever said it has.
    named: Option<SliceSet>,
    /// When to ask it what it has; none: there is no need, or it is being asked.
    ask_at: Option<Instant>,
    was_asked: bool,
    /// It has said what it has.
    has_said: bool,
    /// How long to wait before it is asked again.
    ask_again: Duration,
}

impl Source {
    fn new(peer: PeerId, preferred: bool, fault: Option<PeerFault>) -> Self {
        Self {
            peer,
            preferred,
            requests: 0,
            slices: 0,
            strikes: 0,
            slow: false,
            fault,
            has: Availability::Whole { size: 0 },
            lacks: HashSet::new(),
            named: None,
            // The preferred ones are asked at once, others with the first thing that is asked of them.
            ask_at: preferred.then(Instant::now),
            was_asked: preferred,
            has_said: false,
            ask_again: ASK_AGAIN,
        }
    }

    /// Whether it has something that is missing here and that it had never said to have: who says now less and now more can't make us
    /// wait.
    fn has_grown(&mut self, has: &SliceSet, here: &SliceSet) -> bool {
        let Some(named) = &mut self.named else {
            self.named = Some(has.clone());
            return has.iter().any(|slice| !here.contains(slice));
        };
        let mut grown = false;
        for slice in has.iter() {
            grown |= !named.contains(slice) && !here.contains(slice);
            named.insert(slice);
        }
        grown
    }

    fn is_usable(&self) -> bool {
        self.fault.is_none() && !self.slow
    }

    /// Whether it is known not to have all.
    fn is_partial(&self) -> bool {
        matches!(self.has, Availability::Some(_)) || !self.lacks.is_empty()
    }

    /// Why the blob doesn't come from it.
    fn why_not(&self) -> Option<PeerFault> {
        match (&self.fault, &self.has) {
            (Some(fault), _) => Some(fault.clone()),
            (None, Availability::None) => Some(PeerFault::NotFound),
            (None, _) => self.is_partial().then_some(PeerFault::NotYet),
        }
    }

    fn may_have(&self, index: u64) -> bool {
        let has = match &self.has {
            Availability::Some(slices) => slices.contains(index),
            Availability::Whole { .. } => true,
            Availability::None => false,
        };
        has && !self.lacks.contains(&index)
    }
}

pub(super) struct Sources<'a> {
    list: Vec<Source>,
    pool: &'a Pool,
    peers: watch::Receiver<Vec<PeerInfo>>,
    arrival: Duration,
    stall: Duration,
    slices_per_peer: usize,
    /// Until when somebody may arrive; set when nobody is left to ask, until there is progress again.
    give_up: Option<Instant>,
    /// When somebody who has only some slices last had a further one.
    news: Option<Instant>,
}

impl<'a> Sources<'a> {
    /// The preferred `providers`, and who is connected.
    pub(super) fn new(
        providers: &[PeerId],
        local: PeerId,
        peers: watch::Receiver<Vec<PeerInfo>>,
        pool: &'a Pool,
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
            pool,
            peers,
            arrival: limits.arrival,
            stall: limits.stall,
            slices_per_peer: limits.slices_per_peer,
            give_up: None,
            news: None,
        };
        sources.meet();
        sources
    }

    /// Whoever is at `index` is about to be asked for so many slices.
    pub(super) fn ask(&mut self, index: usize, slices: usize) -> Whom {
        let source = &mut self.list[index];
        if !std::mem::replace(&mut source.was_asked, true) {
            source.ask_at = Some(Instant::now());
        }
        source.requests += 1;
        source.slices += slices;
        self.whom(index)
    }

    pub(super) fn whom(&self, index: usize) -> Whom {
        let Source { peer, strikes, .. } = self.list[index];
        Whom { index, peer, strikes }
    }

    /// So many of the slices that it was asked for have come, or won't.
    pub(super) fn settled(&mut self, index: usize, slices: usize) {
        let source = &mut self.list[index];
        source.slices = source.slices.saturating_sub(slices);
    }

    /// A request to it has ended, or been called off.
    pub(super) fn ended(&mut self, index: usize) {
        let source = &mut self.list[index];
        source.requests = source.requests.saturating_sub(1);
    }

    /// It has sent a slice.
    pub(super) fn delivered(&mut self, index: usize, bytes: u64) {
        let source = &mut self.list[index];
        source.strikes = 0;
        source.slow = false;
        self.pool.late.pardon(&source.peer, Instant::now());
        self.pool.reports.useful(source.peer, bytes);
    }

    /// It was asked for a slice that it doesn't have yet.
    pub(super) fn lacks(&mut self, index: usize, slice: u64) {
        let source = &mut self.list[index];
        source.slow = false;
        // It had said that it has it.
        if source.has_said && source.may_have(slice) {
            source.strikes = source.strikes.saturating_add(1);
            if source.strikes >= STRIKES {
                source.fault.get_or_insert(PeerFault::NotYet);
            }
        }
        source.lacks.insert(slice);
        source.ask_at.get_or_insert_with(|| Instant::now() + ASK_AGAIN);
        self.news.get_or_insert_with(Instant::now);
    }

    /// Nothing else is asked of it until it delivers.
    pub(super) fn is_slow(&mut self, index: usize) {
        let source = &mut self.list[index];
        source.slow = true;
        self.pool.late.note(source.peer, Instant::now());
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
        let (mut news, now) = (false, Instant::now());
        for PeerInfo { peer_id, .. } in nearest {
            match self.list.iter_mut().find(|source| source.peer == peer_id) {
                None => {
                    let mut source = Source::new(peer_id, false, None);
                    source.slow = self.pool.late.is(&peer_id, now);
                    self.list.push(source);
                }
                Some(source) if source.fault == Some(PeerFault::NotConnected) => {
                    source.fault = None;
                    source.slow = self.pool.late.is(&peer_id, now);
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

    /// Whom to ask now which slices it has.
    pub(super) fn due_questions(&mut self) -> Vec<Whom> {
        let now = Instant::now();
        let mut due = Vec::new();
        for (index, source) in self.list.iter_mut().enumerate() {
            if source.fault.is_none() && source.ask_at.is_some_and(|at| at <= now) {
                source.ask_at = None;
                let (peer, strikes) = (source.peer, source.strikes);
                due.push(Whom { index, peer, strikes });
            }
        }
        due
    }

    /// When somebody has to be asked which slices it has.
    pub(super) fn next_question(&self) -> Option<Instant> {
        let open = self.list.iter().filter(|source| source.fault.is_none());
        open.filter_map(|source| source.ask_at).min()
    }

    /// Somebody has said what it has; `here` is what needn't be asked for. Returns what it was thought to have, and what it has.
    pub(super) fn learn(
        &mut self,
        index: usize,
        has: Availability,
        here: &SliceSet,
    ) -> (Availability, Availability) {
        let source = &mut self.list[index];
        source.lacks.clear();
        let (before, now) = (std::mem::replace(&mut source.has, has.clone()), Instant::now());
        source.has_said = true;
        let grown = match &has {
            Availability::Some(slices) => source.has_grown(slices, here),
            Availability::Whole { .. } => true,
            Availability::None => false,
        };
        source.ask_again = match grown {
            true => ASK_AGAIN,
            false => (source.ask_again * 2).min(ASK_AGAIN_MAX),
        };
        match &has {
            Availability::Some(_) => {
                source.ask_at = Some(now + source.ask_again);
                if grown {
                    self.news = Some(now);
                }
            }
            Availability::Whole { .. } => {}
            // Who was named may only be about to get it.
            Availability::None if source.preferred => source.ask_at = Some(now + source.ask_again),
            Availability::None => {
                source.fault.get_or_insert(PeerFault::NotFound);
            }
        }
        (before, has)
    }

    /// Somebody hasn't said what it has: it is asked for slices all the same, unless that was a lie.
    pub(super) fn unknown(&mut self, index: usize, fault: PeerFault) {
        let source = &mut self.list[index];
        match (&source.has, fault) {
            (_, fault @ (PeerFault::WrongSize { .. } | PeerFault::BadAnswer(_))) => {
                source.fault.get_or_insert(fault);
            }
            _ if source.is_partial() => source.ask_at = Some(Instant::now() + ASK_AGAIN_MAX),
            _ => {}
        }
    }

    /// Whether somebody may soon have what it doesn't have now.
    pub(super) fn is_anybody_getting_more(&self) -> bool {
        let arriving = |source: &Source| source.fault.is_none() && source.is_partial();
        self.list.iter().any(arriving) && self.news.is_some_and(|news| news.elapsed() < self.stall)
    }

    /// The peer to ask next for something that it has, by `wants`: of the preferred ones, or of the others if no preferred
    /// one is left that is of use and isn't slow, the one that would be done first. None of those in `not`.
    pub(super) fn next<T>(
        &self,
        not: &HashSet<usize>,
        wants: impl Fn(&dyn Fn(u64) -> bool) -> Option<T>,
    ) -> Option<(usize, T)> {
        let of_use = |preferred: bool| -> Vec<_> {
            let fresh = self.list.iter().enumerate().filter(|(index, source)| {
                source.preferred == preferred && source.is_usable() && !not.contains(index)
            });
            fresh
                .filter_map(|(index, source)| Some((index, source, wants(&|slice| source.may_have(slice))?)))
                .collect()
        };
        let mut fresh = of_use(true);
        if fresh.is_empty() {
            fresh = of_use(false);
        }
        let rate = |source: &Source| self.pool.rates.of(&source.peer);
        // Who hasn't shown yet how fast it is may be as fast as the fastest.
        let fastest = fresh
            .iter()
            .filter_map(|(_, source, _)| rate(source))
            .fold(1.0, f64::max);
        let candidates = fresh.into_iter().filter(|(_, source, _)| {
            let room = if source.strikes > 0 {
                1
            } else {
                self.slices_per_peer
            };
            source.requests < room && source.slices < self.ahead(rate(source))
        });
        let done_after =
            |source: &Source| (source.slices + 1) as f64 / rate(source).unwrap_or(fastest).max(1.0);
        candidates
            .min_by(|(_, a, _), (_, b, _)| done_after(a).total_cmp(&done_after(b)))
            .map(|(index, _, wanted)| (index, wanted))
    }

    /// Whether whoever is at `index` has a slice, as far as is known.
    pub(super) fn may_have(&self, index: usize, slice: u64) -> bool {
        self.list[index].may_have(slice)
    }

    /// How many slices a peer of this rate is asked for at a time.
    fn ahead(&self, rate: Option<f64>) -> usize {
        match rate {
            Some(rate) => ((rate * AHEAD / MAX_SLICE_SIZE as f64) as usize).max(1),
            None => self.slices_per_peer,
        }
    }

    /// For how many slices one request to this peer is.
    pub(super) fn at_once(&self, index: usize) -> usize {
        let rate = self.pool.rates.of(&self.list[index].peer);
        let slices = rate.map_or(1.0, |rate| rate * AT_ONCE / MAX_SLICE_SIZE as f64);
        (slices as usize).clamp(1, MAX_RANGES)
    }

    /// How many can be asked.
    pub(super) fn usable(&self) -> usize {
        self.list.iter().filter(|source| source.is_usable()).count()
    }

    /// What the end of a request means for its peer.
    pub(super) fn judge(&mut self, hash: H256, attempt: Attempt) {
        let source = &mut self.list[attempt.index];
        source.slow = false;
        let Err(fault) = attempt.answer else { return };
        if fault.keeps_others_waiting() {
            self.pool.late.note(source.peer, Instant::now());
        }
        tracing::debug!(peer = %source.peer, ?hash, %fault, "a peer didn't deliver");
        // Streams that break together are one event, not one each. That it is away isn't another one.
        if source.strikes == attempt.strikes && fault != PeerFault::NotConnected {
            source.strikes = source.strikes.saturating_add(1);
        }
        if source.fault.is_none() && (!fault.is_passing() || source.strikes >= STRIKES) {
            if matches!(fault, PeerFault::Busy) {
                self.pool.reports.fault(source.peer, Fault::Refused);
            }
            source.fault = Some(fault);
        }
    }

    /// Why the blob couldn't be had.
    pub(super) fn failure(&mut self, hash: H256) -> FetchError {
        let faults = self.list.iter().map(Source::why_not);
        let mut there = faults.filter(|fault| *fault != Some(PeerFault::NotConnected));
        let asked = there.clone().count();
        if asked == 0 {
            return FetchError::NoPeers { hash };
        }
        if there.all(|fault| fault == Some(PeerFault::NotFound)) {
            return FetchError::NotFound { hash, asked };
        }
        let fault = |source: Source| Some((source.peer, source.why_not()?));
        let faults = self.list.drain(..).filter_map(fault).collect();
        FetchError::Failed { hash, faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_here_and_was_never_named_is_news() {
        let set = |slices: &[u64]| {
            let mut set = SliceSet::empty(10 * MAX_SLICE_SIZE).unwrap();
            slices.iter().for_each(|slice| set.insert(*slice));
            set
        };
        let mut source = Source::new(PeerId::random(), false, None);
        let here = set(&[0, 1, 2]);
        assert!(!source.has_grown(&set(&[0]), &here));
        assert!(!source.has_grown(&set(&[0, 1]), &here), "it is here");
        assert!(source.has_grown(&set(&[0, 1, 5]), &here));
        assert!(!source.has_grown(&set(&[0]), &here));
        assert!(!source.has_grown(&set(&[0, 5]), &here), "it had said so before");
        assert!(source.has_grown(&set(&[6]), &here));
        // Of one that has never said anything, too.
        let mut source = Source::new(PeerId::random(), false, None);
        assert!(source.has_grown(&set(&[3]), &here));
    }
}
