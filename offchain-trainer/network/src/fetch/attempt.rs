//! Asking one peer for one slice of the blob, after a pause if it failed before.

use crate::{
    client::{Progress, ask},
    config::Limits,
    error::PeerFault,
    peers::PeerInfo,
    pool::Pool,
    size::SizeRule,
    wire::Request,
};
use hydra_blobs::{H256, SliceRange, VerifiedSlice};
use libp2p::PeerId;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Pause after the first strike; doubles with each.
const STRIKE_PAUSE: Duration = Duration::from_millis(100);

/// Whom to ask: a place in the list of sources, and what is known about it.
#[derive(Clone, Copy)]
pub(super) struct Whom {
    pub(super) index: usize,
    pub(super) peer: PeerId,
    pub(super) strikes: u32,
}

/// One request to one peer, and what became of it.
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) index: usize,
    pub(super) range: SliceRange,
    /// The peer's strikes when it was asked.
    pub(super) strikes: u32,
    pub(super) answer: Result<VerifiedSlice, PeerFault>,
}

/// What all requests of one fetch have in common.
pub(super) struct Asker<'a> {
    pub(super) hash: H256,
    pub(super) pool: &'a Pool,
    pub(super) limits: &'a Limits,
    pub(super) peers: watch::Receiver<Vec<PeerInfo>>,
}

impl<'a> Asker<'a> {
    /// Doesn't borrow `self`, so that several can run while results are handled.
    pub(super) fn attempt(
        &self,
        id: u64,
        whom: Whom,
        range: SliceRange,
        rule: SizeRule,
        progress: Arc<Progress>,
    ) -> impl Future<Output = Attempt> + use<'a> {
        let Whom { index, peer, strikes } = whom;
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
}
