//! What a fetch does when nobody whom it knows delivers: it asks the network who has the blob.

use crate::{error::FetchError, handle::NetworkHandle, size::SizeRule};
use hydra_blobs::H256;
use libp2p::PeerId;
use std::time::Duration;

/// How long one of those who are said to have it may take to be connected.
const CONNECTING: Duration = Duration::from_secs(10);

impl NetworkHandle {
    /// Who else is said to have the blob, with at least one of them connected. `None` if that wouldn't help: the blob is too small for its
    /// providers to be told of, the fetch failed for another reason, or there is nobody.
    pub(crate) async fn found_elsewhere(
        &self,
        blob: H256,
        rule: SizeRule,
        error: &FetchError,
    ) -> Option<Vec<PeerId>> {
        let absent = matches!(
            error,
            FetchError::NoPeers { .. } | FetchError::NotFound { .. } | FetchError::Failed { .. }
        );
        if !absent || rule.limit() < Self::LARGE {
            return None;
        }
        let mut asked: Vec<PeerId> = match error {
            FetchError::Failed { faults, .. } => faults.iter().map(|(peer, _)| *peer).collect(),
            _ => self.peers().iter().map(|info| info.peer_id).collect(),
        };
        asked.push(self.local_peer_id());
        let mut others = self.find_providers(blob).await;
        others.retain(|peer| !asked.contains(peer));
        if others.is_empty() {
            return None;
        }
        let mut peers = self.watch_peers();
        let there = peers.wait_for(|peers| peers.iter().any(|info| others.contains(&info.peer_id)));
        tokio::time::timeout(CONNECTING, there).await.ok()?.ok()?;
        Some(others)
    }
}
