//! Whole rounds on the four real pallets, and the off-chain worker against a scripted trainer.

mod offchain;
mod rounds;
