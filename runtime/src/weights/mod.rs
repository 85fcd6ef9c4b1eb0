//! What the calls and hooks of our pallets weigh. `scripts/weights` measures them and writes the files beside this one; nobody
//! else changes those. The standard pallets' weights are their own.

pub mod pallet_hydra_token;
pub mod pallet_reputation;
pub mod pallet_stake_voting;
pub mod pallet_training_proposals;
