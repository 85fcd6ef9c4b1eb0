//! The running network: nodes by zombienet, trainers by the harness.

use std::{
    ops::Deref,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use hydra_cli::{
    files,
    network::{Layout, MAX_PCS, Network, PORTS, Pc, node_key, trainer_key},
};
use hydra_network_tests::{
    Watch, checkout, free_ports,
    proc::{self, Running, Stream},
    program,
};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use zombienet_sdk::{LocalFileSystem, NetworkConfigExt as _, NetworkNode};

use crate::configuration::{Genesis, configuration, spec_for_everybody};

/// Longest wait for a program to be ready. Four nodes and four trainers start on two cores.
const START: Duration = Duration::from_secs(120);
/// Longest wait for a program to end that was asked to.
const END: Duration = Duration::from_secs(60);

/// Four PCs of a local network, planned as `hydra demo` plans them.
pub struct Zombienet {
    /// The PCs as planned.
    pub plan: Network,
    watch: Watch,
    // Dropped, they are killed: before the trainers, and before the folder is deleted.
    nodes: zombienet_sdk::Network<LocalFileSystem>,
    trainers: Vec<Running>,
    folder: TempDir,
}

/// Seen through Alice's node.
impl Deref for Zombienet {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.watch
    }
}

/// A PC that is suspended. Its trainer goes on when this is dropped, so that it can end with the test.
pub struct Asleep {
    name: String,
    trainer: Vec<u32>,
}

impl Drop for Asleep {
    fn drop(&mut self) {
        for pid in &self.trainer {
            proc::signal(*pid, Signal::SIGCONT);
        }
    }
}

impl Zombienet {
    /// Starts four PCs and waits until each answers.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the network");
        let home = folder.path().canonicalize().expect("it is there");
        // Behind those that it is planned with, one for each node's metrics.
        let first = free_ports(PORTS + u16::from(MAX_PCS));
        let plan = Layout::new(home.join("pcs"), MAX_PCS, first).network();
        let configuration = configuration(&home, &plan, Genesis::default(), first + PORTS);
        let mut trainers: Vec<Running> = plan.pcs.iter().map(|pc| trainer(pc, &plan)).collect();
        let nodes = configuration
            .spawn_native()
            .await
            .unwrap_or_else(|error| panic!("zombienet: {error}"));
        for trainer in &mut trainers {
            trainer.line_with("ready: peer", START);
        }
        for pc in &plan.pcs {
            Watch::connect(&pc.node.rpc_url, START).await;
        }
        let watch = Watch::connect(&plan.pcs[0].node.rpc_url, START).await;
        Self {
            plan,
            watch,
            nodes,
            trainers,
            folder,
        }
    }

    /// One of its PCs.
    pub fn pc(&self, name: &str) -> &Pc {
        self.plan.pc(name).expect("a PC of the network")
    }

    /// Its folder, as every program is told of it.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it is there")
    }

    /// What a PC needs to join.
    pub fn spec(&self) -> PathBuf {
        spec_for_everybody(&self.folder())
    }

    /// Suspends a whole PC, node, trainer and worker, as closing a laptop's lid does.
    pub async fn suspend(&self, name: &str) -> Asleep {
        self.node(name).pause().await.expect("its node is suspended");
        let trainer = self.trainers[usize::from(self.plan.index(self.pc(name)))].pid();
        // First, so that it starts no worker meanwhile.
        proc::signal(trainer, Signal::SIGSTOP);
        let workers = proc::descendants(trainer);
        for worker in &workers {
            proc::signal(*worker, Signal::SIGSTOP);
        }
        Asleep {
            name: name.into(),
            trainer: std::iter::once(trainer).chain(workers).collect(),
        }
    }

    /// Lets a PC go on.
    pub async fn wake(&self, asleep: Asleep) {
        self.node(&asleep.name).resume().await.expect("its node goes on");
    }

    /// Runs `hydra` for somebody whose home is the network's folder, against one of its PCs.
    pub fn hydra(&self, pc: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("hydra"));
        command
            .args(arguments)
            .args(["--url", &self.pc(pc).node.rpc_url])
            .env("HOME", self.folder());
        for variable in ["HYDRA_SURI", "HYDRA_KEYS", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env_remove(variable);
        }
        proc::run(&mut command)
    }

    /// A second node with a member's session keys, as somebody runs it who copied a keystore. It has no trainer, and ends when it is
    /// dropped.
    pub fn twin(&self, name: &str) -> Running {
        let index = self.plan.index(self.pc(name));
        let first = free_ports(3);
        let [rpc_port, p2p_port, trainer_port] = [first, first + 1, first + 2];
        Running::start(
            &format!("{name}'s twin"),
            Command::new("setpriv")
                .args(["--pdeathsig", "TERM"])
                .arg(program("hydra-node"))
                .arg("--chain")
                .arg(self.spec())
                .arg(format!("--{name}"))
                .arg("--base-path")
                .arg(self.folder().join(format!("twin-of-{name}")))
                // Another one than any PC has.
                .args(["--node-key", &hex::encode(node_key(2 * MAX_PCS + index))])
                .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{p2p_port}")])
                .args(["--rpc-port", &rpc_port.to_string()])
                .args(["--trainer-port", &trainer_port.to_string()])
                .args(["--no-mdns", "--no-prometheus", "--no-telemetry"]),
            Stream::Stderr,
        )
    }

    fn node(&self, name: &str) -> &NetworkNode {
        self.nodes.get_node(name).expect("a node of the network")
    }

    /// Stops everything. Nothing that it started is left running.
    pub async fn stop(self) {
        let Self {
            nodes,
            trainers,
            folder,
            ..
        } = self;
        nodes.destroy().await.expect("zombienet stops its nodes");
        for mut trainer in trainers {
            let processes = proc::descendants(trainer.pid());
            trainer.signal(Signal::SIGTERM);
            let (status, lines) = trainer.end(END);
            assert!(status.success(), "{status}: {lines:?}");
            for pid in processes {
                proc::gone(pid, END);
            }
        }
        drop(folder);
    }
}

/// Starts a PC's trainer, which shares its secret with the node.
fn trainer(pc: &Pc, plan: &Network) -> Running {
    for folder in [&pc.folder, &pc.trainer.base_path] {
        std::fs::create_dir_all(folder).expect("a new folder");
    }
    // As good as any other: nobody outside this machine reaches the trainer, and the network is gone after the test.
    let token = trainer_key(MAX_PCS + plan.index(pc));
    let key = trainer_key(plan.index(pc));
    files::write_secret_once(&pc.trainer.token_file, &token).expect("a new file");
    files::write_secret_once(&pc.trainer.key_file, &key).expect("a new file");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let datasets = [checkout("datasets/digits")];
    Running::start(
        &format!("{}'s trainer", pc.title()),
        Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(program("hydra-trainer"))
            .args(pc.trainer_arguments(plan, &datasets, cores)),
        Stream::Stdout,
    )
}
