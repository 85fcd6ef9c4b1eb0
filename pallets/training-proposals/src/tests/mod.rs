//! Whole rounds on the four real pallets, models that are added to a running chain, and the off-chain worker against a
//! scripted trainer.

mod models;
mod offchain;
mod rounds;
