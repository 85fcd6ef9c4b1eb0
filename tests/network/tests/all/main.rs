//! Whole networks of real processes, one file per story.
//!
//! One program for all of them: each would link the same libraries again.

mod adopting;
mod asking;
mod cheat;
mod clients;
mod crash;
mod dashboard;
mod faucet;
mod founding;
mod lan;
mod members;
mod mistakes;
mod models;
mod paying;
mod shards;
mod training;
mod wallet;
