//! Runs the benchmarks of our pallets, and writes what calls and hooks weigh into the runtime's source.
//!
//! Each benchmark is in its pallet's `benchmarking.rs`: it sets up a state, does one thing in it, and looks whether that was done. Here
//! it is run over a state that counts what is read and written and forgets it all afterwards; the rest of the chain is the development
//! network's genesis. It is run in one of two ways:
//!
//! * `native`, to see whether it does what it says: the tests of this crate, in every build;
//! * `wasm`, to measure it as nodes run it: the example `weights`, with the feature `runtime-benchmarks`, which nothing else turns on.
//!   Native code is faster than what nodes run, so its times would say too little.
//!
//! It must never write a figure that was not measured. Start with [`measure`], which goes through the values that a benchmark is
//! measured at; [`fit`] makes a line of the results, and [`source`] Rust of it. Why not the SDK's own program: decision 027.

pub mod fit;
pub mod measure;
pub mod native;
pub mod source;
pub mod state;
pub mod wasm;
