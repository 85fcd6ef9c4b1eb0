//! The runtime as a whole: what only the composition of its pallets can keep or break.
//!
//! One program for all of them: each would link the same libraries again.

mod chain;
mod delegation;
mod hardware_wallets;
mod no_way_to_root;
mod proxy_kinds;
mod questions;
mod referenda;
mod upgrades;
