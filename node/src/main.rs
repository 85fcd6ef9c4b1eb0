//! `hydra-node`, the program: from the command line (`command`) to a running node (`service`). What both are made of, and
//! the tests of it, are in the library beside this file: putting a node together takes minutes to compile, and is done once.

#![allow(
    clippy::result_large_err,
    reason = "Substrate's errors are large, and come once, when the node starts or stops"
)]

mod command;
mod service;

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
