//! The runtime of a release that comes after this one: the same, with a higher version, a migration, and the checks that
//! pallets come with. With it a test upgrades a network that is running, and asks first, as a careful person would, what the
//! upgrade is going to do to the state.
//!
//! [`WASM_BINARY`] is that runtime. It is built with features of `hydra-runtime` that nothing else turns on, and only in the
//! Wasm, so that nothing is built twice for it but the Wasm itself. Nothing of it may ever be released.
#![cfg_attr(not(feature = "std"), no_std)]
// The build writes the constants.
#![allow(missing_docs)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

#[cfg(not(feature = "std"))]
pub use hydra_runtime::*;
