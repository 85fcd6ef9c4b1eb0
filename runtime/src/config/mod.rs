//! The pallets' configuration, one subject per file.

pub mod consensus;
pub mod delegation;
mod governance;
pub mod hydra;
pub mod money;
pub mod offchain;
pub mod randomness;
mod system;
