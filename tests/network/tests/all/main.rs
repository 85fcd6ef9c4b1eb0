//! Whole networks of real processes, one file per story.
//!
//! One program for all of them: each would link the same libraries again.

mod asking;
mod cheat;
mod clients;
mod crash;
mod dashboard;
mod faucet;
mod founding;
mod lan;
mod mistakes;
mod models;
mod shards;
mod training;
mod wallet;
