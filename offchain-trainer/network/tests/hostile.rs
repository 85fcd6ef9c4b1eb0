//! Peers that lie, stall, vanish or talk nonsense.

mod common;

use common::{
    Behave, Hostile, Node, answer_honestly, content, endless_patience, limits, node, raw_streams, send_found,
    start,
};
use futures::{AsyncReadExt, AsyncWriteExt};
use hydra_blobs::{BlobStore, H256, SliceRange};
use hydra_network::{
    FetchError, Keypair, Limits, NetworkConfig, PeerFault, SizeRule,
    wire::{HEADER_SIZE, Header, Request, decode_header, encode_header, encode_request},
};
use libp2p::Stream;
use std::time::Duration;
use tempfile::TempDir;

const MIB: usize = 1024 * 1024;

/// Sends a slice of the right shape, of another blob.
struct WrongBytes(Vec<u8>);

impl Behave for WrongBytes {
    async fn answer(&self, stream: &mut Stream, request: Request, _: usize) -> bool {
        answer_honestly(stream, &self.0, request.range).await
    }
}

/// Sends the right slice with one bit flipped, from the `after`th request on.
struct FlipsABit {
    bytes: Vec<u8>,
    after: usize,
}

impl Behave for FlipsABit {
    async fn answer(&self, stream: &mut Stream, request: Request, nth: usize) -> bool {
        let dir = TempDir::new().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let hash = store.put(&self.bytes).unwrap();
        let mut slice = store.encode_slice(hash, request.range).unwrap().unwrap();
        if nth >= self.after {
            let middle = slice.bytes.len() / 2;
            slice.bytes[middle] ^= 1;
        }
        send_found(stream, slice.total_size, &slice.bytes).await
    }
}

/// Claims a size, then sends real data of the blob as far as it goes.
struct ClaimsSize {
    claimed: u64,
    bytes: Vec<u8>,
}

impl Behave for ClaimsSize {
    async fn answer(&self, stream: &mut Stream, request: Request, _: usize) -> bool {
        let dir = TempDir::new().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let hash = store.put(&self.bytes).unwrap();
        let honest = store.encode_slice(hash, request.range).ok().flatten();
        let slice = honest.map_or(vec![0; MIB], |slice| slice.bytes);
        send_found(stream, self.claimed, &slice).await
    }
}

/// Takes requests and never answers.
struct Silent;

impl Behave for Silent {
    async fn answer(&self, _: &mut Stream, _: Request, _: usize) -> bool {
        std::future::pending().await
    }
}

/// Honest, and late.
struct Slow(Vec<u8>);

impl Behave for Slow {
    async fn answer(&self, stream: &mut Stream, request: Request, _: usize) -> bool {
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer_honestly(stream, &self.0, request.range).await
    }
}

/// Honest, but never answers its first request.
struct WakesUp(Vec<u8>);

impl Behave for WakesUp {
    async fn answer(&self, stream: &mut Stream, request: Request, nth: usize) -> bool {
        match nth {
            0 => std::future::pending().await,
            _ => answer_honestly(stream, &self.0, request.range).await,
        }
    }
}

/// Honest for as many requests, then doesn't have the blob any more.
struct Loses {
    bytes: Vec<u8>,
    after: usize,
}

impl Behave for Loses {
    async fn answer(&self, stream: &mut Stream, request: Request, nth: usize) -> bool {
        if nth < self.after {
            return answer_honestly(stream, &self.bytes, request.range).await;
        }
        stream.write_all(&encode_header(&Header::NotFound)).await.is_ok() && stream.flush().await.is_ok()
    }
}

/// Never answers, and notices when it isn't waited for any more.
struct NoticesHangUp(tokio::sync::watch::Sender<bool>);

impl Behave for NoticesHangUp {
    async fn answer(&self, stream: &mut Stream, _: Request, _: usize) -> bool {
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
    async fn answer(&self, stream: &mut Stream, request: Request, _: usize) -> bool {
        if request.range.offset() > 0 && self.hung_up.clone().wait_for(|hung_up| *hung_up).await.is_err() {
            return false;
        }
        answer_honestly(stream, &self.bytes, request.range).await
    }
}

/// Says that it has the blob, and sends nothing of it.
struct OnlyPromises(u64);

impl Behave for OnlyPromises {
    async fn answer(&self, stream: &mut Stream, _: Request, _: usize) -> bool {
        send_found(stream, self.0, &[]).await && std::future::pending().await
    }
}

/// Answers with bytes that aren't the protocol.
struct Babbles;

impl Behave for Babbles {
    async fn answer(&self, stream: &mut Stream, _: Request, _: usize) -> bool {
        stream.write_all(&[0xFF; 100]).await.is_ok() && stream.flush().await.is_ok()
    }
}

/// Serves one slice and half of another, then closes the connection.
struct Vanishes {
    bytes: Vec<u8>,
    vanish: tokio::sync::watch::Sender<bool>,
}

impl Behave for Vanishes {
    async fn answer(&self, stream: &mut Stream, request: Request, nth: usize) -> bool {
        if nth == 0 {
            return answer_honestly(stream, &self.bytes, request.range).await;
        }
        let sent = send_found(stream, self.bytes.len() as u64, &[0; 40]).await;
        self.vanish.send_replace(true);
        sent && std::future::pending().await
    }
}

async fn patient_node() -> Node {
    start(NetworkConfig {
        limits: endless_patience(),
        ..common::config()
    })
    .await
}

async fn with_honest_peer(bytes: &[u8]) -> (Node, Node, H256) {
    let (target, honest) = (node().await, node().await);
    target.connect(&honest).await;
    let hash = honest.store.put(bytes).unwrap();
    (target, honest, hash)
}

fn faults(result: Result<u64, FetchError>) -> Vec<PeerFault> {
    match result {
        Err(FetchError::Failed { faults, .. }) => faults.into_iter().map(|(_, fault)| fault).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lying_provider_is_found_out_and_the_blob_comes_from_the_honest_one() {
    let bytes = content(5 * MIB);
    let (target, _honest, hash) = with_honest_peer(&bytes).await;
    let mut other = bytes.clone();
    other.reverse();
    let liar = Hostile::meet(&target, WrongBytes(other)).await;
    let flipper = Hostile::meet(
        &target,
        FlipsABit {
            bytes: bytes.clone(),
            after: 2,
        },
    )
    .await;
    for rule in [
        SizeRule::Exact(bytes.len() as u64),
        SizeRule::AtMost(6 * MIB as u64),
    ] {
        let providers = vec![liar.id, flipper.id];
        assert!(target.net.fetch_bytes(hash, rule, providers).await.unwrap() == bytes);
        assert!(target.store.remove(hash).unwrap());
    }
}

#[tokio::test]
async fn nothing_of_a_liars_data_is_kept() {
    let bytes = content(3 * MIB);
    let hash = hydra_blobs::hash(&bytes);
    // The honest slices before the first lie make a file; two of them prove the size.
    for (rule, after) in [
        (SizeRule::Exact(bytes.len() as u64), 0),
        (SizeRule::Exact(bytes.len() as u64), 1),
        (SizeRule::AtMost(6 * MIB as u64), 0),
        (SizeRule::AtMost(6 * MIB as u64), 1),
        (SizeRule::AtMost(6 * MIB as u64), 2),
    ] {
        let target = node().await;
        let flips = FlipsABit {
            bytes: bytes.clone(),
            after,
        };
        let liar = Hostile::meet(&target, flips).await;
        let result = target.net.fetch(hash, rule, vec![liar.id]).await;
        assert!(matches!(faults(result)[..], [PeerFault::WrongData(_)]));
        assert!(!target.store.has(hash));
        let files = std::fs::read_dir(target.dir.path()).unwrap().count();
        assert_eq!(files, 1, "only the lock file");
    }
}

#[tokio::test]
async fn a_size_that_isnt_allowed_is_refused_before_any_data() {
    let bytes = content(40_000);
    let hash = hydra_blobs::hash(&bytes);
    for claimed in [40_001, 39_999, 0, hydra_blobs::MAX_BLOB_SIZE] {
        let target = node().await;
        let liar = Hostile::meet(
            &target,
            ClaimsSize {
                claimed,
                bytes: bytes.clone(),
            },
        )
        .await;
        let rule = SizeRule::Exact(40_000);
        let result = target.net.fetch(hash, rule, vec![liar.id]).await;
        assert_eq!(faults(result), [PeerFault::WrongSize { claimed, rule }]);
    }
    let target = node().await;
    let liar = Hostile::meet(
        &target,
        ClaimsSize {
            claimed: 50_001,
            bytes,
        },
    )
    .await;
    let rule = SizeRule::AtMost(50_000);
    let result = target.net.fetch(hash, rule, vec![liar.id]).await;
    assert_eq!(
        faults(result),
        [PeerFault::WrongSize {
            claimed: 50_001,
            rule
        }]
    );
}

#[tokio::test]
async fn an_unknown_size_is_believed_only_when_proven() {
    // With the same left half in both trees, the first slice of a 3 MiB blob verifies as one of 4 MiB as well.
    let bytes = content(3 * MIB);
    let (target, _honest, hash) = with_honest_peer(&bytes).await;
    let liar = Hostile::meet(
        &target,
        ClaimsSize {
            claimed: 4 * MIB as u64,
            bytes: bytes.clone(),
        },
    )
    .await;
    let rule = SizeRule::AtMost(100 * MIB as u64);
    assert!(target.net.fetch_bytes(hash, rule, vec![liar.id]).await.unwrap() == bytes);
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
                arrival: common::PATIENCE,
                ..limits()
            },
            ..common::config()
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
async fn who_connects_during_a_fetch_is_asked_too() {
    let bytes = content(2 * MIB);
    let target = patient_node().await;
    let silent = Hostile::meet(&target, Silent).await;
    let honest = node().await;
    let hash = honest.store.put(&bytes).unwrap();
    let rule = SizeRule::Exact(bytes.len() as u64);
    // The fetch is polled first, and finds the silent one only.
    let fetch = tokio::time::timeout(
        common::PATIENCE,
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
        ..common::config()
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
    let fetched = tokio::time::timeout(common::PATIENCE, fetch).await;
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
    let fetched = tokio::time::timeout(common::PATIENCE, fetch).await;
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
        ..common::config()
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
            let fetched = tokio::time::timeout(common::PATIENCE, fetch).await;
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
    let fetched = tokio::time::timeout(common::PATIENCE, fetch).await;
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
        ..common::config()
    })
    .await;
    let slow = Hostile::meet(&target, Slow(bytes.clone())).await;
    let hash = hydra_blobs::hash(&bytes);
    for rule in [SizeRule::Exact(20_000), SizeRule::AtMost(30_000)] {
        let fetch = target.net.fetch_bytes(hash, rule, vec![slow.id]);
        let fetched = tokio::time::timeout(common::PATIENCE, fetch).await;
        assert!(fetched.unwrap().unwrap() == bytes);
        assert!(target.store.remove(hash).unwrap());
    }
}

#[tokio::test]
async fn a_babbling_provider_is_given_up() {
    let target = node().await;
    let babbler = Hostile::meet(&target, Babbles).await;
    let result = target
        .net
        .fetch(H256::zero(), SizeRule::AtMost(10), vec![babbler.id])
        .await;
    assert!(matches!(faults(result)[..], [PeerFault::BadAnswer(_)]));
}

#[tokio::test]
async fn a_peer_that_doesnt_serve_blobs_is_passed_over() {
    let bytes = content(MIB);
    let (target, _honest, hash) = with_honest_peer(&bytes).await;
    let (_streams, task) = raw_streams(&target, 1).await;
    let peers = target.until(|peers| peers.len() == 2).await;
    let providers = peers.into_iter().map(|p| p.peer_id).collect();
    let rule = SizeRule::Exact(bytes.len() as u64);
    assert!(target.net.fetch_bytes(hash, rule, providers).await.unwrap() == bytes);
    task.abort();
}

#[tokio::test]
async fn a_bad_request_closes_the_stream_without_an_answer() {
    let server = node().await;
    let hash = server.store.put(&content(100_000)).unwrap();
    let good = encode_request(&Request {
        hash,
        range: SliceRange::first(),
    });
    let (streams, task) = raw_streams(&server, 6).await;
    let edit = |at: usize, bytes: &[u8]| {
        let mut request = good;
        request[at..at + bytes.len()].copy_from_slice(bytes);
        request
    };
    let bad = [
        edit(40, &(2 * MIB as u32).to_le_bytes()),
        edit(40, &u32::MAX.to_le_bytes()),
        edit(40, &0u32.to_le_bytes()),
        edit(32, &1u64.to_le_bytes()),
        edit(32, &u64::MAX.to_le_bytes()),
        // Well-formed, but behind the blob's end.
        edit(32, &(MIB as u64).to_le_bytes()),
    ];
    for (mut stream, request) in streams.into_iter().zip(bad) {
        stream.write_all(&request).await.unwrap();
        stream.flush().await.unwrap();
        let mut answer = Vec::new();
        // Closed or reset, whichever the multiplexer says.
        let _ = tokio::time::timeout(common::PATIENCE, stream.read_to_end(&mut answer))
            .await
            .unwrap();
        assert!(answer.is_empty());
    }
    // Others are served as before.
    let (mut streams, second) = raw_streams(&server, 1).await;
    streams[0].write_all(&good).await.unwrap();
    streams[0].flush().await.unwrap();
    let mut header = [0; HEADER_SIZE];
    streams[0].read_exact(&mut header).await.unwrap();
    assert_eq!(decode_header(&header), Ok(Header::Found { total_size: 100_000 }));
    task.abort();
    second.abort();
}

#[tokio::test]
async fn a_peer_cant_open_more_streams_than_its_share() {
    let server = node().await;
    let hash = server.store.put(b"blob").unwrap();
    let request = encode_request(&Request {
        hash,
        range: SliceRange::first(),
    });
    let (mut streams, task) = raw_streams(&server, 9).await;
    let mut answers = Vec::new();
    for stream in &mut streams {
        stream.write_all(&request).await.unwrap();
        stream.flush().await.unwrap();
        let mut header = [0; HEADER_SIZE];
        stream.read_exact(&mut header).await.unwrap();
        answers.push(decode_header(&header).unwrap());
    }
    assert_eq!(
        answers
            .iter()
            .filter(|a| **a == Header::Found { total_size: 4 })
            .count(),
        8
    );
    assert_eq!(answers.iter().filter(|a| **a == Header::Busy).count(), 1);
    task.abort();
}

/// A server, and somebody who asks it for as many slices and reads none of them.
async fn with_idle_reader(slices_per_peer: usize, count: usize) -> (Node, H256, Vec<u8>, Vec<Stream>) {
    let server = start(NetworkConfig {
        limits: Limits {
            slices_served: 2,
            slices_per_peer,
            ..endless_patience()
        },
        ..common::config()
    })
    .await;
    // More than the multiplexer buffers.
    let bytes = content(2 * MIB);
    let hash = server.store.put(&bytes).unwrap();
    let request = encode_request(&Request {
        hash,
        range: SliceRange::first(),
    });
    let (mut streams, _) = raw_streams(&server, count).await;
    for (nth, stream) in streams.iter_mut().enumerate() {
        stream.write_all(&request).await.unwrap();
        stream.flush().await.unwrap();
        if nth < slices_per_peer {
            // An answer that has begun has taken its slice.
            stream.read_exact(&mut [0; HEADER_SIZE]).await.unwrap();
        }
    }
    (server, hash, bytes, streams)
}

#[tokio::test]
async fn a_peer_cant_take_all_slices() {
    let (server, hash, bytes, _streams) = with_idle_reader(1, 4).await;
    let target = patient_node().await;
    target.connect(&server).await;
    let rule = SizeRule::Exact(bytes.len() as u64);
    let fetch = target.net.fetch_bytes(hash, rule, vec![]);
    let fetched = tokio::time::timeout(common::PATIENCE, fetch).await;
    assert!(fetched.expect("no slice is left").unwrap() == bytes);
}

#[tokio::test]
async fn who_asks_in_vain_is_told_so_even_when_all_slices_are_taken() {
    let (server, hash, bytes, _streams) = with_idle_reader(2, 2).await;
    let target = patient_node().await;
    target.connect(&server).await;
    let fetch = target.net.fetch(common::absent(), SizeRule::Exact(5), vec![]);
    let nowhere = tokio::time::timeout(common::PATIENCE, fetch).await;
    assert!(
        matches!(nowhere, Ok(Err(FetchError::NotFound { .. }))),
        "{nowhere:?}"
    );
    let hasty = node().await;
    hasty.connect(&server).await;
    let busy = hasty
        .net
        .fetch(hash, SizeRule::Exact(bytes.len() as u64), vec![])
        .await;
    assert!(
        matches!(faults(busy)[..], [PeerFault::Stalled(_)]),
        "no slice is left"
    );
}

#[tokio::test]
async fn a_reader_that_doesnt_read_keeps_nobody_waiting() {
    let quick = Limits {
        stall: Duration::from_millis(400),
        slices_served: 1,
        ..limits()
    };
    let server = start(NetworkConfig {
        limits: quick,
        ..common::config()
    })
    .await;
    let bytes = content(2 * MIB);
    let hash = server.store.put(&bytes).unwrap();
    let request = encode_request(&Request {
        hash,
        range: SliceRange::first(),
    });
    // More than the multiplexer buffers; nobody reads it.
    let (mut streams, task) = raw_streams(&server, 1).await;
    streams[0].write_all(&request).await.unwrap();
    streams[0].flush().await.unwrap();
    let target = node().await;
    target.connect(&server).await;
    let rule = SizeRule::Exact(bytes.len() as u64);
    assert!(target.net.fetch_bytes(hash, rule, vec![]).await.unwrap() == bytes);
    task.abort();
}

#[tokio::test]
async fn an_idle_stream_is_closed() {
    let quick = Limits {
        idle_stream: Duration::from_millis(200),
        ..limits()
    };
    let server = start(NetworkConfig {
        limits: quick,
        ..common::config()
    })
    .await;
    let (mut streams, task) = raw_streams(&server, 1).await;
    // Half a request counts as idle too.
    streams[0].write_all(&[0; 10]).await.unwrap();
    streams[0].flush().await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(common::PATIENCE, streams[0].read_to_end(&mut answer))
        .await
        .unwrap();
    assert!(answer.is_empty());
    task.abort();
}
