//! A hostile trainer beside a network: `hydra-adversary`, which takes part by the rules except for one thing.

use std::{process::Command, time::Duration};

use hydra_cli::network::Pc;
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    checkout, free_ports,
    proc::{Running, Stream},
    program,
};

/// The running program. It ends with this.
pub struct Adversary {
    program: Running,
    _folder: TempDir,
}

impl Adversary {
    /// Starts one that cheats in these ways, by turns from round to round, with so many HYDRA at stake. It is registered then.
    pub fn start(pcs: &[Pc], suri: &str, stake: u32, cheats: &[&str], limit: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the adversary");
        let first = pcs.first().expect("a network has a PC");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM"])
            .arg(program("hydra-adversary"))
            .args(["--url", &first.node.rpc_url, "--suri", suri])
            .args(["--stake", &stake.to_string(), "--cheats", &cheats.join(",")])
            .args(["--p2p-port", &free_ports(1).to_string()])
            .arg("--dataset")
            .arg(checkout("datasets/digits"))
            .arg("--base-path")
            .arg(folder.path());
        for pc in pcs {
            command.args(["--bootstrap", &pc.trainer.multiaddr]);
        }
        let what = format!("the adversary {suri}");
        let mut program = Running::start(&what, &mut command, Stream::Stdout);
        program.line_with("\"event\":\"registered\"", limit);
        Self {
            program,
            _folder: folder,
        }
    }

    /// What it said so far, of this kind.
    pub fn events(&mut self, kind: &str) -> Vec<Value> {
        self.program
            .lines()
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["event"] == kind)
            .collect()
    }

    /// Ends it.
    pub fn stop(mut self, limit: Duration) {
        self.program.signal(Signal::SIGTERM);
        self.program.end(limit);
    }
}
