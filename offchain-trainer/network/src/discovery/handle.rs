//! What of discovery the rest of the program can ask for.

use super::{Command, DiscoveryInfo, record::PeerRecord};
use crate::{command::Command as All, handle::NetworkHandle};
use hydra_blobs::H256;
use libp2p::PeerId;
use tokio::sync::oneshot;

impl NetworkHandle {
    /// Looks for a peer's record in the network, the newest there is; it is in the book then. None: nobody who was asked keeps one.
    /// Takes seconds, and up to two minutes where many don't answer.
    pub async fn look_up(&self, peer: PeerId) -> Option<PeerRecord> {
        let (reply, answer) = oneshot::channel();
        self.command(All::Discovery(Command::LookUp { peer, reply }))
            .await;
        answer.await.ok().flatten()
    }

    /// Tells the network that this PC has a blob, from now on, now and then. For blobs of [`LARGE`](Self::LARGE) or more: it costs
    /// some dozens of messages each time, and others are found by asking whoever is connected.
    pub async fn provide(&self, blob: H256) {
        self.command(All::Discovery(Command::Provide(blob))).await;
    }

    /// Tells of it no more. Those who were told forget it within a day.
    pub async fn stop_providing(&self, blob: H256) {
        self.command(All::Discovery(Command::StopProviding(blob))).await;
    }

    /// Who says that it has a blob: at most 16, in no order, without this PC. They are being dialled when this returns. Nobody has
    /// checked that they have it. Takes seconds, and up to 40 where many don't answer.
    pub async fn find_providers(&self, blob: H256) -> Vec<PeerId> {
        let (reply, answer) = oneshot::channel();
        self.command(All::Discovery(Command::FindProviders { blob, reply }))
            .await;
        let mut providers = answer.await.unwrap_or_default();
        providers.retain(|peer| *peer != self.local_peer_id());
        providers
    }

    /// How it stands with discovery.
    pub fn discovery(&self) -> DiscoveryInfo {
        *self.views().discovery.info.borrow()
    }

    /// Follows [`discovery`](Self::discovery).
    pub fn watch_discovery(&self) -> tokio::sync::watch::Receiver<DiscoveryInfo> {
        self.views().discovery.info.clone()
    }

    /// From so many bytes on a blob's providers are told of and looked for: 1 MiB.
    pub const LARGE: u64 = 1 << 20;
}
