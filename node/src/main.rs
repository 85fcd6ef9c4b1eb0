//! `hydra-node`: the HydraAI blockchain node. It keeps the ledger, makes and finalises blocks, answers JSON-RPC, and
//! runs the off-chain worker that hands duties to the local trainer.
//!
//! It must never touch a model, an update or training data: those are the trainer's. And it must run, sync and
//! serve without a trainer.

mod chain_spec;
mod cli;
mod command;
mod error;
mod keys;
mod ports;
mod rpc;
mod service;
mod trainer_link;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hydra-node: {error}");
            ExitCode::FAILURE
        }
    }
}
