//! The HydraAI protocol: the types that cross a boundary (chain, off-chain worker, trainer, CLI) and the pure
//! functions that everyone must agree on. Used by the pallets, the trainer, the CLI and simulations.
//!
//! Must never do I/O, know FRAME or LibTorch, use floating point in anything two machines must agree on, or depend
//! on the machine it runs on.
//!
//! Start with [`model`] (what is trained), [`task`] (what the holder of a place does) and [`proposal`] (what it claims);
//! [`electorate`] and [`poll`] are how the network finds out what is true, [`reputation`] and [`rewards`] what follows for
//! accounts; [`duty`] is what node and trainer say to each other, [`traits`] what the pallets know of each other. `docs/protocol.md` tells how it all comes together.
#![cfg_attr(not(feature = "std"), no_std)]
// A test that panics has done its job.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

pub mod benchmarks;
pub mod blob;
pub mod dataset;
pub mod digits;
pub mod duty;
pub mod electorate;
pub mod model;
pub mod node;
pub mod poll;
pub mod proposal;
pub mod reputation;
pub mod rewards;
pub mod status;
pub mod task;
pub mod traits;
pub mod update;

pub use blob::BlobRef;
pub use primitive_types::H256;
pub use sp_arithmetic::{Perbill, Permill};

/// An amount in the smallest unit: 10⁻¹² HYDRA.
pub type Balance = u128;
/// One HYDRA in the smallest unit.
pub const HYDRA: Balance = 1_000_000_000_000;

/// A block's height.
pub type BlockNumber = u32;
/// A model's number on its chain, from 0.
pub type ModelId = u32;
/// A round's number within its model, from 0.
pub type RoundNumber = u32;
/// Numbers a model's versions: 0 is the initial model, and each that a round makes has the next number, also after one that was
/// given up.
pub type Version = u32;
/// An account's 32 raw bytes (its sr25519 public key), as they cross boundaries that know no FRAME.
pub type AccountBytes = [u8; 32];

/// BLAKE3 of `parts` under a domain: `context` keeps hashes made for different purposes apart. Every part is
/// preceded by its length, so that no two lists of parts share an input.
pub fn domain_hash(context: &str, parts: &[&[u8]]) -> H256 {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    H256(*hasher.finalize().as_bytes())
}

/// The content hash of `bytes`: plain BLAKE3, the name of a blob everywhere in HydraAI.
pub fn content_hash(bytes: &[u8]) -> H256 {
    H256(*blake3::hash(bytes).as_bytes())
}
