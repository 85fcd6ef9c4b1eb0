//! The pallets' configuration, one subject per file.

pub mod consensus;
pub mod hydra;
pub mod money;
pub mod offchain;
pub mod randomness;
mod system;
