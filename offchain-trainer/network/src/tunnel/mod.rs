//! Tunnels: a node's connection to another node, carried over a connection between their trainers.
//!
//! The node's own network has neither relays nor hole punching, so two nodes behind routers can't reach each other. Their trainers can.
//! `/hydra/node/1` is a stream over which one trainer asks which node stands beside the other, and has its own node's bytes carried to
//! it: from a port on 127.0.0.1 (the [`entrance`]), where the own node dials, to the other node's port on its 127.0.0.1 (the [`exit`]). The
//! nodes encrypt and prove to each other who they are as over any other connection.
//!
//! Must never look into what it carries, nor lead anywhere but to the one port that the own node has told; who tunnels to whom is the
//! daemon's business.

mod entrance;
mod exit;
mod handle;
mod pipe;
pub(crate) mod wire;

pub use self::{
    entrance::{Tunnel, TunnelError},
    handle::OwnNode,
};
pub(crate) use self::{
    exit::{Exit, Places},
    handle::View,
};

use libp2p::StreamProtocol;
use std::time::Duration;

/// The protocol's name on the network.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/hydra/node/1");
/// How long the question and its answer may take, on either side.
const PATIENCE: Duration = Duration::from_secs(10);
