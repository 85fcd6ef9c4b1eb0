//! The runtime as a whole: what only the composition of its pallets can keep or break.
//!
//! One program for all of them: each would link the same libraries again.

mod chain;
mod committee;
mod delegation;
mod hardware_wallets;
mod lane;
mod no_way_to_root;
mod pcs;
mod proxy_kinds;
mod questions;
mod referenda;
mod rounds;
mod small_networks;
mod taking_part;
mod upgrades;
mod versions;
