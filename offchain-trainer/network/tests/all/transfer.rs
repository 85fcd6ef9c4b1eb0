//! Honest peers: blobs get where they are needed.

use crate::common::{
    Asked, Behave, Hostile, absent, answer_honestly, config, content, endless_patience, limits, node, start,
};
use hydra_network::{FetchError, Limits, NetworkConfig, SizeRule};
use libp2p::Stream;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Honest, and counts what it has served.
struct Counts {
    bytes: Vec<u8>,
    served: Arc<AtomicUsize>,
}

impl Behave for Counts {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        let sent = answer_honestly(stream, &self.bytes, asked.range).await;
        self.served.fetch_add(usize::from(sent), Ordering::SeqCst);
        sent
    }
}

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn fetches_small_and_large_blobs_from_one_provider() {
    let (a, b) = (node().await, node().await);
    b.connect(&a).await;
    for size in [
        0,
        1,
        16 * 1024,
        16 * 1024 + 1,
        MIB,
        MIB + 1,
        5 * MIB,
        5 * MIB + 777,
    ] {
        let bytes = content(size);
        let hash = a.store.put(&bytes).unwrap();
        let rule = SizeRule::Exact(size as u64);
        assert_eq!(b.net.fetch(hash, rule, vec![a.id()]).await.unwrap(), size as u64);
        assert_eq!(b.store.get(hash, u64::MAX).unwrap(), Some(bytes));
    }
}

#[tokio::test]
async fn fetches_a_blob_of_unknown_size() {
    let (a, b) = (node().await, node().await);
    b.connect(&a).await;
    for size in [0, 5, MIB, MIB + 1, 2 * MIB + 5, 5 * MIB] {
        let bytes = content(size);
        let hash = a.store.put(&bytes).unwrap();
        let fetched = b
            .net
            .fetch_bytes(hash, SizeRule::AtMost(5 * MIB as u64), vec![])
            .await
            .unwrap();
        assert_eq!(fetched, bytes);
    }
}

#[tokio::test]
async fn fetches_from_several_providers_at_once() {
    // Without hedging: on a busy machine, one might be asked for what another is late with.
    let target = start(NetworkConfig {
        limits: Limits {
            hedge: Duration::from_secs(3600),
            ..endless_patience()
        },
        ..config()
    })
    .await;
    let bytes = content(5 * MIB + 1);
    let mut providers = Vec::new();
    for _ in 0..3 {
        let served = Arc::<AtomicUsize>::default();
        let counts = Counts {
            bytes: bytes.clone(),
            served: served.clone(),
        };
        providers.push((Hostile::meet(&target, counts).await, served));
    }
    let ids = providers.iter().map(|(provider, _)| provider.id).collect();
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(bytes.len() as u64));
    assert!(target.net.fetch_bytes(hash, rule, ids).await.unwrap() == bytes);
    for (_, served) in &providers {
        assert!(served.load(Ordering::SeqCst) > 0, "everybody served something");
    }
}

#[tokio::test]
async fn a_provider_that_connects_only_now_is_waited_for() {
    let a = node().await;
    let bytes = content(MIB);
    let hash = a.store.put(&bytes).unwrap();
    for rule in [SizeRule::Exact(MIB as u64), SizeRule::AtMost(2 * MIB as u64)] {
        let b = start(NetworkConfig {
            limits: Limits {
                arrival: crate::common::PATIENCE,
                ..limits()
            },
            ..config()
        })
        .await;
        // Somebody who doesn't have it is there.
        let other = node().await;
        b.connect(&other).await;
        // The fetch is polled first.
        let (fetched, ()) = tokio::join!(b.net.fetch_bytes(hash, rule, vec![a.id()]), b.connect(&a));
        assert!(fetched.unwrap() == bytes);
    }
}

#[tokio::test]
async fn a_fetched_blob_is_served_onward() {
    let (a, b, c) = (node().await, node().await, node().await);
    b.connect(&a).await;
    c.connect(&b).await;
    let bytes = content(2 * MIB + 3);
    let rule = SizeRule::Exact(bytes.len() as u64);
    let hash = a.store.put(&bytes).unwrap();
    b.net.fetch(hash, rule, vec![a.id()]).await.unwrap();
    // C isn't connected to A.
    assert_eq!(c.net.fetch_bytes(hash, rule, vec![a.id()]).await.unwrap(), bytes);
}

#[tokio::test]
async fn asks_other_peers_when_the_providers_dont_have_it() {
    let (a, b, c) = (node().await, node().await, node().await);
    c.connect(&a).await;
    c.connect(&b).await;
    let bytes = content(3 * MIB);
    let hash = b.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    assert_eq!(c.net.fetch_bytes(hash, rule, vec![a.id()]).await.unwrap(), bytes);
}

#[tokio::test]
async fn an_unknown_blob_is_found_nowhere() {
    let (a, b) = (node().await, node().await);
    for rule in [SizeRule::Exact(5), SizeRule::AtMost(5)] {
        let nobody = b.net.fetch(absent(), rule, vec![a.id()]).await;
        assert!(matches!(nobody, Err(FetchError::NoPeers { .. })), "{nobody:?}");
    }
    b.connect(&a).await;
    for rule in [SizeRule::Exact(5), SizeRule::AtMost(5)] {
        let nowhere = b.net.fetch(absent(), rule, vec![a.id()]).await;
        assert!(
            matches!(nowhere, Err(FetchError::NotFound { asked: 1, .. })),
            "{nowhere:?}"
        );
    }
}

#[tokio::test]
async fn a_blob_that_is_here_needs_no_peer() {
    let a = node().await;
    let hash = a.store.put(b"here").unwrap();
    assert_eq!(a.net.fetch(hash, SizeRule::Exact(4), vec![]).await.unwrap(), 4);
    let wrong = a.net.fetch(hash, SizeRule::Exact(5), vec![]).await;
    assert!(
        matches!(wrong, Err(FetchError::WrongSize { size: 4, .. })),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn a_blob_damaged_on_our_disk_is_fetched_again() {
    let (a, b) = (node().await, node().await);
    b.connect(&a).await;
    let bytes = content(40_000);
    let hash = a.store.put(&bytes).unwrap();
    let damaged = [
        vec![0; bytes.len()],
        bytes[..30_000].to_vec(),
        [&bytes[..], b"more"].concat(),
    ];
    for rule in [SizeRule::Exact(bytes.len() as u64), SizeRule::AtMost(40_000)] {
        b.net.fetch(hash, rule, vec![]).await.unwrap();
        for damaged in &damaged {
            std::fs::write(b.store.path(hash), damaged).unwrap();
            let fetched = b.net.fetch_bytes(hash, rule, vec![]).await;
            assert!(fetched.unwrap() == bytes, "{} bytes", damaged.len());
        }
        assert!(b.store.remove(hash).unwrap());
    }
}

#[tokio::test]
async fn many_fetches_at_once_wait_for_each_other() {
    let (a, b) = (node().await, node().await);
    b.connect(&a).await;
    // More blobs than streams, and every blob asked for twice.
    let blobs: Vec<_> = (0..20).map(|i| content(MIB + i * 20_000)).collect();
    let fetches = blobs.iter().chain(&blobs).map(|bytes| {
        let hash = a.store.put(bytes).unwrap();
        b.net
            .fetch_bytes(hash, SizeRule::Exact(bytes.len() as u64), vec![a.id()])
    });
    let fetched = futures::future::join_all(fetches).await;
    for (fetched, bytes) in fetched.into_iter().zip(blobs.iter().chain(&blobs)) {
        assert!(fetched.unwrap() == *bytes);
    }
}

#[tokio::test]
async fn a_busy_provider_is_asked_again() {
    let stingy = Limits {
        streams_per_peer: 1,
        ..limits()
    };
    let a = start(NetworkConfig {
        limits: stingy,
        ..config()
    })
    .await;
    let b = node().await;
    b.connect(&a).await;
    // B opens several streams at once and is told that one is enough.
    let bytes = content(6 * MIB);
    let hash = a.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    let fetched = b.net.fetch_bytes(hash, rule, vec![a.id()]).await;
    assert!(fetched.unwrap() == bytes);
}

#[tokio::test]
async fn a_provider_that_sends_too_much_at_once_asks_for_patience() {
    let narrow = Limits {
        slices_served: 1,
        stall: std::time::Duration::from_secs(4),
        ..limits()
    };
    let a = start(NetworkConfig {
        limits: narrow,
        ..config()
    })
    .await;
    let (b, c) = (node().await, node().await);
    b.connect(&a).await;
    c.connect(&a).await;
    let bytes = content(6 * MIB);
    let hash = a.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    let (one, two) = tokio::join!(
        b.net.fetch_bytes(hash, rule, vec![]),
        c.net.fetch_bytes(hash, rule, vec![])
    );
    assert!(one.unwrap() == bytes && two.unwrap() == bytes);
}
