//! The data plane: finds and keeps peers, and moves blobs between them.
//!
//! One libp2p swarm (TCP, QUIC and WebSocket, directly or through relays) runs as a task of its own; a [`NetworkHandle`] talks to it.
//! Blobs travel over `/hydra/blob/2` ([`wire`]) in verified slices and end up in the
//! [`BlobStore`](hydra_blobs::BlobStore), from which they are served onward. Over `/hydra/time/1` trainers tell each other
//! the time, so that a wrong clock can be noticed ([`NetworkHandle::clock_offset`]). Over `/hydra/node/1` they carry their nodes' connections,
//! where nodes can't reach each other ([`NetworkHandle::dig_tunnel`]).
//!
//! It must never
//! * believe a peer: content, sizes and names are checked, and whatever a peer can make us hold is bounded;
//! * know what a blob means: models, rounds and stake are other crates' business;
//! * use the node's own key: the data plane has an identity of its own, derived from it ([`data_plane_keypair`]).
//!
//! Start with `service`, the task that owns the swarm; `fetch` gets a blob from several peers, `server` gives blobs to others,
//! `bootstrap` keeps the connections that were asked for. Bounds and timeouts are in [`Limits`].

mod allowance;
mod behaviour;
mod book;
mod bootstrap;
mod bucket;
pub mod buffered;
mod buffers;
mod chosen_names;
mod client;
mod clock;
mod command;
mod common;
mod config;
pub mod discovery;
mod disk;
mod error;
mod fetch;
mod few_endings;
mod gates;
pub mod gossip;
mod handle;
mod house;
mod identity;
mod lane;
mod late;
mod listen;
pub mod manager;
mod members;
pub mod muxer;
mod names;
mod network;
mod origin;
mod own_port;
mod pace;
mod peers;
mod per_address;
mod pool;
mod priority;
mod progress;
mod random;
mod rates;
pub mod reach;
mod refusals;
mod relayed_addresses;
mod reports;
mod scope;
mod server;
mod service;
mod size;
mod slots;
mod starving;
mod strays;
mod throttle;
mod time;
mod transport;
mod tunnel;
mod turns;
mod unkept;
mod websocket;
pub mod wire;

pub use bootstrap::AwayPeer;
pub use clock::{Clock, ClockOffset};
pub use config::{Limits, NetworkConfig, default_agent};
pub use error::{DialError, FetchError, NetworkError, PeerFault};
pub use handle::NetworkHandle;
pub use identity::{BadPeerId, data_plane_keypair, peer_id_bytes, peer_id_from_bytes};
pub use libp2p::{Multiaddr, PeerId, identity::Keypair};
pub use members::Member;
pub use network::Network;
pub use peers::{Carrier, PeerInfo};
pub use priority::Priority;
pub use scope::Scope;
pub use size::SizeRule;
pub use tunnel::{OwnNode, Tunnel, TunnelError};
