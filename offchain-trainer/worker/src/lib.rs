//! The arithmetic as LibTorch's operators: what the worker program computes with, and what its tests and measurements need of it.
//!
//! LibTorch keeps tensors and the graph that gradients follow; every value is computed as `docs/arithmetic.md` defines it, by
//! `hydra_arithmetic`. Nothing here may let LibTorch add, multiply or round by itself where the page doesn't say that its way is the only one.
//!
//! Start with [`operators`]; [`processor`] says with which instructions and threads.

mod kernels;
pub mod memory;
pub mod operators;
pub mod processor;
