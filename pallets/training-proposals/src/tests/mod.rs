//! Whole rounds against scripted neighbours, what `submit` takes, models that are added to a running chain, and the off-chain worker
//! against a scripted trainer.

mod blocks;
mod extension;
mod helpers;
mod models;
mod offchain;
mod results;
mod rounds;
mod sheet;
mod verification;
mod versions;
