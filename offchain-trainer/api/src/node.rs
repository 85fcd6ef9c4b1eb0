//! What a node and its trainer tell each other so that nodes reach each other through their trainers.

use serde::{Deserialize, Serialize};

/// So many connected nodes are named at the most: with as many, nobody needs more.
pub const MAX_NODE_PEERS: usize = 64;

/// What a node says of itself every few seconds, for as long as it wants to be led to others and to have others led to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeReport {
    /// Who it is in the nodes' network.
    pub peer_id: String,
    /// The TCP port on 127.0.0.1 where it listens for other nodes; null if it doesn't there.
    pub port: Option<u16>,
    /// The nodes that it is connected with, [`MAX_NODE_PEERS`] at the most.
    pub peers: Vec<String>,
}

/// All ways to other nodes that are open now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct NodeTunnels {
    /// One for each node.
    pub tunnels: Vec<NodeTunnel>,
}

/// A way to another node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeTunnel {
    /// Who that node is, as its trainer says. It has to prove it.
    pub peer_id: String,
    /// The TCP port on 127.0.0.1 that leads to it.
    pub port: u16,
}
