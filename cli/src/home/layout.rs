//! What a PC in a network with others looks like: its name, its ports, and where its data are.

use hydra_primitives::AccountBytes;
use std::{fs, path::PathBuf};

use super::{Wish, keys::Identities};
use crate::{
    accounts,
    network::{Node, Pc, Trainer, peer_id},
};

/// Where a node and a trainer listen unless told otherwise.
const RPC_PORT: u16 = 9944;
const NODE_PORT: u16 = 30_333;
const HTTP_PORT: u16 = 8_790;
const TRAINER_PORT: u16 = 30_400;

/// RPC, node, HTTP and trainer: where the PC listens. What isn't wished for stays as it was before.
pub fn ports(before: Option<&Pc>, wish: &Wish<'_>) -> [u16; 4] {
    let port = |given: Option<u16>, before: Option<u16>, usual| given.or(before).unwrap_or(usual);
    let node = before.map(|pc| &pc.node);
    let trainer = before.map(|pc| &pc.trainer);
    let (given, http) = (wish.ports, wish.ports.trainer_http_port);
    [
        port(given.rpc_port, node.map(|node| node.rpc_port), RPC_PORT),
        port(given.p2p_port, node.map(|node| node.p2p_port), NODE_PORT),
        port(http, trainer.map(|trainer| trainer.http_port), HTTP_PORT),
        port(
            given.trainer_p2p_port,
            trainer.map(|trainer| trainer.p2p_port),
            TRAINER_PORT,
        ),
    ]
}

/// The PC in `folder`. What isn't wished for stays as it was before.
pub fn pc(
    folder: PathBuf,
    account: AccountBytes,
    identities: Identities,
    before: Option<&Pc>,
    wish: &Wish<'_>,
) -> Pc {
    let [rpc_port, node_port, http_port, trainer_port] = ports(before, wish);
    let (node_peer, trainer_peer) = (peer_id(identities.node), peer_id(identities.trainer));
    let name = wish
        .name
        .map(plain_name)
        .or_else(|| before.map(|pc| pc.name.clone()));
    Pc {
        name: name.unwrap_or_else(host_name),
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
    }
}

/// What this computer calls itself, as the name of a PC.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    plain_name(name.trim())
}

/// A name that the node takes: it is shown to others.
fn plain_name(name: &str) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(32)
        .collect();
    match plain.trim_matches('-') {
        "" => "my-pc".into(),
        name => name.into(),
    }
}
