//! What is to be made, and what came of it.

use hydra_network::{NetworkHandle, PeerId};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddrV4,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What is to be made and measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All of them, the hostile ones included.
    pub nodes: usize,
    /// Keys, addresses, who is hostile and who looks for whom follow from it.
    pub seed: u64,
    /// Nodes that start each second, at the most: while the computer is busy with those that are there, nobody comes.
    pub starts: f64,
    /// Time for the honest nodes to settle, after all have started, at the most.
    pub settle: Duration,
    /// Pairs of honest nodes: the first looks for the second.
    pub pairs: usize,
    /// Announcements in quiet, and as many again in a flood.
    pub announcements: usize,
    /// Announcements each second.
    pub rate: f64,
    /// How many times slower clocks run.
    pub slower: u32,
    /// Whether to say how far it is.
    pub talk: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
#[allow(dead_code)] // The test prints it; the program reads all of it.
pub struct Figures {
    pub honest: usize,
    /// Before anything was measured, and in time.
    pub settled: bool,
    pub hostile: BTreeMap<&'static str, usize>,
    /// Peers in tables: least, median.
    pub table: (usize, usize),
    pub pairs: usize,
    /// The record was found, and says where the node is.
    pub found: usize,
    /// Of those that stand in an eclipse.
    pub victims: (usize, usize),
    /// A record was found that isn't the node's newest.
    pub wrong: usize,
    /// Seconds for a look-up: median, 99 of 100, longest.
    pub look_up_s: (f64, f64, f64),
    pub quiet: Reach,
    pub flooded: Reach,
    /// Announcements of hostile nodes that honest ones passed on.
    pub strange: u64,
    /// Those that ended at once where they came, in the flood.
    pub ended: u64,
    pub slots: Slots,
    pub took: Duration,
}

/// How far announcements came.
#[derive(Debug, Clone, Default)]
#[allow(dead_code)] // As above.
pub struct Reach {
    pub announcements: usize,
    /// Of all pairs of announcement and honest node: heard at all, and within 8 hops.
    pub heard: f64,
    pub within_8: f64,
    /// The announcement that fewest heard.
    pub worst: f64,
    pub hops: BTreeMap<usize, usize>,
    /// Copies of an announcement that a node got, on average, beginning with the first.
    pub copies: f64,
}

/// Who has slots at honest nodes.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// Slots of honest nodes: least, median, most.
    pub count: (usize, usize, usize),
    /// Hostile ones among those that nodes chose (long-term and exploratory).
    pub hostile_chosen: f64,
    /// The most of one address, and of one /24, at any node.
    pub one_address: usize,
    pub one_neighbourhood: usize,
    /// Different /16 among a node's slots, in hundredths of its slots: least.
    pub different_16: f64,
}

/// An honest node.
pub struct Honest {
    pub net: NetworkHandle,
    pub peer: PeerId,
    pub at: SocketAddrV4,
}

/// Who heard what of whom: author and number, then who heard it, and from whom.
pub type Log = Arc<Mutex<HashMap<(PeerId, u64), HashMap<PeerId, PeerId>>>>;
