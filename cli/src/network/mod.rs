//! Local networks as every command knows them: what one looks like, where it is written down, which one was started last,
//! and whether it runs. Starting and stopping one is `hydra demo`'s own: see [`crate::local`].
//!
//! It must never take another program for one of a network's own, nor a network for another that uses its ports.

mod file;
mod layout;
mod newest;
mod running;

pub use file::{NETWORK_FILE, NETWORK_LOCK, Network, Node, Pc, Trainer};
pub use layout::{DEFAULT_BASE_PORT, LAST_BASE_PORT, Layout, MAX_PCS, PORTS, Part, node_key, trainer_key};
pub use newest::{Newest, newest, remember};
pub use running::{Condition, alive, condition, own_part, starting, stopped, trainer_listens, trainer_runs};
