//! Finding peers, and who has a blob.

use crate::common::{Node, PATIENCE, config, content, start};
use futures::StreamExt;
use hydra_network::{
    Clock, Keypair, Multiaddr, NetworkConfig, SizeRule,
    discovery::{
        Config, DiscoveryInfo,
        record::{Capabilities, LONGEST_LIFE, PLACES, PeerRecord, key},
    },
};
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, identify,
    kad::{self, Quorum, Record, store::MemoryStore},
    multiaddr::Protocol,
    noise,
    swarm::{NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn searching() -> NetworkConfig {
    NetworkConfig {
        discovery: Config::default(),
        // One address each, to be found.
        reach: hydra_network::reach::Config {
            quic: false,
            ..config().reach
        },
        ..config()
    }
}

async fn joined(boot: &Node) -> Node {
    start(NetworkConfig {
        bootstrap: vec![boot.address()],
        ..searching()
    })
    .await
}

async fn until(node: &Node, wanted: impl FnMut(&DiscoveryInfo) -> bool) {
    let mut watch = node.net.watch_discovery();
    let seen = tokio::time::timeout(PATIENCE, watch.wait_for(wanted)).await;
    seen.expect("discovery didn't become as wanted").unwrap();
}

fn bare(mut address: Multiaddr) -> Multiaddr {
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}

/// All have told where they are.
async fn all_told(nodes: &[Node]) {
    for node in nodes {
        until(node, |info| info.published >= u64::from(PLACES)).await;
    }
}

#[tokio::test]
async fn two_on_one_computer_know_where_the_other_is() {
    let a = start(searching()).await;
    let b = joined(&a).await;
    for (one, other) in [(&a, &b), (&b, &a)] {
        until(one, |info| info.server && info.table == 1).await;
        until(one, |info| info.records > 0).await;
        let record = one.net.look_up(other.id()).await.unwrap();
        assert_eq!(
            (record.peer, record.addresses),
            (other.id(), vec![bare(other.address())])
        );
    }
}

#[tokio::test]
async fn ten_find_each_other_after_the_one_that_introduced_them_has_gone() {
    let boot = start(searching()).await;
    let mut nodes = Vec::new();
    for _ in 0..10 {
        nodes.push(joined(&boot).await);
    }
    all_told(&nodes).await;
    boot.net.shutdown().await;
    for (at, node) in nodes.iter().enumerate() {
        for by in [1, 4] {
            let other = &nodes[(at + by) % nodes.len()];
            let record = node.net.look_up(other.id()).await.unwrap();
            assert_eq!(
                record.addresses,
                [bare(other.address())],
                "{at} looked for the one {by} farther"
            );
        }
    }
}

#[tokio::test]
async fn a_large_blob_is_got_from_whoever_tells_the_network_that_it_has_it() {
    let boot = start(searching()).await;
    let (owner, other) = (joined(&boot).await, joined(&boot).await);
    all_told(&[owner]).await;
    let owner = joined(&boot).await;
    until(&owner, |info| info.table > 0).await;
    until(&other, |info| info.table > 0).await;
    let bytes = content(3 << 20);
    let hash = owner.store.put(&bytes).unwrap();
    owner.net.provide(hash).await;
    // Telling takes a moment, and so may be repeated.
    let found = async {
        loop {
            let found = other.net.find_providers(hash).await;
            if !found.is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await.unwrap();
    assert_eq!(found, [owner.id()]);
    other
        .net
        .fetch(hash, SizeRule::Exact(3 << 20), vec![])
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_is_found_who_isnt_there_and_nobody_waits_for_it() {
    let a = start(searching()).await;
    let b = joined(&a).await;
    until(&b, |info| info.table == 1).await;
    let nobody = Keypair::generate_ed25519().public().to_peer_id();
    assert_eq!(b.net.look_up(nobody).await, None);
    assert!(b.net.find_providers(crate::common::absent()).await.is_empty());
    let alone = start(config()).await;
    assert_eq!(
        alone.net.look_up(b.id()).await,
        None,
        "it doesn't look for anybody"
    );
}

#[derive(NetworkBehaviour)]
struct Raw {
    kad: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
}

/// Puts records where it likes.
async fn stranger(node: &Node, keypair: &Keypair) -> Swarm<Raw> {
    let mut swarm = SwarmBuilder::with_existing_identity(keypair.clone())
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|keypair| {
            let peer = keypair.public().to_peer_id();
            let protocol = StreamProtocol::new("/hydra/hydra/kad/1");
            let kad = kad::Behaviour::with_config(peer, MemoryStore::new(peer), kad::Config::new(protocol));
            let identify = identify::Config::new("/hydra/1".into(), keypair.public());
            Raw {
                kad,
                identify: identify::Behaviour::new(identify),
            }
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::MAX))
        .build();
    swarm.dial(node.address()).unwrap();
    while !matches!(
        swarm.select_next_some().await,
        SwarmEvent::ConnectionEstablished { .. }
    ) {}
    // It takes records once it knows that it is a server.
    until(node, |info| info.server).await;
    swarm
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn record_of(keypair: &Keypair, expires: u64) -> PeerRecord {
    PeerRecord {
        peer: keypair.public().to_peer_id(),
        addresses: vec!["/ip4/127.0.0.1/tcp/9".parse().unwrap()],
        capabilities: Capabilities::default(),
        sequence: 1,
        expires,
    }
}

/// It looks at everything that is brought, whoever has brought nonsense before.
async fn unbanning() -> Node {
    start(NetworkConfig {
        manager: hydra_network::manager::Config {
            bans: false,
            ..hydra_network::manager::Config::default()
        },
        ..searching()
    })
    .await
}

async fn put(swarm: &mut Swarm<Raw>, node: &Node, record: Record) {
    swarm
        .behaviour_mut()
        .kad
        .put_record_to(record, [node.id()].into_iter(), Quorum::One);
    loop {
        let event = swarm.select_next_some().await;
        if let SwarmEvent::Behaviour(RawEvent::Kad(kad::Event::OutboundQueryProgressed {
            result: kad::QueryResult::PutRecord(_),
            ..
        })) = event
        {
            return;
        }
    }
}

#[tokio::test]
async fn only_its_owner_puts_a_record_and_only_in_its_place() {
    let node = unbanning().await;
    let (own, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
    let mut swarm = stranger(&node, &own).await;
    let (now, of) = (now_s(), record_of);
    let (peer, stolen) = (own.public().to_peer_id(), other.public().to_peer_id());
    let right = of(&own, now + 3600).sign(&own, "hydra").unwrap();
    let mut damaged = right.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let wrong = [
        ("another's place", key(&stolen, 0), right.clone()),
        (
            "another's record",
            key(&stolen, 0),
            of(&other, now + 3600).sign(&other, "hydra").unwrap(),
        ),
        (
            "another's name",
            key(&stolen, 0),
            of(&other, now + 3600).sign(&own, "hydra").unwrap(),
        ),
        (
            "another network's",
            key(&peer, 0),
            of(&own, now + 3600).sign(&own, "other").unwrap(),
        ),
        ("damaged", key(&peer, 0), damaged),
        ("no record", key(&peer, 0), vec![7; 100]),
        ("too long", key(&peer, 0), vec![7; 2000]),
        (
            "no place for a record",
            kad::RecordKey::new(b"anything"),
            right.clone(),
        ),
        ("expired", key(&peer, 0), of(&own, 1).sign(&own, "hydra").unwrap()),
        (
            "for ever",
            key(&peer, 0),
            of(&own, now + 10 * LONGEST_LIFE.as_secs())
                .sign(&own, "hydra")
                .unwrap(),
        ),
    ];
    for (what, key, value) in wrong {
        put(&mut swarm, &node, Record::new(key, value)).await;
        assert_eq!(node.net.discovery().records, 0, "{what}");
    }
    put(&mut swarm, &node, Record::new(key(&peer, 2), right)).await;
    until(&node, |info| info.records == 1).await;
}

#[tokio::test]
async fn who_comes_back_may_bring_no_more_than_who_has_stayed() {
    let node = unbanning().await;
    let own = Keypair::generate_ed25519();
    let peer = own.public().to_peer_id();
    let right = record_of(&own, now_s() + 3600).sign(&own, "hydra").unwrap();
    // All that it may bring at once; and after it has come back as much as it may have saved up meanwhile.
    for wrong in [80, 16] {
        let mut swarm = stranger(&node, &own).await;
        for _ in 0..wrong {
            put(&mut swarm, &node, Record::new(key(&peer, 0), vec![7; 100])).await;
        }
        put(&mut swarm, &node, Record::new(key(&peer, 0), right.clone())).await;
        assert_eq!(node.net.discovery().records, 0);
        drop(swarm);
        node.until(Vec::is_empty).await;
    }
    // Another one may.
    let other = Keypair::generate_ed25519();
    let right = record_of(&other, now_s() + 3600).sign(&other, "hydra").unwrap();
    let mut swarm = stranger(&node, &other).await;
    let place = key(&other.public().to_peer_id(), 0);
    put(&mut swarm, &node, Record::new(place, right)).await;
    until(&node, |info| info.records == 1).await;
}

#[tokio::test]
async fn a_pc_whose_clock_was_set_back_is_found_where_it_is_now() {
    let boot = start(searching()).await;
    let keypair = Keypair::generate_ed25519();
    let run = |clock| {
        start(NetworkConfig {
            bootstrap: vec![boot.address()],
            keypair: keypair.clone(),
            clock,
            ..searching()
        })
    };
    let before = run(Clock::system()).await;
    until(&before, |info| info.published >= u64::from(PLACES)).await;
    until(&boot, |info| info.records > 0).await;
    let was = bare(before.address());
    before.net.shutdown().await;
    boot.until(Vec::is_empty).await;
    let hour = Duration::from_secs(3600);
    let now = run(Clock::new(move || SystemTime::now() - hour)).await;
    let is = bare(now.address());
    assert_ne!(was, is);
    let found = async {
        loop {
            let record = boot.net.look_up(now.id()).await.unwrap();
            if record.addresses == [is.clone()] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.expect("whoever looks for it is told where it was");
}
