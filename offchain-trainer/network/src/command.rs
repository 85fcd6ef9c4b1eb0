//! What handles ask of the task that owns the swarm.

use crate::error::DialError;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

pub(crate) enum Command {
    Dial {
        address: Multiaddr,
        reply: oneshot::Sender<Result<PeerId, DialError>>,
    },
    ShutDown,
}
