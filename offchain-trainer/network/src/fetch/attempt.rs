//! Asking one peer for some slices of the blob, after a pause if it failed before.

use super::landing::{Arrival, Keeper, Lander, Landing};
use crate::{
    client::{Question, Take, ask, ask_availability},
    config::Limits,
    error::PeerFault,
    peers::PeerInfo,
    pool::Pool,
    priority::Priority,
    progress::Progress,
    size::SizeRule,
};
use hydra_blobs::{Availability, H256, SliceRange, VerifiedSlice};
use libp2p::PeerId;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// Pause after the first strike; doubles with each.
const STRIKE_PAUSE: Duration = Duration::from_millis(100);

/// Whom to ask: a place in the list of sources, and what is known about it.
#[derive(Clone, Copy)]
pub(super) struct Whom {
    pub(super) index: usize,
    pub(super) peer: PeerId,
    pub(super) strikes: u32,
}

/// One request to one peer has ended.
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) index: usize,
    /// The peer's strikes when it was asked.
    pub(super) strikes: u32,
    pub(super) answer: Result<(), PeerFault>,
}

/// What all requests of one fetch have in common.
pub(super) struct Asker<'a> {
    pub(super) hash: H256,
    pub(super) pool: &'a Pool,
    pub(super) limits: &'a Limits,
    pub(super) peers: watch::Receiver<Vec<PeerInfo>>,
    pub(super) priority: Priority,
}

impl<'a> Asker<'a> {
    /// Asks for `ranges` and lands them. Doesn't borrow `self`, so that several can run while results are handled.
    pub(super) fn attempt(
        &self,
        id: u64,
        whom: Whom,
        (ranges, size): (Vec<SliceRange>, u64),
        (landing, arrivals): (Landing, mpsc::Sender<Arrival>),
        progress: Arc<Progress>,
    ) -> impl Future<Output = Attempt> + use<'a> {
        let question = self.question(ranges, SizeRule::Exact(size));
        let lander = Lander {
            id,
            landing,
            arrivals,
            before: None,
        };
        let asked = self.ask(whom, question, lander, progress);
        async move {
            let (_, answer) = asked.await;
            Attempt {
                id,
                index: whom.index,
                strikes: whom.strikes,
                answer,
            }
        }
    }

    /// Asks for one range, and returns it.
    pub(super) async fn single(
        &self,
        whom: Whom,
        range: SliceRange,
        rule: SizeRule,
        progress: Arc<Progress>,
    ) -> Result<VerifiedSlice, PeerFault> {
        let keeper = Keeper {
            hash: self.hash,
            slices: Vec::new(),
        };
        let question = self.question(vec![range], rule);
        let (mut keeper, answer) = self.ask(whom, question, keeper, progress).await;
        answer?;
        // It may be arriving there, too.
        keeper.slices.pop().ok_or(PeerFault::NotFound)
    }

    /// Asks which slices of the blob of `size` bytes a peer has.
    pub(super) fn availability(
        &self,
        whom: Whom,
        size: u64,
    ) -> impl Future<Output = (usize, Result<Availability, PeerFault>)> + use<'a> {
        let (pool, limits, hash) = (self.pool, self.limits, self.hash);
        async move {
            let rule = SizeRule::Exact(size);
            let answer = ask_availability(pool, whom.peer, hash, rule, limits).await;
            (whom.index, answer)
        }
    }

    fn question(&self, ranges: Vec<SliceRange>, rule: SizeRule) -> Question {
        Question {
            hash: self.hash,
            ranges,
            rule,
            priority: self.priority,
        }
    }

    fn ask<T: Take>(
        &self,
        whom: Whom,
        question: Question,
        mut take: T,
        progress: Arc<Progress>,
    ) -> impl Future<Output = (T, Result<(), PeerFault>)> + use<'a, T> {
        let Whom { peer, strikes, .. } = whom;
        let (pool, limits, mut peers) = (self.pool, self.limits, self.peers.clone());
        async move {
            let connected = |peers: &Vec<PeerInfo>| peers.iter().any(|info| info.peer_id == peer);
            if strikes > 0 {
                let pause = STRIKE_PAUSE * (1 << (strikes - 1).min(8));
                // No use in a longer pause once it has left; that it is back shows in the list again.
                let _ = timeout(pause, peers.wait_for(|peers| !connected(peers))).await;
            }
            let connected = connected(&peers.borrow());
            let answer = match connected {
                true => ask(pool, peer, &question, limits, &progress, peers, &mut take).await,
                false => Err(PeerFault::NotConnected),
            };
            (take, answer)
        }
    }
}
