//! A local network under test: `hydra demo` in a folder of its own, on ports of its own.

use std::{
    ops::Deref,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use hydra_cli::{
    chain::Chain,
    network::{Network, Pc},
};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::{
    Watch, checkout, free_ports,
    proc::{self, Running, Stream},
    program,
};

/// Longest wait for a network to answer. Four nodes start on two cores.
const START: Duration = Duration::from_secs(120);

/// A running local network.
pub struct LocalNetwork {
    /// What `hydra demo` wrote about it.
    pub network: Network,
    watch: Watch,
    hydra: Running,
    folder: TempDir,
}

/// Seen through Alice's node.
impl Deref for LocalNetwork {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.watch
    }
}

impl LocalNetwork {
    /// Starts four PCs and waits until each answers.
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder for the network")).await
    }

    /// Starts the network in this folder, or goes on with the one that is there.
    pub async fn start_in(folder: TempDir) -> Self {
        let mut hydra = Running::start(
            "hydra demo",
            demo(&folder).args(["--base-port", &free_ports(16).to_string()]),
            Stream::Stderr,
        );
        hydra.line_with("are ready", START);
        let network = Network::read(folder.path())
            .expect("network.json is readable")
            .expect("network.json is there");
        let chain = Chain::connect(&network.pcs[0].node.rpc_url)
            .await
            .expect("Alice's node answers");
        Self {
            network,
            watch: Watch { chain },
            hydra,
            folder,
        }
    }

    /// One of its PCs.
    pub fn pc(&self, name: &str) -> &Pc {
        self.network.pc(name).expect("a PC of the network")
    }

    /// Runs `hydra` with these arguments, against one of this network's PCs.
    pub fn hydra(&self, pc: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("hydra"));
        command
            .args(arguments)
            .args(["--pc", pc, "--base-path"])
            .arg(self.folder.path());
        proc::run(command.env_remove("HYDRA_URL").env_remove("HYDRA_SURI"))
    }

    /// Kills a whole PC, node, trainer and worker, as a power cut would.
    pub fn power_cut(&self, name: &str) {
        let network = Network::read(self.folder.path())
            .expect("readable")
            .expect("there");
        let pc = network.pc(name).expect("a PC of the network");
        let mut pids = vec![pc.node.pid, pc.trainer.pid];
        pids.extend(proc::descendants(pc.trainer.pid));
        for pid in pids {
            proc::kill_9(pid);
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a PC of this network again, in the folder it had.
    pub fn restart(&self, name: &str) -> Running {
        let mut hydra = Running::start(
            "hydra demo --only",
            demo(&self.folder).args(["--only", name]),
            Stream::Stderr,
        );
        hydra.line_with("ready", START);
        hydra
    }

    /// Ctrl-C. Returns what `hydra demo` printed last, after every process it started is gone.
    pub fn stop(self) -> Vec<String> {
        self.stop_and_keep().0
    }

    /// Ctrl-C, and then its folder gets another name. Returns what `hydra demo` printed last, and the new folder.
    pub fn stop_and_move(self) -> (Vec<String>, TempDir) {
        let (lines, folder) = self.stop_and_keep();
        let elsewhere = tempfile::tempdir().expect("another folder");
        std::fs::rename(folder.path(), elsewhere.path()).expect("an empty folder is replaced");
        (lines, elsewhere)
    }

    fn stop_and_keep(mut self) -> (Vec<String>, TempDir) {
        let programs = self.programs();
        let workers: Vec<u32> = programs.iter().flat_map(|pid| proc::descendants(*pid)).collect();
        self.hydra.signal(Signal::SIGINT);
        let (status, lines) = self.hydra.end(Duration::from_secs(60));
        assert!(status.success(), "{status}: {lines:?}");
        // It has waited for each that it started.
        for pid in programs {
            assert!(!proc::alive(pid), "process {pid} outlives hydra demo: {lines:?}");
        }
        // A worker sees that its trainer has ended, and ends.
        for pid in workers {
            proc::gone(pid, Duration::from_secs(10));
        }
        (lines, self.folder)
    }

    /// kill -9 of `hydra demo` itself, which gets no chance to stop what it started.
    pub fn kill(mut self) {
        let programs = self.programs();
        let workers: Vec<u32> = programs.iter().flat_map(|pid| proc::descendants(*pid)).collect();
        self.hydra.signal(Signal::SIGKILL);
        self.hydra.end(Duration::from_secs(60));
        for pid in programs.into_iter().chain(workers) {
            proc::gone(pid, Duration::from_secs(30));
        }
    }

    /// The nodes and trainers of the network.
    fn programs(&self) -> Vec<u32> {
        let network = Network::read(self.folder.path())
            .expect("readable")
            .expect("there");
        network
            .pcs
            .iter()
            .flat_map(|pc| [pc.node.pid, pc.trainer.pid])
            .collect()
    }
}

/// `hydra demo`, which ends when the test does, however that ends.
fn demo(folder: &TempDir) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM"])
        .arg(program("hydra"))
        .args(["demo", "--base-path"])
        .arg(folder.path());
    command.arg("--datasets").arg(checkout("datasets"));
    command
}
