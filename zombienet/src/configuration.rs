//! What zombienet is told of a network: the spec, the program and each node's arguments.
//!
//! Zombienet knows Polkadot's chains. It changes the genesis of a spec unless that is raw, makes session keys for what it
//! takes for a validator, and adds options of its own to each node. Ours is the network that `hydra demo` runs, so the spec
//! is raw, the keys are `--alice` and so on, and of its options nothing stays that would open a node to other machines.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use hydra_cli::network::{Network, Pc};
use hydra_network_tests::{proc, program};
use serde_json::Value;
use zombienet_sdk::{Arg, NetworkConfig, NetworkConfigBuilder};

/// The network's id, which `hydra up` files its data under; also the name of the spec that zombienet writes.
pub const ID: &str = "hydra-local";
/// What of the genesis differs from that of the local network.
#[derive(Clone, Copy, Debug)]
pub struct Genesis {
    /// Slots of a session, of 2 s each: whoever joins is drawn from the next one on.
    pub epoch_slots: u64,
    /// Blocks that unbonding takes.
    pub unbonding_delay: u32,
}

impl Default for Genesis {
    /// So short that a test can wait for several sessions, and for stake to be free.
    fn default() -> Self {
        Self {
            epoch_slots: 20,
            unbonding_delay: 110,
        }
    }
}

/// Longest wait for all nodes, and for one, in seconds. Four nodes start on two cores.
const ALL_START: u32 = 240;
const ONE_STARTS: u32 = 120;

/// Where zombienet keeps everything, in the network's folder.
fn folder(home: &Path) -> PathBuf {
    home.join("zombienet")
}

/// The spec that the nodes were started with, boot node and trainers included: what a PC needs to join.
pub fn spec_for_everybody(home: &Path) -> PathBuf {
    folder(home).join(format!("{ID}.json"))
}

/// The nodes of this network. Their metrics are served from this port on.
pub fn configuration(home: &Path, plan: &Network, genesis: Genesis, metrics: u16) -> NetworkConfig {
    let command = command(home);
    let spec = spec(home, plan, genesis);
    let mut pcs = plan.pcs.iter().zip(metrics..);
    let (first, port) = pcs.next().expect("a network has a PC");
    NetworkConfigBuilder::new()
        .with_relaychain(|chain| {
            // Full nodes to zombienet, which makes no keys for them; `--alice` makes them validators. The others are told
            // the first one's address.
            let chain = chain
                .with_chain(ID)
                .with_default_command(command.as_str())
                .with_chain_spec_path(spec)
                .with_fullnode(|node| {
                    node.with_name(first.name.as_str())
                        .with_args(arguments(first))
                        .with_rpc_port(first.node.rpc_port)
                        .with_p2p_port(first.node.p2p_port)
                        .with_prometheus_port(port)
                });
            pcs.fold(chain, |chain, (pc, port)| {
                chain.with_fullnode(|node| {
                    node.with_name(pc.name.as_str())
                        .with_args(arguments(pc))
                        .with_rpc_port(pc.node.rpc_port)
                        .with_p2p_port(pc.node.p2p_port)
                        .with_prometheus_port(port)
                })
            })
        })
        .with_global_settings(|settings| {
            settings
                .with_base_dir(folder(home))
                .with_network_spawn_timeout(ALL_START)
                .with_node_spawn_timeout(ONE_STARTS)
                // It would end the test's own process when a node is away.
                .with_tear_down_on_failure(false)
        })
        .build()
        .unwrap_or_else(|errors| panic!("zombienet refuses the configuration: {errors:?}"))
}

/// A node's arguments beside those that zombienet adds.
fn arguments(pc: &Pc) -> Vec<Arg> {
    let keys = format!("--{}", pc.name);
    let trainer_port = pc.trainer.http_port.to_string();
    let token_file = pc.trainer.token_file.to_str().expect("UTF-8");
    vec![
        keys.as_str().into(),
        // Zombienet takes the first part and adds the node's port; of itself it would listen on all interfaces.
        ("--listen-addr", "/ip4/127.0.0.1/tcp/0").into(),
        ("--trainer-port", trainer_port.as_str()).into(),
        ("--trainer-token-file", token_file).into(),
        "--no-mdns".into(),
        // `-:` takes away what zombienet adds: any page could use the node, and every machine read its metrics.
        "-:--rpc-cors".into(),
        "-:--rpc-methods".into(),
        "-:--prometheus-external".into(),
    ]
}

/// A program that runs `hydra-node` and ends it with the test, however that ends, asleep or not: zombienet takes one word for
/// a command.
fn command(home: &Path) -> String {
    let path = home.join("node");
    let node = program("hydra-node");
    let script = format!(
        "#!/bin/sh\nexec setpriv --pdeathsig KILL '{}' \"$@\"\n",
        node.display()
    );
    fs::write(&path, script).expect("a new file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("our own file");
    path.to_str().expect("UTF-8").into()
}

/// The spec of `--chain local` with this genesis, raw and with its trainers in it.
fn spec(home: &Path, plan: &Network, genesis: Genesis) -> PathBuf {
    let (plain, path) = (home.join("plain.json"), home.join("local.json"));
    let mut spec = exported(&["--chain", "local"], &plain);
    assert_eq!(spec["id"], ID);
    let patch = &mut spec["genesis"]["runtimeGenesis"]["patch"];
    let changes: [(&str, &str, Value); 2] = [
        ("network", "epochSlots", genesis.epoch_slots.into()),
        ("stakeVoting", "unbondingDelay", genesis.unbonding_delay.into()),
    ];
    for (pallet, field, value) in changes {
        let before = &mut patch[pallet][field];
        assert!(before.is_u64(), "the genesis has no {pallet}.{field}");
        *before = value;
    }
    fs::write(&plain, spec.to_string()).expect("our own file");
    let mut spec = exported(&["--raw", "--chain", plain.to_str().expect("UTF-8")], &path);
    spec["trainers"] = plan.pcs.iter().map(|pc| pc.trainer.multiaddr.as_str()).collect();
    fs::write(&path, spec.to_string()).expect("our own file");
    path
}

/// What the node exports with these arguments, by way of this file.
fn exported(arguments: &[&str], path: &Path) -> Value {
    let mut command = Command::new(program("hydra-node"));
    command
        .arg("export-chain-spec")
        .args(arguments)
        .arg("--output")
        .arg(path);
    let output = proc::run(&mut command);
    assert!(output.status.success(), "{output:?}");
    let bytes = fs::read(path).expect("it was written");
    serde_json::from_slice(&bytes).expect("JSON")
}
