//! How peers reach each other: transports, relays, holes. All on 127.0.0.1, which counts as the internet here.

use crate::common::{Node, PATIENCE, config, content, free_address, node, raw_streams_for, start};
use futures::AsyncWriteExt;
use hydra_blobs::BlobStore;
use hydra_network::{
    Carrier, DialError, Keypair, Multiaddr, Network, NetworkConfig, NetworkError, Scope, SizeRule, discovery,
    reach::{Config, Path, Reachability, State, Wss},
};
use libp2p::{StreamProtocol, multiaddr::Protocol};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// For the name `localhost` and 127.0.0.1, until 2126; known to everybody, so good for tests alone.
const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

fn here() -> Config {
    Config {
        internet: Scope::Loopback,
        pace: Duration::from_millis(20),
        // A relay is no longer used where others get in, and here they always do.
        autonat: false,
        ..config().reach
    }
}

/// A PC that everybody reaches.
async fn open_pc(listen: Multiaddr, keypair: Keypair) -> Node {
    start(NetworkConfig {
        keypair,
        listen: vec![listen],
        reach: Config {
            assume_public: true,
            ..here()
        },
        ..config()
    })
    .await
}

async fn relay() -> Node {
    open_pc(free_address(), Keypair::generate_ed25519()).await
}

/// A PC that knows the relay alone.
async fn home(relay: &Node, listen: bool) -> Node {
    home_at(relay.address(), listen).await
}

async fn home_at(relay: Multiaddr, listen: bool) -> Node {
    let listen = if listen { config().listen } else { Vec::new() };
    let home = start(NetworkConfig {
        listen,
        bootstrap: vec![relay],
        reach: here(),
        // They are to find each other over the relay alone.
        discovery: discovery::Config {
            kademlia: false,
            ..config().discovery
        },
        ..config()
    })
    .await;
    // Then it also knows where the relay sees it.
    home.until(|peers| peers.iter().any(|peer| peer.agent.is_some()))
        .await;
    home
}

async fn until(node: &Node, wanted: impl FnMut(&Reachability) -> bool) -> Reachability {
    let mut watch = node.net.watch_reachability();
    let found = tokio::time::timeout(PATIENCE, watch.wait_for(wanted)).await;
    found
        .unwrap_or_else(|_| panic!("still {:?}", node.net.reachability()))
        .unwrap()
        .clone()
}

fn through_relay(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// Where a relay keeps a place for a node, once one does.
async fn relayed_address(node: &Node) -> Multiaddr {
    let found = until(node, |now| now.addresses.iter().any(through_relay)).await;
    found.addresses.into_iter().find(through_relay).unwrap()
}

async fn fetches(node: &Node, from: &Node, size: usize) {
    let hash = from.store.put(&content(size)).unwrap();
    let size = size as u64;
    let fetched = node.net.fetch(hash, SizeRule::Exact(size), vec![from.id()]).await;
    assert_eq!(fetched.unwrap(), size);
}

#[tokio::test]
async fn a_blob_comes_over_quic_at_the_port_that_tcp_has() {
    let (a, b) = (node().await, node().await);
    let [tcp, quic] = &a.net.listen_addresses()[..] else {
        panic!("{:?}", a.net.listen_addresses())
    };
    let port = |address: &Multiaddr| match address.iter().nth(1) {
        Some(Protocol::Tcp(port) | Protocol::Udp(port)) => port,
        other => panic!("{other:?}"),
    };
    assert_eq!(port(tcp), port(quic));
    assert_eq!(b.net.dial(quic.clone()).await, Ok(a.id()));
    let peers = b.until(|peers| peers.len() == 1).await;
    assert_eq!((peers[0].carrier, peers[0].path), (Carrier::Quic, Path::Direct));
    fetches(&b, &a, 3_000_000).await;
    a.until(|peers| peers.iter().any(|peer| peer.carrier == Carrier::Quic))
        .await;
}

#[tokio::test]
async fn a_peer_with_quic_only_is_dialled_by_name() {
    let (a, b) = (node().await, node().await);
    let quic = a.net.listen_addresses().remove(1);
    let rest = quic.iter().skip(1);
    let named = rest.fold(
        Multiaddr::empty().with(Protocol::Dns4("localhost".into())),
        |address, part| address.with(part),
    );
    assert_eq!(b.net.dial(named).await, Ok(a.id()));
}

#[tokio::test]
async fn without_quic_udp_is_left_alone() {
    let a = start(NetworkConfig {
        reach: Config {
            quic: false,
            ..here()
        },
        ..config()
    })
    .await;
    assert_eq!(a.net.listen_addresses().len(), 1);
}

#[tokio::test]
async fn two_who_only_dial_out_meet_through_a_relay_and_blobs_come_through_it() {
    let relay = relay().await;
    let (a, b) = (home(&relay, false).await, home(&relay, false).await);
    assert!(a.net.listen_addresses().iter().all(through_relay));
    let address = relayed_address(&a).await;
    let said = until(&a, |now| now.state == State::Relayed).await;
    let relay_id = relay.id().to_string();
    assert!(
        said.reason
            .starts_with("this PC doesn't listen for others, so others reach it through relay …")
            && said.reason.contains(&relay_id[relay_id.len() - 8..]),
        "{}",
        said.reason
    );
    assert_eq!(b.net.dial(address).await, Ok(a.id()));
    for (node, other) in [(&a, &b), (&b, &a)] {
        let peers = node
            .until(|peers| peers.iter().any(|peer| peer.peer_id == other.id()))
            .await;
        let peer = peers.iter().find(|peer| peer.peer_id == other.id()).unwrap();
        assert_eq!(
            (peer.path, peer.carrier),
            (Path::Relayed, Carrier::Tcp),
            "{peer:?}"
        );
    }
    fetches(&b, &a, 3_000_000).await;
    fetches(&a, &b, 2_000_000).await;
    // Nobody else is asked for a place: the relay itself needs none.
    assert_eq!(relay.net.reachability().state, State::Public);
}

#[tokio::test]
async fn a_hole_is_punched_and_the_relay_is_needed_no_more() {
    punched(Carrier::Tcp).await;
}

#[tokio::test]
async fn a_hole_is_punched_over_quic_as_well() {
    punched(Carrier::Quic).await;
}

/// Each knows where the relay sees it come from, by the transport that leads there: so that is what is punched.
async fn punched(carrier: Carrier) {
    let relay = relay().await;
    let nth = if carrier == Carrier::Tcp { 0 } else { 1 };
    let known = relay.net.listen_addresses().remove(nth);
    let (a, b) = (home_at(known.clone(), true).await, home_at(known, true).await);
    let address = relayed_address(&a).await;
    assert_eq!(b.net.dial(address).await, Ok(a.id()));
    for (node, other) in [(&a, &b), (&b, &a)] {
        let punched = node
            .until(|peers| {
                peers
                    .iter()
                    .any(|peer| peer.peer_id == other.id() && peer.path == Path::Punched)
            })
            .await;
        assert!(punched.iter().all(|peer| !through_relay(&peer.address)));
        assert!(punched.iter().all(|peer| peer.carrier == carrier), "{punched:?}");
    }
    until(&a, |now| now.state == State::Punched).await;
    let relay_id = relay.id();
    relay.net.shutdown().await;
    for (node, other) in [(&a, &b), (&b, &a)] {
        let left = node
            .until(|peers| peers.iter().all(|peer| peer.peer_id != relay_id))
            .await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].path, Path::Punched);
        fetches(node, other, 1_000_000).await;
        node.store
            .remove(node.store.put(&content(1_000_000)).unwrap())
            .unwrap();
        other
            .store
            .remove(other.store.put(&content(1_000_000)).unwrap())
            .unwrap();
    }
}

#[tokio::test]
async fn a_relay_that_restarts_keeps_a_place_again_and_nobody_is_told_otherwise_meanwhile() {
    let (listen, keypair) = (free_address(), Keypair::generate_ed25519());
    let relay = open_pc(listen.clone(), keypair.clone()).await;
    let (a, b) = (home(&relay, false).await, home(&relay, false).await);
    let before = relayed_address(&a).await;
    until(&a, |now| now.state == State::Relayed).await;
    relay.net.shutdown().await;
    let gone = until(&a, |now| !now.addresses.iter().any(through_relay)).await;
    assert_eq!(gone.state, State::Relayed);
    let relay = open_pc(listen, keypair).await;
    let after = relayed_address(&a).await;
    assert_eq!(before, after);
    b.until(|peers| peers.iter().any(|peer| peer.peer_id == relay.id()))
        .await;
    assert_eq!(b.net.dial(after).await, Ok(a.id()));
    fetches(&b, &a, 100_000).await;
}

#[tokio::test]
async fn a_peer_that_is_asked_to_try_gets_in_and_its_try_costs_no_connection() {
    let relay = start(NetworkConfig {
        reach: Config {
            assume_public: true,
            autonat: true,
            ..here()
        },
        ..config()
    })
    .await;
    let a = start(NetworkConfig {
        bootstrap: vec![relay.address()],
        reach: Config {
            autonat: true,
            ..here()
        },
        ..config()
    })
    .await;
    let said = until(&a, |now| now.state == State::Public).await;
    assert!(said.reason.contains("one of them got in"), "{}", said.reason);
    let mut own = a.address();
    own.pop();
    assert!(
        said.addresses.contains(&a.address()),
        "{own} in {:?}",
        said.addresses
    );
    for node in [&a, &relay] {
        assert_eq!(node.net.peers().len(), 1);
    }
    fetches(&a, &relay, 1_000_000).await;
}

#[tokio::test]
async fn who_begins_to_dial_back_and_says_nothing_stops_nobody() {
    let a = start(NetworkConfig {
        reach: Config {
            autonat: true,
            ..here()
        },
        ..config()
    })
    .await;
    let b = node().await;
    a.connect(&b).await;
    let dial_back = StreamProtocol::new("/libp2p/autonat/2/dial-back");
    let (mut streams, _swarm) = raw_streams_for(&a, dial_back, 2).await;
    let began = Instant::now();
    for stream in &mut streams {
        stream.close().await.unwrap();
    }
    fetches(&b, &a, 100_000).await;
    // The library reads on for five seconds, in which nothing else happens on this thread.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn on_this_computer_alone_nobody_is_asked_and_nothing_claimed() {
    let (a, b) = (node().await, node().await);
    a.connect(&b).await;
    a.until(|peers| peers.iter().any(|peer| peer.agent.is_some()))
        .await;
    let now = a.net.reachability();
    assert_eq!((now.state, now.addresses), (State::Unknown, vec![]));
    assert!(now.reason.starts_with("no PC on the internet was met"));
}

#[tokio::test]
async fn websocket_over_tls_leads_to_who_has_a_certificate_that_is_believed() {
    let port = hydra_test_ports::free_ports(1);
    let a = start(NetworkConfig {
        reach: Config {
            wss: Some(Wss {
                port,
                certificate: CERTIFICATE.into(),
                key: KEY.into(),
            }),
            ..here()
        },
        ..config()
    })
    .await;
    let listening: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}/tls/ws/p2p/{}", a.id())
        .parse()
        .unwrap();
    assert!(a.net.listen_addresses().contains(&listening));
    let trusting = || {
        start(NetworkConfig {
            reach: Config {
                trust: CERTIFICATE.into(),
                ..here()
            },
            ..config()
        })
    };
    for address in [
        format!("/dns4/localhost/tcp/{port}/tls/ws"),
        format!("/dns/localhost/tcp/{port}/wss/p2p/{}", a.id()),
        format!("/ip4/127.0.0.1/tcp/{port}/tls/ws"),
    ] {
        let b = trusting().await;
        assert_eq!(
            b.net.dial(address.parse().unwrap()).await,
            Ok(a.id()),
            "{address}"
        );
        let peers = b.until(|peers| peers.len() == 1).await;
        assert_eq!(peers[0].carrier, Carrier::WebSocket, "{peers:?}");
        fetches(&b, &a, 1_500_000).await;
    }
    let stranger = node().await;
    let refused = stranger.net.dial(listening).await.unwrap_err();
    assert!(matches!(refused, DialError::Unreachable { .. }));
    assert!(
        refused.to_string().to_lowercase().contains("certificate"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_certificate_that_cant_be_used_is_an_error() {
    let broken = b"-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
    for (certificate, key) in [(CERTIFICATE, &broken[..]), (&b""[..], KEY), (CERTIFICATE, b"")] {
        let dir = TempDir::new().unwrap();
        let store = Arc::new(BlobStore::open(dir.path()).unwrap());
        let config = NetworkConfig {
            reach: Config {
                wss: Some(Wss {
                    port: hydra_test_ports::free_ports(1),
                    certificate: certificate.into(),
                    key: key.into(),
                }),
                ..here()
            },
            ..config()
        };
        let error = Network::start(config, store).await.unwrap_err();
        assert!(matches!(error, NetworkError::Certificate(_)), "{error}");
    }
}
