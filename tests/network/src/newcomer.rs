//! A PC that joins a running network as the operator's guide says: an account is put into the keystore, then the node and the
//! trainer are started.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    LocalNetwork, free_ports,
    proc::{self, Running, Stream},
    program,
};

/// Longest wait for its node and its trainer to answer.
const START: Duration = Duration::from_secs(120);

/// The running PC. Its programs end with it.
pub struct Newcomer {
    rpc_port: u16,
    http_port: u16,
    token_file: PathBuf,
    key_file: PathBuf,
    _trainer: Running,
    _node: Running,
    _folder: TempDir,
}

impl Newcomer {
    /// Starts a PC with this account, and waits until its programs are ready.
    pub fn start(network: &LocalNetwork, suri: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the newcomer");
        let (node_folder, trainer_folder) = (folder.path().join("node"), folder.path().join("trainer"));
        let token_file = node_folder.join("trainer.token");
        let first = free_ports(4);
        let [rpc_port, http_port, node_port, trainer_port] = [first, first + 1, first + 2, first + 3];
        let alice = network.pc("alice");
        let chain = ["--chain", &network.network.chain, "--base-path"];

        let inserted = proc::run(
            Command::new(program("hydra-node"))
                .args(["key", "insert"])
                .args(chain)
                .arg(&node_folder)
                .args(["--key-type", "hydr", "--scheme", "sr25519", "--suri", suri]),
        );
        assert!(inserted.status.success(), "{inserted:?}");
        let mut node = Running::start(
            "the newcomer's node",
            Command::new(program("hydra-node"))
                .args(chain)
                .arg(&node_folder)
                .args(["--name", "newcomer", "--bootnodes", &alice.node.multiaddr])
                .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{node_port}")])
                .args(["--rpc-port", &rpc_port.to_string()])
                .args(["--trainer-port", &http_port.to_string()])
                .args(["--no-mdns", "--no-prometheus", "--no-telemetry"]),
            Stream::Stderr,
        );
        // Printed once its token file is there.
        node.line_with("Trainer account: ", START);
        // As `openssl rand -hex 32` under umask 077 makes it.
        let key_file = folder.path().join("trainer.key");
        let secret = blake3::hash(folder.path().as_os_str().as_encoded_bytes());
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&key_file)
            .and_then(|mut file| writeln!(file, "{}", secret.to_hex()))
            .expect("a new file");
        let mut trainer = Running::start(
            "the newcomer's trainer",
            Command::new(program("hydra-trainer"))
                .arg("--base-path")
                .arg(&trainer_folder)
                .args(["--http-port", &http_port.to_string()])
                .arg("--token-file")
                .arg(&token_file)
                .arg("--key-file")
                .arg(&key_file)
                .args([
                    "--p2p-address",
                    "127.0.0.1",
                    "--p2p-port",
                    &trainer_port.to_string(),
                ])
                .args(["--workers", "1", "--bootstrap", &alice.trainer.multiaddr]),
            Stream::Stdout,
        );
        trainer.line_with("ready: peer", START);
        Self {
            rpc_port,
            http_port,
            token_file,
            key_file,
            _trainer: trainer,
            _node: node,
            _folder: folder,
        }
    }

    /// Where its node listens.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc_port)
    }

    /// The file with the secret of its trainer's identity.
    pub fn key_file(&self) -> &str {
        self.key_file.to_str().expect("UTF-8")
    }

    /// Runs `hydra` with these arguments, against this PC.
    pub fn hydra(&self, arguments: &[&str]) -> Output {
        proc::run(
            Command::new(program("hydra"))
                .args(arguments)
                .args([
                    "--url",
                    &self.url(),
                    "--trainer-port",
                    &self.http_port.to_string(),
                ])
                .arg("--trainer-token-file")
                .arg(&self.token_file)
                .env_remove("HYDRA_URL")
                .env_remove("HYDRA_SURI"),
        )
    }
}
