//! Limits that a person sets, and who gets what of them.

use crate::common::{
    Asked, Behave, Hostile, Node, PATIENCE, answer_honestly, config, content, endless_patience, first_of,
    limits, node, patient_node, raw_streams, send_status, start,
};
use futures::{AsyncReadExt, AsyncWriteExt};
use hydra_blobs::{Availability, H256, SliceSet};
use hydra_network::{
    FetchError, Limits, NetworkConfig, PeerFault, Priority, SizeRule,
    wire::{Request, Status, encode_found, encode_request},
};
use libp2p::Stream;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

async fn limited(limits: Limits) -> Node {
    start(NetworkConfig { limits, ..config() }).await
}

#[tokio::test]
async fn what_goes_out_and_what_comes_in_keep_to_their_limits() {
    let bytes = content(3 * MIB);
    let rule = SizeRule::Exact(bytes.len() as u64);
    let rate = Some(2 * MIB as u64);
    let slow_sender = Limits {
        upload_rate: rate,
        ..endless_patience()
    };
    let slow_receiver = Limits {
        download_rate: rate,
        ..endless_patience()
    };
    for (sends, receives) in [
        (slow_sender, endless_patience()),
        (endless_patience(), slow_receiver),
    ] {
        let (source, target) = (limited(sends).await, limited(receives).await);
        target.connect(&source).await;
        let hash = source.store.put(&bytes).unwrap();
        let began = Instant::now();
        target.net.fetch(hash, rule, vec![source.id()]).await.unwrap();
        let took = began.elapsed();
        // Less what may go at once, and what is on its way when it is counted.
        assert!(took > Duration::from_millis(1100), "{took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

#[tokio::test]
async fn a_limit_of_ours_is_not_held_against_the_peer() {
    let bytes = content(MIB);
    let target = limited(Limits {
        download_rate: Some(400 * 1024),
        // Slower than what it would have to be, because of us.
        min_rate: 2 * MIB as u64,
        stall: Duration::from_millis(700),
        ..limits()
    })
    .await;
    let source = node().await;
    target.connect(&source).await;
    let hash = source.store.put(&bytes).unwrap();
    let fetched = target
        .net
        .fetch(hash, SizeRule::Exact(MIB as u64), vec![source.id()]);
    assert_eq!(fetched.await.unwrap(), MIB as u64);
}

/// Counts what it is asked for.
struct Counts {
    bytes: Vec<u8>,
    asked: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Behave for Counts {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answer_honestly(stream, &self.bytes, asked.range).await
    }
}

#[tokio::test]
async fn what_our_limit_delays_is_asked_of_nobody_else() {
    let bytes = content(64 * 1024);
    let target = limited(Limits {
        // Slower than whoever counts as late.
        download_rate: Some(20 * 1024),
        hedge: Duration::from_millis(500),
        ..endless_patience()
    })
    .await;
    let asked = std::sync::Arc::default();
    let mut sources = Vec::new();
    for _ in 0..2 {
        let counts = Counts {
            bytes: bytes.clone(),
            asked: std::sync::Arc::clone(&asked),
        };
        sources.push(Hostile::meet(&target, counts).await);
    }
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(64 * 1024));
    target.net.fetch(hash, rule, vec![]).await.unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_asks_for_much_gets_no_more_than_who_asks_for_little() {
    let source = limited(Limits {
        upload_rate: Some(4 * MIB as u64),
        ..endless_patience()
    })
    .await;
    let (much, little) = (content(24 * MIB), content(2 * MIB));
    let hashes = [&much, &little].map(|bytes| source.store.put(bytes).unwrap());
    let (greedy, modest) = (patient_node().await, patient_node().await);
    greedy.connect(&source).await;
    // All at one address have one turn.
    source.connect_by_name(&modest).await;
    let (id, rule) = (source.id(), SizeRule::Exact(24 * MIB as u64));
    let (hungry, much) = (greedy.net.clone(), hashes[0]);
    let busy = tokio::spawn(async move { hungry.fetch(much, rule, vec![id]).await });
    // The greedy one has all its requests open when the other one comes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    let rule = SizeRule::Exact(2 * MIB as u64);
    let fetch = modest.net.fetch(hashes[1], rule, vec![id]);
    tokio::time::timeout(PATIENCE, fetch).await.unwrap().unwrap();
    // Half of 4 MiB a second is a second; behind all that the other one wants it would be six.
    let took = began.elapsed();
    assert!(took < Duration::from_millis(2500), "{took:?}");
    busy.abort();
}

#[tokio::test]
async fn what_a_round_needs_comes_before_what_can_wait() {
    let source = node().await;
    let target = limited(Limits {
        download_rate: Some(4 * MIB as u64),
        ..endless_patience()
    })
    .await;
    target.connect(&source).await;
    let (large, small) = (content(40 * MIB), content(MIB));
    let [large_hash, small_hash] = [&large, &small].map(|bytes| source.store.put(bytes).unwrap());
    let (net, id) = (target.net.clone(), source.id());
    let waits = tokio::spawn(async move {
        let rule = SizeRule::Exact(40 * MIB as u64);
        net.fetch_with(large_hash, rule, vec![id], Priority::Version)
            .await
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let began = Instant::now();
    let rule = SizeRule::Exact(MIB as u64);
    let fetch = target.net.fetch_with(small_hash, rule, vec![id], Priority::Round);
    tokio::time::timeout(PATIENCE, fetch).await.unwrap().unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!waits.is_finished(), "the large one was to be going on");
    waits.abort();
}

/// Sends a little of what it was asked for, again and again.
struct Trickles(Vec<u8>);

impl Behave for Trickles {
    async fn answer(&self, stream: &mut Stream, _: Asked, _: usize) -> bool {
        let sent = async {
            stream.write_all(&encode_found(self.0.len() as u64)).await?;
            loop {
                stream.write_all(&[0; 16]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let ended: std::io::Result<()> = sent.await;
        ended.is_ok()
    }
}

fn impatient() -> Limits {
    Limits {
        stall: Duration::from_secs(1),
        min_rate: 64 * 1024,
        // Nobody is asked for the same before a request has ended.
        hedge: Duration::from_secs(3600),
        ..limits()
    }
}

#[tokio::test]
async fn who_trickles_loses_the_request_and_others_go_on() {
    let bytes = content(4 * MIB);
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(4 * MIB as u64));
    let target = limited(impatient()).await;
    let trickles = Hostile::meet(&target, Trickles(bytes.clone())).await;
    match target.net.fetch(hash, rule, vec![trickles.id]).await {
        Err(FetchError::Failed { faults, .. }) => assert_eq!(faults, [(trickles.id, PeerFault::Trickle)]),
        other => panic!("{other:?}"),
    }
    let honest = node().await;
    honest.store.put(&bytes).unwrap();
    target.connect(&honest).await;
    let fetch = target.net.fetch_bytes(hash, rule, vec![trickles.id, honest.id()]);
    assert!(tokio::time::timeout(PATIENCE, fetch).await.unwrap().unwrap() == bytes);
}

#[tokio::test]
async fn who_takes_what_it_asked_for_too_slowly_is_hung_up_on() {
    let server = limited(impatient()).await;
    let hash = server.store.put(&content(4 * MIB)).unwrap();
    let (mut streams, task) = raw_streams(&server, 1).await;
    let all = Request::Get {
        hash,
        ranges: (0..4).filter_map(hydra_blobs::nth_slice).collect(),
    };
    streams[0].write_all(&encode_request(&all)).await.unwrap();
    streams[0].flush().await.unwrap();
    let reads = async {
        let mut total = 0;
        while let Ok(()) = streams[0].read_exact(&mut [0; 1024]).await {
            total += 1024;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        total
    };
    // What the multiplexer had taken is still read.
    let total = tokio::time::timeout(PATIENCE, reads)
        .await
        .expect("it is served for ever");
    assert!(total < 2 * MIB, "{total}");
    task.abort();
}

#[tokio::test]
async fn who_is_slow_gives_its_place_up_to_those_who_wait() {
    let server = limited(Limits {
        slices_served: 1,
        slices_per_peer: 1,
        slices_per_address: 1,
        stall: Duration::from_secs(2),
        ..limits()
    })
    .await;
    let large = content(48 * MIB);
    let hash = server.store.put(&large).unwrap();
    // It shows what the line can do, and has a share of its own.
    let friend = patient_node().await;
    server.connect_by_name(&friend).await;
    let rule = SizeRule::Exact(48 * MIB as u64);
    friend.net.fetch(hash, rule, vec![server.id()]).await.unwrap();
    let (mut streams, task) = raw_streams(&server, 1).await;
    streams[0].write_all(&first_of(hash)).await.unwrap();
    streams[0].flush().await.unwrap();
    // Faster than whoever is given up anyway.
    let reads = async {
        let mut total = 0;
        while total < MIB
            && let Ok(()) = streams[0].read_exact(&mut [0; 8192]).await
        {
            total += 8192;
            tokio::time::sleep(Duration::from_millis(160)).await;
        }
        total
    };
    let other = server.store.put(&content(100_000)).unwrap();
    let waits = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let asked = async {
            // Told to come back, it does.
            while friend
                .net
                .fetch(other, SizeRule::Exact(100_000), vec![server.id()])
                .await
                .is_err()
            {}
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .expect("no place becomes free");
    };
    let (total, ()) = tokio::join!(reads, waits);
    assert!(total < MIB, "it has kept its place");
    task.abort();
}

/// Has some slices and notes which of them it is asked for.
struct HasSome {
    bytes: Vec<u8>,
    slices: Vec<u64>,
    asked: tokio::sync::watch::Sender<Vec<u64>>,
}

impl Behave for HasSome {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        let slice = asked.range.offset() / MIB as u64;
        // Nobody waits for what it has before the first thing is asked of it.
        if !self.slices.contains(&slice) {
            return send_status(stream, Status::Partly).await;
        }
        self.asked.send_modify(|all| all.push(slice));
        answer_honestly(stream, &self.bytes, asked.range).await
    }

    async fn has(&self) -> Option<Availability> {
        let mut set = SliceSet::empty(self.bytes.len() as u64).unwrap();
        self.slices.iter().for_each(|slice| set.insert(*slice));
        Some(Availability::of(set))
    }
}

#[tokio::test]
async fn a_blob_comes_from_those_who_have_parts_of_it() {
    let bytes = content(6 * MIB);
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(6 * MIB as u64));
    let target = patient_node().await;
    let mut peers = Vec::new();
    for slices in [vec![0, 1, 2], vec![2, 3, 4], vec![5]] {
        let (asked, watch) = tokio::sync::watch::channel(Vec::new());
        let some = HasSome {
            bytes: bytes.clone(),
            slices,
            asked,
        };
        peers.push((Hostile::meet(&target, some).await, watch));
    }
    let ids = peers.iter().map(|(peer, _)| peer.id).collect();
    let fetch = target.net.fetch_bytes(hash, rule, ids);
    assert!(tokio::time::timeout(PATIENCE, fetch).await.unwrap().unwrap() == bytes);
    let mut all: Vec<_> = peers
        .iter()
        .flat_map(|(_, asked)| asked.borrow().clone())
        .collect();
    all.sort_unstable();
    // On a busy machine one that is late is asked of another as well.
    all.dedup();
    assert_eq!(all, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn several_ranges_are_answered_one_after_another_and_questions_may_follow_each_other() {
    let server = node().await;
    let bytes = content(2 * MIB + 50_000);
    let hash = server.store.put(&bytes).unwrap();
    let (mut streams, task) = raw_streams(&server, 1).await;
    let range = |index| hydra_blobs::nth_slice(index).unwrap();
    let ranges = vec![range(2), range(0), range(1)];
    let questions = [
        encode_request(&Request::Get {
            hash,
            ranges: ranges.clone(),
        }),
        first_of(H256::repeat_byte(9)),
        encode_request(&Request::Have { hash }),
        first_of(hash),
    ]
    .concat();
    // All at once, before anything is read.
    streams[0].write_all(&questions).await.unwrap();
    streams[0].flush().await.unwrap();
    let size = bytes.len() as u64;
    let mut expect = async |expected: &[u8]| {
        let mut got = vec![0; expected.len()];
        let read = tokio::time::timeout(PATIENCE, streams[0].read_exact(&mut got)).await;
        read.unwrap().unwrap();
        assert!(got == expected);
    };
    for range in ranges {
        expect(&encode_found(size)).await;
        expect(&server.store.encode_slice(hash, range).unwrap().unwrap().bytes).await;
    }
    expect(&[1]).await;
    expect(&encode_found(size)).await;
    expect(&encode_found(size)).await;
    expect(&server.store.encode_slice(hash, range(0)).unwrap().unwrap().bytes).await;
    task.abort();
}

#[tokio::test]
async fn what_is_not_here_is_said_without_a_look_at_the_disk() {
    let server = node().await;
    let hidden = server.store.put(&content(1000)).unwrap();
    // A file that nobody knows of: were the disk looked at, it would be found.
    let unknown = H256::repeat_byte(3);
    std::fs::copy(server.store.path(hidden), server.store.path(unknown)).unwrap();
    let (mut streams, task) = raw_streams(&server, 1).await;
    for _ in 0..3 {
        streams[0].write_all(&first_of(unknown)).await.unwrap();
        streams[0].flush().await.unwrap();
        let mut status = [0];
        streams[0].read_exact(&mut status).await.unwrap();
        assert_eq!(status, [1]);
    }
    // It is found in time, and turns out not to be what it is called.
    server.store.refresh().unwrap();
    streams[0].write_all(&first_of(unknown)).await.unwrap();
    streams[0].flush().await.unwrap();
    streams[0].read_exact(&mut [0]).await.unwrap();
    assert!(!server.store.has(unknown), "it was looked at");
    task.abort();
}
