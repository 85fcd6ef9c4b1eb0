//! Networks of this PC as every command knows them: what one looks like, where it is written down, which one was started
//! last, and whether it runs. A local one has several PCs and is `hydra demo`'s to start and stop: see [`crate::local`]. Of
//! one with others there is this PC alone, and `hydra up` runs it: see [`crate::up`](mod@crate::up).
//!
//! It must never take another program for one of a network's own, nor a network for another that uses its ports.

mod file;
mod layout;
mod newest;
mod own;
mod p2p;
mod running;

pub use file::{Joined, NETWORK_FILE, NETWORK_LOCK, Network, Node, Pc, Trainer};
pub use layout::{
    DEFAULT_BASE_PORT, LAST_BASE_PORT, Layout, MAX_PCS, PORTS, Part, node_key, peer_id, trainer_key,
};
pub use newest::{Newest, newest, remember};
pub use own::{joined, joined_file, others_up, remember_joined, usual_folder};
pub use p2p::{P2p, Wss};
pub use running::{
    Condition, PortState, UP_LOCK, alive, condition, is_run_by, own_part, port_state, starting, stopped,
    trainer_listens, trainer_runs, udp_port_state,
};
