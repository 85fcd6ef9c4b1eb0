//! `hydra-node`: the HydraAI blockchain node. It keeps the ledger, makes and finalises blocks, answers JSON-RPC, and
//! runs the off-chain worker that hands duties to the local trainer.
//!
//! It must never touch a model, an update or training data: those are the trainer's. And it must run, sync and
//! serve without a trainer.
//!
//! Start with `service`, which puts the parts together; `command` leads there from the command line. These two are the
//! program, and everything else is this library: the command line itself ([`cli`]), what a trainer needs of its node
//! ([`trainer_link`], [`account`]) and does for it ([`tunnels`]), what clients do ([`rpc`]), what a home PC does to a node ([`clock`], [`space`], [`ports`],
//! [`environment`]). What the chain's rules are is in the runtime and its pallets. `docs/operator-guide.md` is for whoever
//! runs it.

#![allow(
    clippy::result_large_err,
    reason = "Substrate's errors are large, and come once, when the node starts or stops"
)]

pub mod account;
pub mod chain_spec;
pub mod cli;
pub mod clock;
pub mod database;
pub mod environment;
pub mod error;
mod notice;
pub mod ports;
pub mod rpc;
pub mod space;
pub mod trainer_link;
pub mod tunnels;
pub mod types;
