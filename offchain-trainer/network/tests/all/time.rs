//! Trainers tell each other the time, and a wrong clock shows.

use crate::common::{Node, PATIENCE, config, limits, node, raw_streams_for, raw_swarm, start};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_network::{Clock, ClockOffset, Keypair, Limits, NetworkConfig};
use libp2p::StreamProtocol;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/hydra/time/1");

/// Half of the longest round trip that counts.
const INEXACT: i64 = 1000;

/// A node whose clock is ahead by what the counter says, in seconds.
async fn ahead_by(seconds: &Arc<AtomicU64>) -> Node {
    let seconds = seconds.clone();
    start(NetworkConfig {
        clock: Clock::new(move || SystemTime::now() + Duration::from_secs(seconds.load(Ordering::SeqCst))),
        limits: Limits {
            ask_time: Duration::from_millis(50),
            ..limits()
        },
        ..config()
    })
    .await
}

async fn until(node: &Node, wanted: impl FnMut(&Option<ClockOffset>) -> bool) -> Option<ClockOffset> {
    let mut offset = node.net.watch_clock_offset();
    let offset = tokio::time::timeout(PATIENCE, offset.wait_for(wanted)).await;
    *offset.expect("the estimate didn't become as wanted").unwrap()
}

fn by(peers: usize) -> impl FnMut(&Option<ClockOffset>) -> bool {
    move |offset| offset.is_some_and(|offset| offset.peers == peers)
}

#[tokio::test]
async fn a_clock_that_is_ahead_shows_and_its_correction_too() {
    let seconds = Arc::new(AtomicU64::new(35));
    let fast = ahead_by(&seconds).await;
    assert_eq!(fast.net.clock_offset(), None, "it knows nobody");
    let (b, c) = (node().await, node().await);
    fast.connect(&b).await;
    fast.connect(&c).await;
    let offset = until(&fast, by(2)).await.unwrap();
    assert!((offset.ms - 35_000).abs() <= INEXACT, "{offset:?}");
    seconds.store(0, Ordering::SeqCst);
    until(&fast, |offset| {
        offset.is_some_and(|offset| offset.ms.abs() <= INEXACT)
    })
    .await;
    fast.net.shutdown().await;
}

#[tokio::test]
async fn one_wrong_clock_among_three_doesnt_mislead_the_others() {
    let fast = ahead_by(&Arc::new(AtomicU64::new(900))).await;
    let b = node().await;
    b.connect(&fast).await;
    let offset = until(&b, by(1)).await.unwrap();
    assert!(
        (offset.ms + 900_000).abs() <= INEXACT,
        "one peer is taken at its word: {offset:?}"
    );
    let (c, d) = (node().await, node().await);
    b.connect(&c).await;
    until(&b, Option::is_none).await;
    b.connect(&d).await;
    let offset = until(&b, by(3)).await.unwrap();
    assert!(offset.ms.abs() <= INEXACT, "{offset:?}");
}

#[tokio::test]
async fn who_is_gone_doesnt_count() {
    let (a, b) = (node().await, node().await);
    a.connect(&b).await;
    until(&a, by(1)).await;
    b.net.shutdown().await;
    until(&a, Option::is_none).await;
}

/// Answers every question about the time with `bytes`, and then closes.
async fn tells(node: &Node, bytes: Vec<u8>) {
    tells_in_turn(node, vec![bytes]).await;
}

/// Answers each question about the time with the next of `answers`, and then always with the last.
async fn tells_in_turn(node: &Node, answers: Vec<Vec<u8>>) {
    let last = answers.last().cloned().unwrap_or_default();
    let mut answers = answers.into_iter();
    let mut swarm = raw_swarm(Keypair::generate_ed25519());
    let id = *swarm.local_peer_id();
    let mut incoming = swarm.behaviour().new_control().accept(PROTOCOL).unwrap();
    swarm.dial(node.address()).unwrap();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = swarm.select_next_some() => {}
                Some((_, mut stream)) = incoming.next() => {
                    let bytes = answers.next().unwrap_or_else(|| last.clone());
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.close().await;
                }
            }
        }
    });
    node.until(|peers| peers.iter().any(|peer| peer.peer_id == id))
        .await;
}

#[tokio::test]
async fn nonsense_and_silence_count_for_nothing_and_a_lie_is_outvoted() {
    let a = node().await;
    let (b, c) = (node().await, node().await);
    a.connect(&b).await;
    a.connect(&c).await;
    tells(&a, vec![]).await;
    tells(&a, vec![7; 5]).await;
    let _doesnt_know_the_protocol = raw_streams_for(&a, PROTOCOL, 0).await;
    tells(&a, vec![0xFF; 8]).await;
    let offset = until(&a, by(3)).await.unwrap();
    assert!(offset.ms.abs() <= INEXACT, "{offset:?}");
}

/// A question that was lost with its connection says nothing of the other's clock, and the next one is an hour away.
#[tokio::test]
async fn who_gave_no_answer_is_asked_again_soon() {
    let limits = Limits {
        ask_time: Duration::from_secs(3600),
        ..limits()
    };
    let a = start(NetworkConfig { limits, ..config() }).await;
    tells_in_turn(&a, vec![vec![], vec![], vec![0; 8]]).await;
    let offset = until(&a, by(1)).await.unwrap();
    assert!(offset.ms > 1_000_000_000_000, "ahead of 1970: {offset:?}");
}

#[tokio::test]
async fn half_asked_questions_keep_nobody_from_asking() {
    let server = node().await;
    // More than one peer may have open; none of them asks.
    let (mut streams, task) = raw_streams_for(&server, PROTOCOL, 10).await;
    let asks = node().await;
    asks.connect(&server).await;
    until(&asks, by(1)).await;
    // Those above the bound are closed without an answer.
    let mut last = streams.pop().unwrap();
    let _ = last.write_all(&[0]).await;
    let _ = last.flush().await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, last.read_to_end(&mut answer))
        .await
        .unwrap();
    assert!(answer.is_empty());
    task.abort();
}
