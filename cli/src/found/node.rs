//! What the `hydra-node` program is asked while a network is founded: only it knows its runtime, and only it can turn a
//! readable genesis into state.

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::error::Error;

/// The chain spec of the development network, with a genesis that can be read.
pub fn exported(program: &Path) -> Result<Value, Error> {
    spec(program, "local", false)
}

/// The chain spec in the file `plain`, with its genesis as state.
pub fn raw(program: &Path, plain: &Path) -> Result<Value, Error> {
    let plain = plain.to_str().ok_or_else(|| Error::NotUtf8(plain.into()))?;
    spec(program, plain, true)
}

fn spec(program: &Path, chain: &str, raw: bool) -> Result<Value, Error> {
    let mut command = Command::new(program);
    command.args(["export-chain-spec", "--chain", chain]);
    if raw {
        command.arg("--raw");
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Spawn {
            program: program.into(),
            source,
        })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        return Err(Error::SpecRefused(
            last.unwrap_or("it gives no reason").trim().into(),
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Error::SpecRefused(error.to_string()))
}
