//! The addresses that home PCs have: names, IPv4 and IPv6, on the real program.

use crate::common::{Connection, Node, eventually};

#[test]
fn a_node_is_reached_by_name_and_over_both_families() {
    let folder = tempfile::tempdir().unwrap();
    let port = hydra_test_ports::free_ports(1);
    let (p, chain) = (port.to_string(), ["--chain", "local"]);
    // Listening as it does by default.
    let mut alice = Node::start(
        &folder.path().join("alice"),
        &[chain[0], chain[1], "--alice", "--port", &p],
    );
    let line = alice.says("Local node identity is: ");
    let (_, id) = line.split_once("identity is: ").expect("as searched");
    alice.rpc();
    let ipv6 = std::net::TcpStream::connect(("::1", port)).is_ok();
    assert!(
        ipv6 || std::net::TcpListener::bind("[::1]:0").is_err(),
        "IPv6 is here and the node isn't on it"
    );
    let mut addresses = vec![
        format!("/ip4/127.0.0.1/tcp/{port}"),
        format!("/dns4/localhost/tcp/{port}"),
        format!("/dns/localhost/tcp/{port}"),
    ];
    if ipv6 {
        addresses.push(format!("/ip6/::1/tcp/{port}"));
    }
    for (number, address) in addresses.iter().enumerate() {
        let boot = format!("{address}/p2p/{}", id.trim());
        let arguments = [chain[0], chain[1], "--bootnodes", &boot];
        let mut other = Node::start(&folder.path().join(number.to_string()), &arguments);
        let rpc = other.rpc();
        eventually(&format!("a peer by way of {address}"), || {
            let health = Connection::to(rpc).call("system_health", "[]", &[]).json();
            health["result"]["peers"].as_u64() == Some(1)
        });
    }
}
