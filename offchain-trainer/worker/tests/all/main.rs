//! The real worker with LibTorch.
//!
//! One program for all of them: each would link the same libraries again.

mod contradiction;
mod environment;
mod exactness;
mod lifecycle;
mod support;
mod verification;
