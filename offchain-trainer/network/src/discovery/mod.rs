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

mod behaviour;
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

pub(crate) use behaviour::Behaviour;
pub(crate) use part::Discovery;

use crate::{common::Common, config::NetworkConfig};
use hydra_blobs::H256;
use libp2p::{PeerId, identity::Keypair};
use record::{Capabilities, PeerRecord};
use tokio::sync::{oneshot, watch};

/// How it is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which network's peers are looked for: the first eight digits of its genesis, say; at most 32 of a–z, 0–9 and the hyphen. PCs of
    /// networks with other names don't find each other. None: `hydra`.
    pub network: Option<String>,
    /// Whether to look for peers beyond those that are named and on the local network at all.
    pub kademlia: bool,
    /// Whether others may ask this PC. None: as soon as it knows that they can reach it.
    pub server: Option<bool>,
    /// Whether to look for peers on the local network.
    pub mdns: bool,
    /// What others are told that this PC can do.
    pub capabilities: Capabilities,
}

impl Default for Config {
    /// Kademlia, and no mDNS: networks of tests must not find each other.
    fn default() -> Self {
        Self {
            network: None,
            kademlia: true,
            server: None,
            mdns: false,
            capabilities: Capabilities::default(),
        }
    }
}

impl Config {
    /// The network's name, as far as it may be one.
    pub(crate) fn network(&self) -> String {
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
        let name: String = self
            .network
            .iter()
            .flat_map(|name| name.chars())
            .filter(allowed)
            .take(32)
            .collect();
        if name.is_empty() { "hydra".into() } else { name }
    }
}

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

/// The part in the swarm, made before there is one.
pub(crate) fn behaviour(config: &NetworkConfig, _keypair: &Keypair, common: &Common) -> Behaviour {
    behaviour::build(config, common)
}
