//! What of gossip the rest of the program can ask for.

use super::{Announcement, Command, GossipCounts, Heard};
use crate::{command::Command as All, handle::NetworkHandle};
use hydra_blobs::H256;
use libp2p::PeerId;
use tokio::sync::{broadcast, oneshot};

impl NetworkHandle {
    /// Announces something to everybody, signed. It goes out as soon as somebody is there; after half a minute without, it is dropped.
    /// Nothing may depend on its arrival. Others pass on about one of a PC's each five seconds.
    pub async fn announce(&self, announcement: Announcement) {
        self.command(All::Gossip(Command::Announce(announcement))).await;
    }

    /// What others announce from now on. Who reads too slowly loses the oldest.
    pub fn announcements(&self) -> broadcast::Receiver<Heard> {
        self.views().gossip.heard.subscribe()
    }

    /// How many announcements came, from the start on.
    pub async fn gossip_counts(&self) -> GossipCounts {
        let (reply, answer) = oneshot::channel();
        self.command(All::Gossip(Command::Counts(reply))).await;
        answer.await.unwrap_or_default()
    }

    /// Who has announced that it has a blob, the newest first.
    pub(crate) fn announcers(&self, blob: H256) -> Vec<PeerId> {
        self.views().gossip.hints.of(blob)
    }
}
