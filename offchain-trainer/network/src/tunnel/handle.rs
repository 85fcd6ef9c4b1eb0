//! What the rest of the program says of its node, and asks for.

use super::entrance::{self, Tunnel, TunnelError};
use crate::handle::NetworkHandle;
use libp2p::PeerId;
use libp2p_stream::Control;
use tokio::sync::watch;

/// This PC's node, as others may be led to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnNode {
    /// Who it is in the nodes' network.
    pub peer: PeerId,
    /// The TCP port on 127.0.0.1 where it listens for other nodes.
    pub port: u16,
}

/// What handles need of it.
pub(crate) struct View {
    pub(crate) control: Control,
    pub(crate) own: watch::Sender<Option<OwnNode>>,
    pub(crate) carried: watch::Receiver<usize>,
}

impl NetworkHandle {
    /// Says where this PC's node is, to which other PCs' nodes are led from now on; or that there is none. Those that are connected
    /// already stay.
    pub fn set_own_node(&self, node: Option<OwnNode>) {
        self.views().tunnel.own.send_if_modified(|before| {
            let changed = *before != node;
            *before = node;
            changed
        });
    }

    /// Asks a connected trainer which node stands beside it. Don't believe it: whoever connects with that node has to have it proven.
    ///
    /// # Errors
    /// [`TunnelError`].
    pub async fn ask_node(&self, peer: PeerId) -> Result<PeerId, TunnelError> {
        entrance::ask(self.views().tunnel.control.clone(), peer).await
    }

    /// How many connections of other PCs' nodes are carried to this one's now.
    pub fn carried_nodes(&self) -> usize {
        *self.views().tunnel.carried.borrow()
    }

    /// Opens a port on 127.0.0.1 from which connections lead to the node `node` beside the trainer `peer`: this one if it is free. The
    /// trainer is connected to again when it has to be.
    ///
    /// # Errors
    /// [`TunnelError::Listen`].
    pub async fn dig_tunnel(
        &self,
        peer: PeerId,
        node: PeerId,
        port: Option<u16>,
    ) -> Result<Tunnel, TunnelError> {
        let control = self.views().tunnel.control.clone();
        entrance::dig(self.clone(), control, (peer, node), port).await
    }

    /// Whether there is a connection to it.
    pub(crate) fn is_connected(&self, peer: &PeerId) -> bool {
        self.views()
            .peers
            .borrow()
            .iter()
            .any(|info| info.peer_id == *peer)
    }
}
