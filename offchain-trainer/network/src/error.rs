//! What can go wrong, in words that tell the reader what to do about it.

use crate::{size::SizeRule, wire::WireError};
use hydra_blobs::{BlobError, H256, SliceError};
use libp2p::{Multiaddr, PeerId};
use std::{net::IpAddr, time::Duration};

/// Why the network couldn't be started.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Another program listens there.
    #[error(
        "port {port} on {ip} is already in use. Stop the program that uses it (perhaps a trainer that is still running), or listen on another port"
    )]
    PortTaken {
        /// The port, of TCP or UDP.
        port: u16,
        /// The local address.
        ip: IpAddr,
    },
    /// Any other reason why the address can't be listened on.
    #[error(
        "can't listen on {address}: {reason}. Use an address of this computer, such as /ip4/0.0.0.0/tcp/30400, and a port above 1023"
    )]
    Listen {
        /// The address asked for.
        address: Multiaddr,
        /// What the system said.
        reason: String,
    },
    /// The encrypted transport couldn't be set up.
    #[error("can't set up the encrypted transport: {0}. The data-plane key must be an Ed25519 key")]
    Transport(String),
    /// The certificate for WebSocket over TLS, or one that is to be believed, can't be used.
    #[error(
        "can't use the certificate for WebSocket over TLS: {0}. It and its key must be PEM files that belong together"
    )]
    Certificate(String),
}

/// Why a peer couldn't be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The address is our own.
    #[error("{address} is this trainer itself. Dial another peer's address")]
    Ourselves {
        /// The address dialled.
        address: Multiaddr,
    },
    /// Somebody else answers there.
    #[error("{address} is answered by peer {obtained}. Check the peer's address; it may have a new key")]
    WrongPeer {
        /// The address dialled.
        address: Multiaddr,
        /// Who answered.
        obtained: PeerId,
    },
    /// Nobody answers there.
    #[error("can't reach {address}: {reason}. Check that the peer runs and that the address is right")]
    Unreachable {
        /// The address dialled.
        address: Multiaddr,
        /// What went wrong.
        reason: String,
    },
    /// The network has been shut down.
    #[error("the network has been shut down. Start it again first")]
    ShutDown,
}

/// Why a peer didn't deliver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// There is no connection to it.
    #[error("not connected")]
    NotConnected,
    /// It doesn't speak `/hydra/blob/2`.
    #[error("doesn't serve blobs")]
    NoProtocol,
    /// It doesn't have the blob.
    #[error("doesn't have it")]
    NotFound,
    /// It has too much to do.
    #[error("too busy")]
    Busy,
    /// The connection or stream broke.
    #[error("connection lost ({0})")]
    Lost(String),
    /// It has begun to get it, and has other parts of it than those that are missing.
    #[error("doesn't have all of it yet")]
    NotYet,
    /// It took too long.
    #[error("took longer than {0:?}")]
    Stalled(Duration),
    /// It sends, but so slowly that others are asked instead.
    #[error("sends too slowly")]
    Trickle,
    /// It says the blob has another size than it must have. It wasn't asked for more.
    #[error("offers {claimed} bytes where {rule}")]
    WrongSize {
        /// The size it claims, in bytes.
        claimed: u64,
        /// What was allowed.
        rule: SizeRule,
    },
    /// It sent something else than the blob.
    #[error("sent wrong data: {0}")]
    WrongData(SliceError),
    /// What it sent isn't the protocol.
    #[error("broke the protocol: {0}")]
    BadAnswer(WireError),
}

impl PeerFault {
    /// Whether asking the same peer again may help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Lost(_))
    }

    /// Whether others had better be asked first for a while: no peer does this that does as it should and isn't in trouble.
    pub(crate) fn keeps_others_waiting(&self) -> bool {
        matches!(
            self,
            Self::Lost(_) | Self::Stalled(_) | Self::Trickle | Self::WrongData(_) | Self::BadAnswer(_)
        )
    }
}

/// Why a blob couldn't be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There was nobody to ask.
    #[error(
        "can't fetch blob {hash:?}: no peer is connected. Check the network connection and the bootstrap addresses"
    )]
    NoPeers {
        /// The blob.
        hash: H256,
    },
    /// Everybody was asked, and nobody has it.
    #[error("none of the {asked} connected peers has blob {hash:?}. Try again when its owner is back")]
    NotFound {
        /// The blob.
        hash: H256,
        /// How many were asked.
        asked: usize,
    },
    /// Somebody may have it, but nobody delivered.
    #[error("no peer delivered blob {hash:?}: {}. Try again later", list(faults))]
    Failed {
        /// The blob.
        hash: H256,
        /// Each peer asked, and what was wrong with it.
        faults: Vec<(PeerId, PeerFault)>,
    },
    /// We have the blob, and its size isn't allowed: whoever declared the size was wrong.
    #[error("blob {hash:?} has {size} bytes, but {rule}. Whoever announced it gave a wrong size")]
    WrongSize {
        /// The blob.
        hash: H256,
        /// Its real size in bytes.
        size: u64,
        /// What was allowed.
        rule: SizeRule,
    },
    /// Our own disk, or a size that no blob can have.
    #[error(transparent)]
    Store(#[from] BlobError),
    /// The network has been shut down.
    #[error("the network has been shut down. Start it again first")]
    ShutDown,
}

impl From<SliceError> for FetchError {
    fn from(error: SliceError) -> Self {
        Self::Store(error.into())
    }
}

fn list(faults: &[(PeerId, PeerFault)]) -> String {
    let faults: Vec<_> = faults
        .iter()
        .map(|(peer, fault)| format!("{peer} {fault}"))
        .collect();
    faults.join(", ")
}

/// libp2p's own messages spread over lines and repeat the address; the last cause says it all.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}
