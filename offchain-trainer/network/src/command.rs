//! What handles ask of the task that owns the swarm.

use crate::{discovery, error::DialError, gossip, manager};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

pub(crate) enum Command {
    Dial {
        address: Multiaddr,
        reply: oneshot::Sender<Result<PeerId, DialError>>,
    },
    Manager(manager::Command),
    Discovery(discovery::Command),
    Gossip(gossip::Command),
    ShutDown,
}
