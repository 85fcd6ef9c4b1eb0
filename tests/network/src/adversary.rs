//! A hostile trainer beside a network: `hydra-adversary`, which takes part by the rules except for one thing.

use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use hydra_blobs::BlobStore;
use hydra_cli::network::Pc;
use hydra_network::{Keypair, Multiaddr, Network, NetworkConfig, SizeRule};
use hydra_primitives::BlobRef;
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    checkout, free_ports,
    proc::{Running, Stream},
    program,
};

/// A blob is waited for, however slowly it comes, as long as some of it comes within this time.
const PATIENCE: Duration = Duration::from_secs(90);

/// The running program. It ends with this.
pub struct Adversary {
    program: Running,
    /// Where other trainers reach it.
    address: Multiaddr,
    _folder: TempDir,
}

impl Adversary {
    /// Starts one that cheats in these ways, by turns from round to round, with so many HYDRA at stake. It is registered then.
    pub fn start(pcs: &[Pc], suri: &str, stake: u32, cheats: &[&str], limit: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the adversary");
        let first = pcs.first().expect("a network has a PC");
        let port = free_ports(1);
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM"])
            .arg(program("hydra-adversary"))
            .args(["--url", &first.node.rpc_url, "--suri", suri])
            .args(["--stake", &stake.to_string(), "--cheats", &cheats.join(",")])
            .args(["--p2p-port", &port.to_string()])
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
        let address = format!("/ip4/127.0.0.1/tcp/{port}");
        Self {
            program,
            address: address.parse().expect("an address"),
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

    /// Gets a blob from it, as a trainer does that knows nobody else, and says how long that took.
    pub async fn serves(&self, blob: BlobRef) -> Duration {
        let folder = tempfile::tempdir().expect("a folder for the blob");
        let store = BlobStore::open(folder.path()).expect("a new store");
        let mut config = NetworkConfig::new(Keypair::generate_ed25519());
        config.limits.stall = PATIENCE;
        let network = Network::start(config, Arc::new(store)).await;
        let network = network.expect("a data plane that listens nowhere");
        let peer = network.dial(self.address.clone()).await.expect("it listens");
        let (began, rule) = (Instant::now(), SizeRule::Exact(blob.size));
        let fetched = network.fetch(blob.hash, rule, vec![peer]).await;
        let took = began.elapsed();
        assert_eq!(fetched.expect("it serves the blob"), blob.size);
        network.shutdown().await;
        took
    }

    /// Ends it.
    pub fn stop(mut self, limit: Duration) {
        self.program.signal(Signal::SIGTERM);
        self.program.end(limit);
    }
}
