//! Getting and staying connected.

use crate::common::{PATIENCE, config, content, free_address, limits, node, start};
use hydra_blobs::BlobStore;
use hydra_network::{DialError, FetchError, Keypair, Limits, Network, NetworkConfig, NetworkError, SizeRule};
use libp2p::multiaddr::Protocol;
use std::{
    io::{ErrorKind, Read},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

#[tokio::test]
async fn bootstrap_peers_are_connected_and_described() {
    let a = node().await;
    let b = start(NetworkConfig {
        bootstrap: vec![a.address()],
        ..config()
    })
    .await;
    let peers = b
        .until(|p| p.iter().any(|p| p.latency.is_some() && p.agent.is_some()))
        .await;
    assert_eq!(peers.len(), 1);
    assert_eq!(peers[0].peer_id, a.id());
    assert_eq!(
        peers[0].agent.as_deref(),
        Some(concat!("hydra-trainer/", env!("CARGO_PKG_VERSION")))
    );
    a.until(|p| p.len() == 1 && p[0].peer_id == b.id()).await;
}

#[tokio::test]
async fn connects_to_a_bootstrap_peer_that_starts_later_and_again_after_its_restart() {
    let address = free_address();
    let keypair = Keypair::generate_ed25519();
    let id = keypair.public().to_peer_id();
    // With and without the PeerId in the address.
    let early = start(NetworkConfig {
        bootstrap: vec![address.clone().with(Protocol::P2p(id)), address.clone()],
        ..config()
    })
    .await;
    assert!(early.net.peers().is_empty());
    for _ in 0..2 {
        let late = start(NetworkConfig {
            listen: vec![address.clone()],
            keypair: keypair.clone(),
            ..config()
        });
        let late = late.await;
        early.until(|p| p.iter().any(|p| p.peer_id == id)).await;
        let hash = late.store.put(&content(100)).unwrap();
        early
            .net
            .fetch(hash, SizeRule::Exact(100), vec![id])
            .await
            .unwrap();
        early.store.remove(hash).unwrap();
        late.net.shutdown().await;
        early.until(Vec::is_empty).await;
    }
}

#[tokio::test]
async fn peers_that_dial_each_other_end_up_with_a_working_connection() {
    let (first, second) = (free_address(), free_address());
    let a = NetworkConfig {
        listen: vec![first.clone()],
        bootstrap: vec![second.clone()],
        ..config()
    };
    let b = NetworkConfig {
        listen: vec![second],
        bootstrap: vec![first],
        ..config()
    };
    let (a, b) = tokio::join!(start(a), start(b));
    a.until(|p| p.len() == 1).await;
    b.until(|p| p.len() == 1).await;
    let hash = a.store.put(&content(3_000_000)).unwrap();
    b.net
        .fetch(hash, SizeRule::Exact(3_000_000), vec![])
        .await
        .unwrap();
    // Dialling once more changes nothing.
    assert_eq!(a.net.dial(b.address()).await, Ok(b.id()));
    assert_eq!(a.net.peers().len(), 1);
}

#[tokio::test]
async fn its_own_address_among_the_bootstrap_peers_does_no_harm() {
    let address = free_address();
    let other = node().await;
    let a = start(NetworkConfig {
        listen: vec![address.clone()],
        bootstrap: vec![address.clone(), other.address()],
        ..config()
    })
    .await;
    a.until(|p| p.len() == 1 && p[0].peer_id == other.id()).await;
    let itself = a.net.dial(address.clone()).await;
    assert_eq!(itself, Err(DialError::Ourselves { address }));
    let itself = a.net.dial(a.address()).await;
    assert!(matches!(itself, Err(DialError::Ourselves { .. })), "{itself:?}");
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let a = node().await;
    let mut taken = a.address();
    taken.pop();
    let Some(Protocol::Tcp(port)) = taken.iter().last() else {
        panic!("{taken}")
    };
    let dir = TempDir::new().unwrap();
    let store = Arc::new(BlobStore::open(dir.path()).unwrap());
    let error = Network::start(
        NetworkConfig {
            listen: vec![taken],
            ..config()
        },
        store,
    )
    .await
    .unwrap_err();
    assert!(matches!(error, NetworkError::PortTaken { port: p, .. } if p == port));
    assert!(
        error
            .to_string()
            .starts_with(&format!("port {port} on 127.0.0.1 is already in use. Stop"))
    );
}

#[tokio::test]
async fn an_address_that_cant_be_listened_on_is_an_error() {
    // Documentation range, not ours; and a transport we don't have.
    for address in [
        "/ip4/192.0.2.1/tcp/30400",
        "/ip4/127.0.0.1/udp/30400/quic-v1",
        "/ip4/127.0.0.1",
    ] {
        let dir = TempDir::new().unwrap();
        let store = Arc::new(BlobStore::open(dir.path()).unwrap());
        let config = NetworkConfig {
            listen: vec![address.parse().unwrap()],
            ..config()
        };
        let error = Network::start(config, store).await.unwrap_err();
        assert!(matches!(error, NetworkError::Listen { .. }), "{address}: {error}");
    }
}

#[tokio::test]
async fn dialling_says_why_it_failed() {
    let (a, b) = (node().await, node().await);
    let nobody = free_address();
    let refused = a.net.dial(nobody.clone()).await.unwrap_err();
    assert!(matches!(&refused, DialError::Unreachable { address, .. } if *address == nobody));
    assert!(refused.to_string().contains("refused"), "{refused}");
    let mut wrong = b.address();
    wrong.pop();
    let wrong = wrong.with(Protocol::P2p(libp2p::PeerId::random()));
    let answered = a.net.dial(wrong.clone()).await.unwrap_err();
    assert_eq!(
        answered,
        DialError::WrongPeer {
            address: wrong,
            obtained: b.id()
        }
    );
    let nonsense = a.net.dial("/ip4/127.0.0.1/udp/1".parse().unwrap()).await;
    assert!(
        matches!(nonsense, Err(DialError::Unreachable { .. })),
        "{nonsense:?}"
    );
}

#[tokio::test]
async fn who_never_ends_a_handshake_gives_way_to_others() {
    let server = start(NetworkConfig {
        limits: Limits {
            connections_pending: 4,
            handshake: 4 * PATIENCE,
            ..limits()
        },
        ..config()
    })
    .await;
    let address = server.address();
    let Some(Protocol::Tcp(port)) = address.iter().nth(1) else {
        panic!("{address}")
    };
    let connect = |_| {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream
    };
    let silent: Vec<_> = (0..20).map(connect).collect();
    let friend = node().await;
    let let_in = async {
        while friend.net.dial(address.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let let_in = tokio::time::timeout(PATIENCE, let_in).await;
    let_in.expect("silent ones have all places");
    // Those who came first were let in; whoever of them gave way is let go of, long before its time is up.
    let has_ended = |mut stream: &TcpStream| match stream.read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    let let_go = async {
        while !silent.iter().take(4).any(has_ended) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let let_go = tokio::time::timeout(PATIENCE, let_go).await;
    let_go.expect("who gave way still holds a connection");
}

#[tokio::test]
async fn after_shutdown_the_port_is_free_and_calls_say_so() {
    let a = start(NetworkConfig {
        listen: vec![free_address()],
        ..config()
    })
    .await;
    let b = node().await;
    b.connect(&a).await;
    let address = a.address();
    a.net.shutdown().await;
    a.net.shutdown().await;
    b.until(Vec::is_empty).await;
    assert_eq!(a.net.dial(b.address()).await, Err(DialError::ShutDown));
    let fetched = a
        .net
        .fetch(crate::common::absent(), SizeRule::Exact(1), vec![])
        .await;
    assert!(matches!(fetched, Err(FetchError::ShutDown)));
    start(NetworkConfig {
        listen: vec![address.into_iter().take(2).collect()],
        ..config()
    })
    .await;
}
