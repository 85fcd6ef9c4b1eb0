//! What the parts of the network tell about peers: who does harm, and who is of use.
//!
//! Here it is only told; what follows from it is the peer manager's business.

use libp2p::PeerId;

/// What a peer did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // Not every part reports yet.
pub(crate) enum Fault {
    /// It sent something else than what its hash says.
    WrongData,
    /// What it sent isn't the protocol.
    BadMessage,
    /// It sends or takes so slowly that it costs more than it brings.
    Trickle,
    /// It asks for more than its share, over and over.
    Flood,
    /// It refused what it should do.
    Refused,
    /// What it passed on isn't valid.
    Invalid,
    /// It can't be reached.
    Unreachable,
}

/// Where to tell. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {}

impl Reports {
    /// `peer` did something wrong.
    pub(crate) fn fault(&self, peer: PeerId, fault: Fault) {
        tracing::debug!(%peer, ?fault, "a peer did something wrong");
    }

    /// `peer` sent so many verified bytes.
    pub(crate) fn useful(&self, peer: PeerId, bytes: u64) {
        tracing::trace!(%peer, bytes, "a peer was of use");
    }
}
