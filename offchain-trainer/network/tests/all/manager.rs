//! Who stays connected with whom, and who is found again.

use crate::common::{
    Node, PATIENCE, absent, config, content, free_address, limits, node, raw_streams, start,
};
use hydra_network::{
    FetchError, Keypair, Limits, Member, NetworkConfig, PeerInfo, SizeRule,
    manager::{Config, Slot},
};
use std::time::{Duration, Instant};

const IDLE: Duration = Duration::from_secs(1);

/// Keeps as many peers that it dialled, and tries none out.
fn keeps(long_term: usize) -> NetworkConfig {
    NetworkConfig {
        manager: Config {
            long_term,
            exploratory: 0,
            exploratory_settled: 0,
            small: 0,
            idle: IDLE,
            ..Config::default()
        },
        ..config()
    }
}

fn slot(node: &Node, peer: &Node) -> Option<Slot> {
    let peers = node.net.peers();
    peers
        .iter()
        .find(|info| info.peer_id == peer.id())
        .map(|info| info.slot)
}

#[tokio::test]
async fn a_peer_without_a_slot_is_left_when_nothing_moves_and_one_with_a_slot_stays() {
    // The third neither keeps nor dials anybody.
    let (a, b, c) = (start(keeps(1)).await, node().await, start(keeps(0)).await);
    a.connect(&b).await;
    a.connect(&c).await;
    assert_eq!(slot(&a, &b), Some(Slot::LongTerm));
    assert_eq!(slot(&b, &a), Some(Slot::Inbound));
    a.until(|peers| peers.len() == 1).await;
    assert_eq!(slot(&a, &b), Some(Slot::LongTerm));
    c.until(Vec::is_empty).await;
    // Who lost its place to nobody gets the next one.
    b.net.shutdown().await;
    a.until(|peers| {
        peers
            .iter()
            .any(|info| info.peer_id == c.id() && info.slot == Slot::LongTerm)
    })
    .await;
}

#[tokio::test]
async fn in_a_small_network_everybody_stays_connected() {
    let mut nodes = Vec::new();
    for _ in 0..5 {
        let mut config = keeps(8);
        config.manager.small = 12;
        config.manager.exploratory = 4;
        nodes.push(start(config).await);
    }
    for (nth, node) in nodes.iter().enumerate() {
        for other in &nodes[..nth] {
            node.connect(other).await;
        }
    }
    // Nothing moves.
    tokio::time::sleep(4 * IDLE).await;
    for node in &nodes {
        let peers = node.net.peers();
        assert_eq!(peers.len(), 4);
        assert!(peers.iter().all(|info| info.slot != Slot::None), "{peers:?}");
    }
}

#[tokio::test]
async fn a_fetch_dials_a_provider_that_is_known_and_leaves_it_again() {
    let (a, b) = (start(keeps(0)).await, start(keeps(0)).await);
    a.connect(&b).await;
    a.until(Vec::is_empty).await;
    let bytes = content(3_000_000);
    let hash = b.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    // Somebody else is there, who doesn't have it.
    let c = node().await;
    c.connect(&a).await;
    assert!(a.net.fetch_bytes(hash, rule, vec![b.id()]).await.unwrap() == bytes);
    assert_eq!(slot(&a, &b), Some(Slot::None));
    a.until(|peers| peers.iter().all(|info| info.peer_id == c.id()))
        .await;
}

#[tokio::test]
async fn a_provider_that_is_gone_is_not_waited_for() {
    let (a, b, c) = (start(keeps(0)).await, start(keeps(0)).await, node().await);
    a.connect(&b).await;
    a.until(Vec::is_empty).await;
    b.net.shutdown().await;
    c.connect(&a).await;
    let began = Instant::now();
    let fetched = a.net.fetch(absent(), SizeRule::Exact(5), vec![b.id()]).await;
    assert!(
        matches!(fetched, Err(FetchError::NotFound { asked: 1, .. })),
        "{fetched:?}"
    );
    // Its address refuses at once; after that it is looked up for a while.
    assert!(began.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_restart_finds_its_peers_without_the_bootstrap_peers() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("peers.json");
    let friend = start(NetworkConfig {
        listen: vec![free_address()],
        ..config()
    })
    .await;
    let keypair = Keypair::generate_ed25519();
    let remembers = |bootstrap| NetworkConfig {
        keypair: keypair.clone(),
        book: Some(book.clone()),
        bootstrap,
        ..config()
    };
    let a = start(remembers(vec![friend.address()])).await;
    a.until(|peers| peers.len() == 1).await;
    a.net.shutdown().await;
    let again = start(remembers(vec![])).await;
    again
        .until(|peers| peers.len() == 1 && peers[0].peer_id == friend.id() && peers[0].slot == Slot::LongTerm)
        .await;
    again.net.shutdown().await;
    // A damaged file is no reason not to start.
    std::fs::write(&book, "{\"version\":1,\"peers\":[{}").unwrap();
    let again = start(remembers(vec![friend.address()])).await;
    again.until(|peers| peers.len() == 1).await;
    // What isn't shut down, but ends with its last handle, remembers as well.
    drop(again);
    let written = async {
        while !std::fs::read_to_string(&book).is_ok_and(|text| text.contains(&friend.id().to_string())) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, written)
        .await
        .expect("nothing was written");
}

#[tokio::test]
async fn forty_names_at_one_address_get_what_is_there_for_strangers_and_a_registered_peer_gets_in() {
    let (slots, guests) = (4, 6);
    let server = start(NetworkConfig {
        limits: Limits {
            connections_per_address: 64,
            ..limits()
        },
        manager: Config {
            inbound: slots,
            guests,
            idle: Duration::from_secs(3600),
            ..Config::default()
        },
        ..config()
    })
    .await;
    let mut greedy = Vec::new();
    for _ in 0..40 {
        greedy.push(raw_streams(&server, 1).await);
    }
    server
        .until(|peers| {
            let inbound = peers.iter().filter(|info| info.slot == Slot::Inbound);
            inbound.count() == slots && (slots + 1..=slots + guests).contains(&peers.len())
        })
        .await;
    // A friend is registered on the chain.
    let friend = node().await;
    server.net.set_members([Member {
        peer: friend.id(),
        weight: 1,
    }]);
    friend.connect(&server).await;
    server
        .until(|peers| {
            let is_in = |info: &PeerInfo| info.peer_id == friend.id() && info.slot == Slot::Inbound;
            peers.iter().any(is_in) && peers.len() <= slots + guests
        })
        .await;
    // And is served.
    let bytes = content(100_000);
    let hash = server.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    assert!(
        friend
            .net
            .fetch_bytes(hash, rule, vec![server.id()])
            .await
            .unwrap()
            == bytes
    );
    for (_, task) in greedy {
        task.abort();
    }
}
