//! Peers that are silent, late, or gone: nobody waits for them for what others have.

use crate::common::{
    Asked, Behave, Hostile, answer_honestly, content, endless_patience, faults, limits, node, patient_node,
    send_found, send_status, start, with_honest_peer,
};
use futures::AsyncReadExt;
use hydra_network::{Keypair, Limits, NetworkConfig, PeerFault, SizeRule, wire::Status};
use libp2p::Stream;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

/// Takes requests and never answers.
struct Silent;

impl Behave for Silent {
    async fn answer(&self, _: &mut Stream, _: Asked, _: usize) -> bool {
        std::future::pending().await
    }
}

/// Honest, and late.
struct Slow(Vec<u8>);

impl Behave for Slow {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer_honestly(stream, &self.0, asked.range).await
    }
}

/// Honest, but never answers its first request.
struct WakesUp(Vec<u8>);

impl Behave for WakesUp {
    async fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> bool {
        match nth {
            0 => std::future::pending().await,
            _ => answer_honestly(stream, &self.0, asked.range).await,
        }
    }
}

/// Honest for as many requests, then doesn't have the blob any more.
struct Loses {
    bytes: Vec<u8>,
    after: usize,
}

impl Behave for Loses {
    async fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> bool {
        if nth < self.after {
            return answer_honestly(stream, &self.bytes, asked.range).await;
        }
        send_status(stream, Status::NotFound).await
    }
}

/// Never answers, and notices when it isn't waited for any more.
struct NoticesHangUp(tokio::sync::watch::Sender<bool>);

impl Behave for NoticesHangUp {
    async fn answer(&self, stream: &mut Stream, _: Asked, _: usize) -> bool {
        let _ = stream.read(&mut [0]).await;
        self.0.send_replace(true);
        false
    }
}

/// Honest, but sends only the first slice before somebody else has been hung up on.
struct WaitsWithTheRest {
    bytes: Vec<u8>,
    hung_up: tokio::sync::watch::Receiver<bool>,
}

impl Behave for WaitsWithTheRest {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        if asked.range.offset() > 0 && self.hung_up.clone().wait_for(|hung_up| *hung_up).await.is_err() {
            return false;
        }
        answer_honestly(stream, &self.bytes, asked.range).await
    }
}

/// Says that it has the blob, and sends nothing of it.
struct OnlyPromises(u64);

impl Behave for OnlyPromises {
    async fn answer(&self, stream: &mut Stream, _: Asked, _: usize) -> bool {
        send_found(stream, self.0, &[]).await && std::future::pending().await
    }
}

/// Serves one slice and half of another, then closes the connection.
struct Vanishes {
    bytes: Vec<u8>,
    vanish: tokio::sync::watch::Sender<bool>,
}

impl Behave for Vanishes {
    async fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> bool {
        if nth == 0 {
            return answer_honestly(stream, &self.bytes, asked.range).await;
        }
        let sent = send_found(stream, self.bytes.len() as u64, &[0; 40]).await;
        self.vanish.send_replace(true);
        sent && std::future::pending().await
    }
}

#[tokio::test]
async fn a_provider_that_vanishes_midway_is_replaced() {
    let bytes = content(5 * MIB);
    let (target, _honest, hash) = with_honest_peer(&bytes).await;
    let (vanish, mut vanished) = tokio::sync::watch::channel(false);
    let peer = Hostile::meet(
        &target,
        Vanishes {
            bytes: bytes.clone(),
            vanish,
        },
    )
    .await;
    let aborter = peer.aborter();
    tokio::spawn(async move {
        vanished.wait_for(|v| *v).await.unwrap();
        aborter.abort();
    });
    let rule = SizeRule::Exact(bytes.len() as u64);
    assert!(target.net.fetch_bytes(hash, rule, vec![peer.id]).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_provider_that_vanishes_and_comes_back_is_asked_again() {
    let bytes = content(5 * MIB);
    let hash = hydra_blobs::hash(&bytes);
    for rule in [
        SizeRule::Exact(bytes.len() as u64),
        SizeRule::AtMost(6 * MIB as u64),
    ] {
        let target = start(NetworkConfig {
            limits: Limits {
                arrival: crate::common::PATIENCE,
                ..limits()
            },
            ..crate::common::config()
        })
        .await;
        let keypair = Keypair::generate_ed25519();
        let (vanish, mut vanished) = tokio::sync::watch::channel(false);
        let vanishes = Vanishes {
            bytes: bytes.clone(),
            vanish,
        };
        let peer = Hostile::meet_as(keypair.clone(), &target, vanishes).await;
        let comes_back = async {
            vanished.wait_for(|v| *v).await.unwrap();
            peer.vanish();
            target.until(Vec::is_empty).await;
            let honest = Loses {
                bytes: bytes.clone(),
                after: usize::MAX,
            };
            Hostile::meet_as(keypair, &target, honest).await
        };
        // It isn't even named: that it was asked is enough.
        let (fetched, _peer) = tokio::join!(target.net.fetch_bytes(hash, rule, vec![]), comes_back);
        assert!(fetched.unwrap() == bytes);
    }
}

#[tokio::test]
async fn a_peer_that_trickles_sends_no_faster_and_holds_nobody_up_who_knows_another() {
    let trickling = start(NetworkConfig {
        limits: Limits {
            pace: Some(1024),
            ..limits()
        },
        ..crate::common::config()
    })
    .await;
    let (target, honest) = (patient_node().await, node().await);
    target.connect(&trickling).await;
    let fetched_after = async |bytes: Vec<u8>| {
        let (began, rule) = (Instant::now(), SizeRule::Exact(bytes.len() as u64));
        let hash = hydra_blobs::hash(&bytes);
        let fetched = target.net.fetch_bytes(hash, rule, vec![trickling.id()]).await;
        assert!(fetched.unwrap() == bytes);
        began.elapsed()
    };
    let small = content(3 * 1024);
    trickling.store.put(&small).unwrap();
    assert!(fetched_after(small).await >= Duration::from_secs(2));
    // This would take half a minute.
    let large = content(30 * 1024);
    trickling.store.put(&large).unwrap();
    honest.store.put(&large).unwrap();
    target.connect(&honest).await;
    assert!(fetched_after(large).await < Duration::from_secs(15));
}

/// Closes its first streams without a word.
struct ClosesUnseen {
    bytes: Vec<u8>,
    streams: usize,
}

impl Behave for ClosesUnseen {
    async fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> bool {
        nth >= self.streams && answer_honestly(stream, &self.bytes, asked.range).await
    }
}

#[tokio::test]
async fn a_stream_that_breaks_without_a_word_is_no_failure_the_first_time() {
    let bytes = content(20_000);
    let target = patient_node().await;
    // More than the failures after which a peer is given up.
    let closes = ClosesUnseen {
        bytes: bytes.clone(),
        streams: 5,
    };
    let peer = Hostile::meet(&target, closes).await;
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(20_000));
    assert!(target.net.fetch_bytes(hash, rule, vec![peer.id]).await.unwrap() == bytes);
}

#[tokio::test]
async fn who_connects_during_a_fetch_is_asked_too() {
    let bytes = content(2 * MIB);
    let target = patient_node().await;
    let silent = Hostile::meet(&target, Silent).await;
    let honest = node().await;
    let hash = honest.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    // The fetch is polled first, and finds the silent one only.
    let fetch = tokio::time::timeout(
        crate::common::PATIENCE,
        target.net.fetch_bytes(hash, rule, vec![silent.id]),
    );
    let (fetched, ()) = tokio::join!(fetch, target.connect(&honest));
    assert!(fetched.expect("it waits for the silent one").unwrap() == bytes);
}

#[tokio::test]
async fn who_is_late_with_a_slice_that_is_here_is_called_off() {
    let bytes = content(2 * MIB);
    let target = start(NetworkConfig {
        limits: Limits {
            hedge: Duration::from_millis(50),
            ..endless_patience()
        },
        ..crate::common::config()
    })
    .await;
    let (hang_up, hung_up) = tokio::sync::watch::channel(false);
    let late = Hostile::meet(&target, NoticesHangUp(hang_up)).await;
    let waits = WaitsWithTheRest {
        bytes: bytes.clone(),
        hung_up,
    };
    let _honest = Hostile::meet(&target, waits).await;
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(bytes.len() as u64));
    let fetch = target.net.fetch_bytes(hash, rule, vec![late.id]);
    let fetched = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
    assert!(fetched.expect("nobody hangs up").unwrap() == bytes);
}

#[tokio::test]
async fn who_is_late_with_the_proof_of_the_size_is_asked_for_the_rest() {
    let bytes = content(3 * MIB);
    let target = patient_node().await;
    let late = Hostile::meet(&target, WakesUp(bytes.clone())).await;
    // First and last slice, which prove the size.
    let loses = Loses {
        bytes: bytes.clone(),
        after: 2,
    };
    let proves = Hostile::meet(&target, loses).await;
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::AtMost(6 * MIB as u64));
    let fetch = target.net.fetch_bytes(hash, rule, vec![late.id, proves.id]);
    let fetched = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
    assert!(fetched.expect("nobody is asked for the rest").unwrap() == bytes);
}

#[tokio::test]
async fn a_silent_provider_is_given_up() {
    let bytes = content(MIB);
    let quick = Limits {
        stall: Duration::from_millis(300),
        ..limits()
    };
    let target = start(NetworkConfig {
        limits: quick,
        ..crate::common::config()
    })
    .await;
    let silent = Hostile::meet(&target, Silent).await;
    let rule = SizeRule::Exact(bytes.len() as u64);
    let result = target
        .net
        .fetch(hydra_blobs::hash(&bytes), rule, vec![silent.id])
        .await;
    assert!(matches!(faults(result)[..], [PeerFault::Stalled(_)]));
    // With another one, whose limits an honest peer keeps on a busy machine, too.
    let (target, _honest, hash) = with_honest_peer(&bytes).await;
    let silent = Hostile::meet(&target, Silent).await;
    assert!(target.net.fetch_bytes(hash, rule, vec![silent.id]).await.unwrap() == bytes);
}

#[tokio::test]
async fn silent_providers_keep_nobody_waiting_for_what_others_have() {
    for size in [0, 20_000, 9 * MIB] {
        let bytes = content(size);
        let target = patient_node().await;
        // Two: together they could take all slices that one fetch asks for at a time.
        let silent = Hostile::meet(&target, Silent).await;
        let promises = Hostile::meet(&target, OnlyPromises(size as u64)).await;
        let honest = node().await;
        target.connect(&honest).await;
        let hash = honest.store.put(&bytes).unwrap();
        for rule in [SizeRule::Exact(size as u64), SizeRule::AtMost(20 * MIB as u64)] {
            let fetch = target.net.fetch_bytes(hash, rule, vec![silent.id, promises.id]);
            let fetched = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
            assert!(fetched.expect("it waits for the silent ones").unwrap() == bytes);
            assert!(target.store.remove(hash).unwrap());
        }
    }
}

#[tokio::test]
async fn silent_strangers_do_not_hide_an_honest_one() {
    let bytes = content(20_000);
    let target = patient_node().await;
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(Hostile::meet(&target, Silent).await);
    }
    let honest = node().await;
    target.connect(&honest).await;
    let hash = honest.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    let fetch = target.net.fetch_bytes(hash, rule, vec![]);
    let fetched = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
    assert!(fetched.expect("it waits for the silent ones").unwrap() == bytes);
}

#[tokio::test]
async fn a_provider_that_is_only_slow_still_delivers() {
    let bytes = content(20_000);
    let target = start(NetworkConfig {
        limits: Limits {
            hedge: Duration::from_millis(1),
            ..endless_patience()
        },
        ..crate::common::config()
    })
    .await;
    let slow = Hostile::meet(&target, Slow(bytes.clone())).await;
    let hash = hydra_blobs::hash(&bytes);
    for rule in [SizeRule::Exact(20_000), SizeRule::AtMost(30_000)] {
        let fetch = target.net.fetch_bytes(hash, rule, vec![slow.id]);
        let fetched = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
        assert!(fetched.unwrap().unwrap() == bytes);
        assert!(target.store.remove(hash).unwrap());
    }
}
