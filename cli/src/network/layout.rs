//! A local network as planned: folders, ports, identities, and what its programs are started with. Pure, so that tests and
//! other commands can know it without starting anything.
//!
//! The identities are for local networks only: node keys are 1 to 4, and their secrets are public.

use libp2p_identity::Keypair;
use std::{ffi::OsString, path::PathBuf};

use super::file::{ALONE, Network, Node, Pc, TOGETHER, TOGETHER_VALIDATORS, Trainer};
use crate::accounts;

/// Ports of a local network, from its base port on: four for each purpose.
pub const PORTS: u16 = 16;
/// The highest base port.
pub const LAST_BASE_PORT: u16 = u16::MAX - (PORTS - 1);
/// The base port unless another is chosen: the first PC's RPC is where every tool looks for a node.
pub const DEFAULT_BASE_PORT: u16 = 9944;
/// The most PCs of a local network: as many as the `local` chain spec has validators.
pub const MAX_PCS: u8 = TOGETHER_VALIDATORS;
/// How a trainer's identity follows from its node's.
const IDENTITY_CONTEXT: &str = "hydraai 2026 data-plane identity v1";

/// A local network as planned: everything else follows from these.
#[derive(Clone, Debug)]
pub struct Layout {
    base_path: PathBuf,
    pcs: u8,
    base_port: u16,
}

impl Layout {
    /// A network of the first `pcs` PCs.
    pub fn new(base_path: PathBuf, pcs: u8, base_port: u16) -> Self {
        Self {
            base_path,
            pcs: pcs.clamp(1, MAX_PCS),
            base_port: base_port.min(LAST_BASE_PORT),
        }
    }

    /// Everything about it.
    pub fn network(&self) -> Network {
        let chain = if self.pcs == 1 { ALONE } else { TOGETHER };
        Network {
            disposable: false,
            chain: chain.into(),
            base_port: self.base_port,
            hydra_pid: 0,
            ready: false,
            joined: None,
            pcs: (0..self.pcs).map(|index| self.pc(index)).collect(),
        }
    }

    fn pc(&self, index: u8) -> Pc {
        let name = accounts::DEVELOPMENT
            .get(usize::from(index))
            .copied()
            .unwrap_or_default();
        let account = accounts::development(name).unwrap_or_default();
        let name = name.to_lowercase();
        let folder = self.base_path.join(&name);
        let port = |purpose: u16| self.base_port + purpose * u16::from(MAX_PCS) + u16::from(index);
        let [rpc_port, http_port, node_port, trainer_port] = [port(0), port(1), port(2), port(3)];
        let node_peer = peer_id(node_key(index));
        let trainer_peer = peer_id(trainer_key(index));
        Pc {
            account: accounts::address(&account),
            account_hex: format!("0x{}", hex::encode(account)),
            node: Node {
                pid: 0,
                rpc_port,
                rpc_url: format!("ws://127.0.0.1:{rpc_port}"),
                p2p_port: node_port,
                multiaddr: format!("/ip4/127.0.0.1/tcp/{node_port}/p2p/{node_peer}"),
                peer_id: node_peer,
                base_path: folder.join("node"),
                log: folder.join("node.log"),
            },
            trainer: Trainer {
                pid: 0,
                http_port,
                http_url: format!("http://127.0.0.1:{http_port}"),
                p2p_port: trainer_port,
                multiaddr: format!("/ip4/127.0.0.1/tcp/{trainer_port}/p2p/{trainer_peer}"),
                peer_id: trainer_peer,
                base_path: folder.join("trainer"),
                log: folder.join("trainer.log"),
                token_file: folder.join("trainer.token"),
                key_file: folder.join("trainer.key"),
            },
            folder,
            name,
        }
    }
}

/// A program of a PC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The node.
    Node,
    /// The trainer.
    Trainer,
}

impl Pc {
    /// Its ports, and whose and what for each is.
    pub fn ports(&self) -> [(Part, u16, String); 4] {
        [
            (Part::Node, self.node.rpc_port, format!("{}'s RPC", self.title())),
            (
                Part::Trainer,
                self.trainer.http_port,
                format!("{}'s trainer", self.title()),
            ),
            (
                Part::Node,
                self.node.p2p_port,
                format!("{}'s node to reach other nodes", self.title()),
            ),
            (
                Part::Trainer,
                self.trainer.p2p_port,
                format!("{}'s trainer to reach other trainers", self.title()),
            ),
        ]
    }

    /// Its name as in a sentence.
    pub fn title(&self) -> String {
        let mut letters = self.name.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect())
            .unwrap_or_default()
    }

    /// `hydra-node`'s arguments, given everybody in the network.
    pub fn node_arguments(&self, network: &Network) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "--chain".into(),
            network.chain.clone().into(),
            format!("--{}", self.name).into(),
            "--base-path".into(),
            (&self.node.base_path).into(),
            // On loopback only: nobody on the same LAN should meet a network whose secrets are public.
            "--listen-addr".into(),
            format!("/ip4/127.0.0.1/tcp/{}", self.node.p2p_port).into(),
            "--rpc-port".into(),
            self.node.rpc_port.to_string().into(),
            "--node-key".into(),
            hex::encode(node_key(network.index(self))).into(),
            "--trainer-port".into(),
            self.trainer.http_port.to_string().into(),
            "--trainer-token-file".into(),
            (&self.trainer.token_file).into(),
            "--no-mdns".into(),
            "--no-prometheus".into(),
            "--no-telemetry".into(),
        ];
        let others: Vec<&Pc> = network.pcs.iter().filter(|pc| pc.name != self.name).collect();
        if !others.is_empty() {
            arguments.push("--bootnodes".into());
            arguments.extend(others.iter().map(|pc| OsString::from(&pc.node.multiaddr)));
        }
        arguments
    }

    /// `hydra-trainer`'s arguments, given everybody in the network and the machine's cores.
    pub fn trainer_arguments(&self, network: &Network, datasets: &[PathBuf], cores: usize) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "--base-path".into(),
            (&self.trainer.base_path).into(),
            "--http-port".into(),
            self.trainer.http_port.to_string().into(),
            "--node-rpc-port".into(),
            self.node.rpc_port.to_string().into(),
            "--token-file".into(),
            (&self.trainer.token_file).into(),
            "--p2p-address".into(),
            "127.0.0.1".into(),
            "--p2p-port".into(),
            self.trainer.p2p_port.to_string().into(),
            // Nor should a router open ports for one, or anybody hear of it.
            "--no-port-mapping".into(),
            "--no-mdns".into(),
            "--key-file".into(),
            (&self.trainer.key_file).into(),
            // The PCs share one machine's cores.
            "--workers".into(),
            (cores / network.pcs.len().max(1)).max(1).to_string().into(),
        ];
        for dataset in datasets {
            arguments.extend([OsString::from("--dataset"), dataset.into()]);
        }
        for other in network.pcs.iter().filter(|pc| pc.name != self.name) {
            arguments.extend([
                OsString::from("--bootstrap"),
                other.trainer.multiaddr.clone().into(),
            ]);
        }
        arguments
    }
}

/// The secret of a node's identity: the PC's number, counted from 1.
pub fn node_key(index: u8) -> [u8; 32] {
    let mut key = [0; 32];
    if let Some(last) = key.last_mut() {
        *last = index.saturating_add(1);
    }
    key
}

/// The secret of a trainer's identity, as it follows from its node's.
pub fn trainer_key(index: u8) -> [u8; 32] {
    blake3::derive_key(IDENTITY_CONTEXT, &node_key(index))
}

/// The libp2p identity of an ed25519 secret.
pub fn peer_id(mut secret: [u8; 32]) -> String {
    // Every 32 bytes are an ed25519 secret, so this can't fail.
    Keypair::ed25519_from_bytes(&mut secret)
        .map(|pair| pair.public().to_peer_id().to_base58())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn network(pcs: u8) -> Network {
        Layout::new("/base".into(), pcs, 30_000).network()
    }

    #[test]
    fn node_identities_follow_from_the_number_of_the_pc() {
        let peers: Vec<String> = network(4).pcs.into_iter().map(|pc| pc.node.peer_id).collect();
        assert_eq!(peers[0], "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
        assert_eq!(peers.iter().collect::<HashSet<_>>().len(), 4);
    }

    #[test]
    fn no_port_is_used_twice_and_none_depends_on_the_number_of_pcs() {
        let ports = |pcs| {
            network(pcs)
                .pcs
                .iter()
                .flat_map(|pc| pc.ports().map(|(_, port, _)| port))
                .collect::<Vec<_>>()
        };
        let four = ports(4);
        assert_eq!(four.iter().collect::<HashSet<_>>().len(), 16);
        assert!(four.iter().all(|port| (30_000..30_016).contains(port)));
        assert_eq!(ports(2), four[..8]);
        assert_eq!(four[0], 30_000, "the first RPC port is the base port");
    }

    #[test]
    fn the_highest_base_port_does_not_overflow() {
        let network = Layout::new("/base".into(), 4, LAST_BASE_PORT).network();
        assert_eq!(network.pcs[3].trainer.p2p_port, u16::MAX);
    }

    #[test]
    fn everybody_knows_everybody_else() {
        let network = network(3);
        let bob = network.pc("BOB").unwrap();
        let node = bob.node_arguments(&network);
        let trainer = bob.trainer_arguments(&network, &["/data/digits".into(), "/data/dots".into()], 2);
        for other in ["alice", "charlie"] {
            let other = network.pc(other).unwrap();
            assert!(node.contains(&OsString::from(&other.node.multiaddr)));
            assert!(trainer.contains(&OsString::from(&other.trainer.multiaddr)));
        }
        assert!(
            !node.contains(&OsString::from(&bob.node.multiaddr))
                && !trainer.contains(&OsString::from(&bob.trainer.multiaddr))
        );
        assert!(node.contains(&OsString::from("--bob")));
        for dataset in ["/data/digits", "/data/dots"] {
            let named = |pair: &[OsString]| pair == ["--dataset", dataset].map(OsString::from);
            assert!(trainer.windows(2).any(named), "{trainer:?}");
        }
        assert!(node.contains(&OsString::from(format!("{:064x}", 2))));
    }

    #[test]
    fn nobody_on_the_same_lan_can_reach_a_local_network() {
        let network = network(4);
        for pc in &network.pcs {
            let trainer = pc.trainer_arguments(&network, &[], 2);
            let at = trainer.iter().position(|word| word == "--p2p-address").unwrap();
            assert_eq!(trainer[at + 1], "127.0.0.1");
            for option in ["--no-port-mapping", "--no-mdns"] {
                assert!(trainer.iter().any(|word| word == option), "{option}: {trainer:?}");
            }
            let node = pc.node_arguments(&network);
            let at = node.iter().position(|word| word == "--listen-addr").unwrap();
            assert!(node[at + 1].to_string_lossy().starts_with("/ip4/127.0.0.1/"));
        }
    }

    #[test]
    fn one_pc_is_a_network_of_its_own() {
        assert_eq!(network(1).chain, "dev");
        assert_eq!(network(2).chain, "local");
        assert!(
            !network(1).pcs[0]
                .node_arguments(&network(1))
                .contains(&OsString::from("--bootnodes"))
        );
    }
}
