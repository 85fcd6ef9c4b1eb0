//! What handles ask of the peer manager.

use super::ban::Banned;
use crate::{
    command,
    handle::NetworkHandle,
    members::{Member, Members},
    peers::PeerInfo,
};
use libp2p::PeerId;
use std::collections::BTreeSet;
use tokio::sync::{oneshot, watch};

/// What handles ask of it.
pub(crate) enum Command {
    /// Dial these soon, for a fetch.
    Want {
        peers: Vec<PeerId>,
        /// Told when they are among those that are [coming](View).
        noted: oneshot::Sender<()>,
    },
    /// Who is or was banned lately.
    Banned(oneshot::Sender<Vec<Banned>>),
}

/// What it shows to handles.
#[derive(Clone)]
pub(crate) struct View {
    members: Members,
    /// Who is wanted and may still come.
    coming: watch::Receiver<BTreeSet<PeerId>>,
}

impl View {
    pub(super) fn new(members: Members, coming: watch::Receiver<BTreeSet<PeerId>>) -> Self {
        Self { members, coming }
    }
}

impl NetworkHandle {
    /// Says who is registered on the chain: they go before others, where there isn't room for all. While this was never said, or of nobody,
    /// everybody is treated alike. At most 250,000 are taken.
    pub fn set_members(&self, members: impl IntoIterator<Item = Member>) {
        self.views().manager.members.set(members);
    }

    /// Wants these peers to be connected soon, for a fetch: they are dialled where they are known to be, or looked up. They take no slot,
    /// so their connections end when nothing moves. [`fetch`](Self::fetch) does this by itself for its providers.
    pub async fn want(&self, peers: Vec<PeerId>) {
        let (noted, is_noted) = oneshot::channel();
        let command = Command::Want { peers, noted };
        self.command(command::Command::Manager(command)).await;
        // Fails only if the network has ended.
        let _ = is_noted.await;
    }

    /// Who did wrong and is banned, or was within a day; by PeerId.
    pub async fn banned(&self) -> Vec<Banned> {
        let (reply, answer) = oneshot::channel();
        self.command(command::Command::Manager(Command::Banned(reply)))
            .await;
        // Fails only if the network has ended.
        answer.await.unwrap_or_default()
    }

    /// Wants those of a fetch's providers that aren't connected.
    pub(crate) async fn visit(&self, providers: &[PeerId]) -> Visits {
        let mut visits = Visits {
            away: providers.iter().copied().collect(),
            coming: self.views().manager.coming.clone(),
            peers: self.views().peers.clone(),
        };
        visits.take_arrived();
        if !visits.away.is_empty() {
            self.want(visits.away.iter().copied().collect()).await;
        }
        visits
    }
}

/// The providers of one fetch that weren't connected when it began.
pub(crate) struct Visits {
    away: BTreeSet<PeerId>,
    coming: watch::Receiver<BTreeSet<PeerId>>,
    peers: watch::Receiver<Vec<PeerInfo>>,
}

impl Visits {
    /// Waits until one more of them is connected; `false` if none is on its way any more.
    pub(crate) async fn one_more(&mut self) -> bool {
        loop {
            // Looked at first: who has come is on its way no longer.
            let some_come = !self.coming.borrow_and_update().is_disjoint(&self.away);
            if self.take_arrived() {
                return true;
            }
            if !some_come {
                return false;
            }
            let ended = tokio::select! {
                changed = self.coming.changed() => changed.is_err(),
                changed = self.peers.changed() => changed.is_err(),
            };
            if ended {
                return false;
            }
        }
    }

    /// Strikes out who is connected; whether somebody is.
    fn take_arrived(&mut self) -> bool {
        let before = self.away.len();
        for peer in self.peers.borrow_and_update().iter() {
            self.away.remove(&peer.peer_id);
        }
        self.away.len() < before
    }
}
