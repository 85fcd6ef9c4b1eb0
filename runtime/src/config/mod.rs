//! The pallets' configuration, one subject per file.

pub mod committee;
pub mod consensus;
pub mod delegation;
pub mod forfeits;
mod governance;
pub mod hydra;
pub mod money;
pub mod offchain;
pub mod randomness;
pub mod sessions;
mod system;
