//! Whole networks of real processes, one file per story.
//!
//! One program for all of them: each would link the same libraries again. What is in `long` takes many minutes, and runs in
//! `scripts/soak` only.

mod adopting;
mod asking;
mod cheat;
mod clients;
mod crash;
mod dashboard;
mod faucet;
mod founding;
mod laboratory;
mod lan;
mod long;
mod members;
mod mistakes;
mod models;
mod paying;
mod shards;
mod training;
mod wallet;
