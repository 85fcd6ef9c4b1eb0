//! The real program, as its owner, clients and strangers meet it.
//!
//! One program for all of them: each would link the same libraries again.

mod accounts;
mod addresses;
mod clock;
mod common;
mod environment;
mod rpc;
