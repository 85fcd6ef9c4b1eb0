//! `hydra-node`: the HydraAI blockchain node. It keeps the ledger, makes and finalises blocks, answers JSON-RPC, and
//! runs the off-chain worker that hands duties to the local trainer.
//!
//! It must never touch a model, an update or training data: those are the trainer's. And it must run, sync and
//! serve without a trainer.
//!
//! Start with `service`, which puts the `parts` together; `command` leads there from the command line (`cli`), `trainer_link`
//! and `account` are what a trainer needs of its node, `rpc` what clients do. What the chain's rules are is in the runtime
//! and its pallets. `docs/operator-guide.md` is for whoever runs it.

#![allow(
    clippy::result_large_err,
    reason = "Substrate's errors are large, and come once, when the node starts or stops"
)]

mod account;
mod chain_spec;
mod cli;
mod clock;
mod command;
mod consensus;
mod environment;
mod error;
mod notice;
mod parts;
mod ports;
mod rpc;
mod service;
mod space;
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
