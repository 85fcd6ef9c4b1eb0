//! What trainers do to each other over a real network, friends and strangers.
//!
//! One program for all of them: each would link the same libraries again.

mod common;
mod connections;
mod discovery;
mod fairness;
mod gossip;
mod greedy;
mod hostile_bytes;
mod liars;
mod manager;
mod many;
mod names;
mod reach;
mod resuming;
mod time;
mod transfer;
mod tunnel;
mod unreliable;
mod wire;
