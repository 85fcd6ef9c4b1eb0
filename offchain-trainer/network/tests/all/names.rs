//! Addresses as home PCs have them: names, IPv4 and IPv6.

use crate::common::{PATIENCE, config, free_address, has_ipv6, node, start};
use hydra_blobs::BlobStore;
use hydra_network::{AwayPeer, DialError, Keypair, Multiaddr, Network, NetworkConfig, NetworkError};
use libp2p::multiaddr::Protocol;
use std::sync::Arc;
use tempfile::TempDir;

fn port(address: &Multiaddr) -> u16 {
    let port = address.iter().find_map(|part| match part {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(port),
        _ => None,
    });
    port.unwrap()
}

fn at(host: &str, address: &Multiaddr) -> Multiaddr {
    format!("{host}/tcp/{}", port(address)).parse().unwrap()
}

/// No system asks anybody about it: a label has 63 characters at most.
fn impossible_name() -> String {
    "x".repeat(64)
}

#[tokio::test]
async fn a_bootstrap_peer_given_by_name_is_connected() {
    let a = node().await;
    for host in ["/dns4/localhost", "/dns/localhost"] {
        let named = at(host, &a.address()).with(Protocol::P2p(a.id()));
        let b = start(NetworkConfig {
            bootstrap: vec![named.clone()],
            ..config()
        })
        .await;
        let peers = b.until(|peers| peers.len() == 1).await;
        assert_eq!(peers[0].peer_id, a.id());
        assert!(b.net.away().is_empty());
    }
}

#[tokio::test]
async fn a_bootstrap_peer_given_by_name_is_tried_again_until_it_is_there() {
    let address = free_address();
    let named = at("/dns4/localhost", &address);
    let early = start(NetworkConfig {
        bootstrap: vec![named.clone()],
        ..config()
    })
    .await;
    let mut away = early.net.watch_away();
    let seen = away.wait_for(|away| away.iter().any(|peer| peer.attempts >= 2));
    let seen = tokio::time::timeout(PATIENCE, seen)
        .await
        .unwrap()
        .unwrap()
        .clone();
    assert_eq!(seen[0].address, named);
    assert!(seen[0].reason.contains("refused"), "{}", seen[0].reason);
    let late = start(NetworkConfig {
        listen: vec![address],
        ..config()
    })
    .await;
    early
        .until(|peers| peers.iter().any(|peer| peer.peer_id == late.id()))
        .await;
    assert!(early.net.away().is_empty());
}

#[tokio::test]
async fn a_name_that_isnt_found_is_tried_again_and_said_by_name() {
    let name = impossible_name();
    let address: Multiaddr = format!("/dns4/{name}/tcp/30400").parse().unwrap();
    let a = start(NetworkConfig {
        bootstrap: vec![address.clone()],
        ..config()
    })
    .await;
    let mut away = a.net.watch_away();
    let seen = away.wait_for(|away| away.iter().any(|peer| peer.attempts >= 3));
    let seen = tokio::time::timeout(PATIENCE, seen)
        .await
        .unwrap()
        .unwrap()
        .clone();
    let [
        AwayPeer {
            address: said,
            reason,
            ..
        },
    ] = &seen[..]
    else {
        panic!("{seen:?}")
    };
    assert_eq!(*said, address);
    assert!(
        reason.contains(&format!("the name {name} can't be found (")),
        "{reason}"
    );
    // Everything else goes on.
    let b = node().await;
    a.connect(&b).await;
}

#[tokio::test]
async fn dialling_a_name_says_what_is_wrong_with_it() {
    let a = node().await;
    let name = impossible_name();
    for (address, said) in [
        (format!("/dns/{name}/tcp/1"), "can't be found ("),
        // A number is its own name, and has one address.
        ("/dns6/127.0.0.1/tcp/1".into(), "it has no IPv6 address"),
        ("/dns4/::1/tcp/1".into(), "it has no IPv4 address"),
        (
            "/dns4/127.0.0.1/udp/1".into(),
            "it isn't an IP address or name with a TCP port",
        ),
        ("/dns4/127.0.0.1/tcp/1".into(), "refused"),
    ] {
        // "::1" can't be written in an address that is text.
        let address = match address.strip_prefix("/dns4/::1") {
            Some(_) => Multiaddr::empty()
                .with(Protocol::Dns4("::1".into()))
                .with(Protocol::Tcp(1)),
            None => address.parse().unwrap(),
        };
        let error = a.net.dial(address.clone()).await.unwrap_err();
        assert!(
            matches!(&error, DialError::Unreachable { address: of, .. } if *of == address),
            "{error}"
        );
        assert!(error.to_string().contains(said), "{error}");
    }
    // The reserved top-level domain: libp2p's resolver asks nobody about it.
    let dnsaddr: Multiaddr = "/dnsaddr/nobody.invalid".parse().unwrap();
    let error = a.net.dial(dnsaddr).await.unwrap_err().to_string();
    assert!(
        error.contains("the name nobody.invalid can't be found ("),
        "{error}"
    );
}

#[tokio::test]
async fn our_own_name_is_recognized() {
    let address = free_address();
    let named = at("/dns4/localhost", &address);
    let a = start(NetworkConfig {
        listen: vec![address],
        bootstrap: vec![named.clone()],
        ..config()
    })
    .await;
    assert_eq!(
        a.net.dial(named.clone()).await,
        Err(DialError::Ourselves { address: named })
    );
}

#[tokio::test]
async fn peers_connect_over_ipv6_where_there_is_any() {
    let listen = vec!["/ip6/::1/tcp/0".parse().unwrap()];
    if !has_ipv6() {
        let dir = TempDir::new().unwrap();
        let store = Arc::new(BlobStore::open(dir.path()).unwrap());
        let error = Network::start(NetworkConfig { listen, ..config() }, store).await;
        assert!(
            matches!(error, Err(NetworkError::Listen { .. })),
            "asked for by name"
        );
        return;
    }
    let a = start(NetworkConfig { listen, ..config() }).await;
    assert!(a.address().to_string().starts_with("/ip6/::1/tcp/"));
    let b = start(NetworkConfig {
        bootstrap: vec![a.address()],
        ..config()
    })
    .await;
    b.until(|peers| peers.len() == 1 && peers[0].peer_id == a.id())
        .await;
}

#[tokio::test]
async fn both_families_are_listened_on_at_one_port_and_one_where_the_other_is_missing() {
    let a = start(NetworkConfig {
        listen: vec![
            "/ip4/0.0.0.0/tcp/0".parse().unwrap(),
            "/ip6/::/tcp/0".parse().unwrap(),
        ],
        ..config()
    })
    .await;
    let addresses = a.net.listen_addresses();
    let first = port(&addresses[0]);
    assert!(
        addresses.iter().all(|address| port(address) == first),
        "{addresses:?}"
    );
    let is_v6 = |address: &Multiaddr| matches!(address.iter().next(), Some(Protocol::Ip6(_)));
    assert_eq!(addresses.iter().any(is_v6), has_ipv6(), "{addresses:?}");
    assert!(!addresses.iter().all(is_v6), "{addresses:?}");
    for (host, reachable) in [("/ip4/127.0.0.1", true), ("/ip6/::1", has_ipv6())] {
        let b = node().await;
        let dialled = b.net.dial(at(host, &addresses[0])).await;
        assert_eq!(dialled.is_ok(), reachable, "{host}: {dialled:?}");
    }
}

#[tokio::test]
async fn a_taken_port_is_named_whichever_family_it_is_taken_in() {
    let mut taken = vec![("/ip4/127.0.0.1/tcp/0", "127.0.0.1")];
    if has_ipv6() {
        taken.push(("/ip6/::1/tcp/0", "::1"));
    }
    for (address, ip) in taken {
        let a = start(NetworkConfig {
            listen: vec![address.parse().unwrap()],
            keypair: Keypair::generate_ed25519(),
            ..config()
        })
        .await;
        let port = port(&a.address());
        let everywhere = ["/ip4/0.0.0.0", "/ip6/::"].map(|all| at(all, &a.address()));
        let dir = TempDir::new().unwrap();
        let store = Arc::new(BlobStore::open(dir.path()).unwrap());
        let listen = everywhere.to_vec();
        let error = Network::start(NetworkConfig { listen, ..config() }, store)
            .await
            .unwrap_err();
        assert!(
            matches!(error, NetworkError::PortTaken { port: said, .. } if said == port),
            "{ip}: {error}"
        );
    }
}
