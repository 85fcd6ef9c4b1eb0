//! Finding peers and who has a blob: Kademlia with signed records, and mDNS on the local network.
//!
//! What it finds goes into the book (`book.rs`); whom to dial is for the peer manager to say. A PC that can be reached keeps records
//! for others and answers them (a *server*), another one only asks. Which it is, unless it was told ([`Config::server`]): a server once an
//! address of its own is confirmed, or while all peers are in private networks or on this computer, where everybody reaches everybody.
//! The time of records and searches is the system's own: Kademlia knows no other.
//!
//! Must never store or use a record that its owner didn't sign, dial into private networks on a stranger's word, or grow with what
//! strangers send.
//!
//! Start with `part`, which is told what happens; [`record`] is what PCs tell of themselves.

pub(crate) mod behaviour;
pub(crate) mod config;
mod fetching;
mod handle;
mod lookups;
mod mdns;
mod part;
mod providing;
mod publisher;
mod reachable;
pub mod record;
mod store;
mod table;

pub use config::Config;
pub(crate) use part::Discovery;

use hydra_blobs::H256;
use libp2p::PeerId;
use record::PeerRecord;
use tokio::sync::{oneshot, watch};

/// How it stands with discovery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiscoveryInfo {
    /// Others may ask this PC.
    pub server: bool,
    /// Peers that this PC can ask, and that it tells others of.
    pub table: usize,
    /// Records of others that are kept here.
    pub records: usize,
    /// How often this PC has told others where it is.
    pub published: u64,
}

/// What handles ask of it.
pub(crate) enum Command {
    LookUp {
        peer: PeerId,
        reply: oneshot::Sender<Option<PeerRecord>>,
    },
    Provide(H256),
    StopProviding(H256),
    FindProviders {
        blob: H256,
        reply: oneshot::Sender<Vec<PeerId>>,
    },
}

/// What it shows to handles.
#[derive(Clone)]
pub(crate) struct View {
    info: watch::Receiver<DiscoveryInfo>,
}
