//! A PC that runs `hydra up`, as its owner would, with a folder and ports of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use hydra_cli::network::Network;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    checkout,
    proc::{self, Running, Stream},
    program,
};

/// The PC.
pub struct Member {
    folder: PathBuf,
    first_port: u16,
    up: Option<Running>,
}

impl Member {
    /// One that is not started yet, with four ports from `first_port` on.
    pub fn new(folder: PathBuf, first_port: u16) -> Self {
        Self {
            folder,
            first_port,
            up: None,
        }
    }

    /// The options that choose its ports.
    pub fn ports(&self) -> Vec<String> {
        let options = [
            "--rpc-port",
            "--p2p-port",
            "--trainer-http-port",
            "--trainer-p2p-port",
        ];
        let ports = (self.first_port..).zip(options);
        let ports = ports.flat_map(|(port, option)| [option.to_owned(), port.to_string()]);
        ports.collect()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its node listens.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.first_port)
    }

    /// What its trainer writes.
    pub fn trainer_log(&self) -> PathBuf {
        let network = Network::read(&self.folder).expect("readable").expect("there");
        network.pcs.first().expect("this PC").trainer.log.clone()
    }

    /// `hydra up` with these options beside its folder: all it needs the second time.
    pub fn up(&mut self, options: &[String]) {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM"])
            .arg(program("hydra"))
            .args(["up", "--json", "--base-path"])
            .arg(&self.folder)
            .arg("--datasets")
            .arg(checkout("datasets"))
            .args(options);
        alone(&mut command, &self.folder);
        self.up = Some(Running::start("hydra up", &mut command, Stream::Stdout));
    }

    /// The next event of this state.
    pub fn event(&mut self, state: &str, limit: Duration) -> Value {
        let up = self.up.as_mut().expect("hydra up was started");
        let line = up.line_with(&format!("\"state\":\"{state}\""), limit);
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
    }

    /// Runs `hydra` about this PC.
    pub fn hydra(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("hydra"));
        command.args(arguments).arg("--base-path").arg(&self.folder);
        alone(&mut command, &self.folder);
        proc::run(&mut command)
    }

    /// kill -9 of its `hydra up`.
    pub fn kill(&mut self) {
        let mut up = self.up.take().expect("hydra up was started");
        up.signal(Signal::SIGKILL);
        up.end(Duration::from_secs(60));
    }

    /// `hydra down`. Everything that it started is gone afterwards.
    pub fn down(&mut self) {
        let network = Network::read(&self.folder).expect("readable").expect("there");
        let started = network.pcs.iter().flat_map(|pc| [pc.node.pid, pc.trainer.pid]);
        let processes: Vec<u32> = started
            .flat_map(|pid| std::iter::once(pid).chain(proc::descendants(pid)))
            .collect();
        let output = self.hydra(&["down"]);
        assert!(output.status.success(), "{output:?}");
        let mut up = self.up.take().expect("hydra up was started");
        let (status, lines) = up.end(Duration::from_secs(60));
        assert!(status.success(), "{status}: {lines:?}");
        for pid in processes {
            assert!(!proc::alive(pid), "process {pid} outlived hydra up");
        }
    }
}

/// Knowing nothing of whoever runs the tests.
fn alone(command: &mut Command, folder: &Path) {
    command.env("HOME", folder.parent().expect("a folder is in one"));
    for variable in ["HYDRA_URL", "HYDRA_SURI", "XDG_DATA_HOME", "HYDRA_DATASETS"] {
        command.env_remove(variable);
    }
}
