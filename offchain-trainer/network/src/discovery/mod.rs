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
    /// What this PC has begun to ask others.
    pub begun: Begun,
}

/// Searches that a PC has begun, by what for: each asks some dozens of peers, and connects with those it isn't connected with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Begun {
    /// For peers whose addresses a handle asked for.
    pub asked: u64,
    /// For peers that something else here wants to reach.
    pub wanted: u64,
    /// For registered peers of which nothing is known.
    pub members: u64,
    /// For records: each peer that is searched for needs one or more of these.
    pub records: u64,
    /// For the way to a peer whose record nobody keeps.
    pub ways: u64,
    /// For nobody: to see who is there.
    pub walks: u64,
    /// Kademlia's own, while this PC knows few.
    pub refreshes: u64,
    /// To tell where this PC is.
    pub told: u64,
    /// To tell that this PC has a blob, and for those who have one.
    pub blobs: u64,
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
