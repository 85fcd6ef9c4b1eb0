//! Peers that lie about a blob, or talk nonsense: what they send is found out, and nothing of it is kept.

use crate::common::{
    Asked, Behave, Hostile, answer_honestly, content, faults, node, raw_streams, send_found, send_status,
    with_honest_peer,
};
use futures::AsyncWriteExt;
use hydra_blobs::{Availability, BlobStore, H256, slice_len};
use hydra_network::{PeerFault, SizeRule, wire::Status};
use libp2p::Stream;
use tempfile::TempDir;

const MIB: usize = 1024 * 1024;

/// Sends a slice of the right shape, of another blob.
struct WrongBytes(Vec<u8>);

impl Behave for WrongBytes {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        answer_honestly(stream, &self.0, asked.range).await
    }
}

/// Sends the right slice with one bit flipped, from the `after`th request on.
struct FlipsABit {
    bytes: Vec<u8>,
    after: usize,
}

impl Behave for FlipsABit {
    async fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> bool {
        let dir = TempDir::new().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let hash = store.put(&self.bytes).unwrap();
        let mut slice = store.encode_slice(hash, asked.range).unwrap().unwrap();
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
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        let dir = TempDir::new().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let hash = store.put(&self.bytes).unwrap();
        let honest = store.encode_slice(hash, asked.range).ok().flatten();
        let mut slice = honest.map_or(vec![0; MIB], |slice| slice.bytes);
        // As long as it would have to be.
        if let Ok(len) = slice_len(self.claimed, asked.range) {
            slice.resize(len, 0);
        }
        send_found(stream, self.claimed, &slice).await
    }
}

/// Answers with bytes that aren't the protocol.
struct Babbles;

impl Behave for Babbles {
    async fn answer(&self, stream: &mut Stream, _: Asked, _: usize) -> bool {
        stream.write_all(&[0xFF; 100]).await.is_ok() && stream.flush().await.is_ok()
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
    for (rule, after, kept) in [
        (SizeRule::Exact(bytes.len() as u64), 0, 0),
        (SizeRule::Exact(bytes.len() as u64), 1, 1),
        (SizeRule::AtMost(6 * MIB as u64), 0, 0),
        (SizeRule::AtMost(6 * MIB as u64), 1, 0),
        (SizeRule::AtMost(6 * MIB as u64), 2, 2),
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
        // The honest ones are kept, for the next fetch.
        let partial = target.store.partial(hash, bytes.len() as u64).unwrap();
        assert_eq!(partial.slices().len(), kept);
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
async fn who_knows_another_size_than_we_were_told_is_no_enemy() {
    let bytes = content(40_000);
    let hash = hydra_blobs::hash(&bytes);
    let target = node().await;
    let honest = Hostile::meet(
        &target,
        ClaimsSize {
            claimed: 40_000,
            bytes,
        },
    )
    .await;
    // Whoever announced the blob was wrong.
    let rule = SizeRule::Exact(50_000);
    for _ in 0..6 {
        let result = target.net.fetch(hash, rule, vec![honest.id]).await;
        // Not that nobody is there: it hasn't been banned.
        assert_eq!(
            faults(result),
            [PeerFault::WrongSize {
                claimed: 40_000,
                rule
            }]
        );
    }
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

/// Says that it has all of the blob, and that it has nothing of it yet when it is asked for it.
struct Boasts(u64);

impl Behave for Boasts {
    async fn answer(&self, stream: &mut Stream, _: Asked, _: usize) -> bool {
        send_status(stream, Status::Partly).await
    }

    async fn has(&self) -> Option<Availability> {
        Some(Availability::Whole { size: self.0 })
    }
}

#[tokio::test]
async fn who_says_it_has_what_it_never_sends_is_given_up() {
    let bytes = content(3 * MIB);
    let (target, honest, hash) = with_honest_peer(&bytes).await;
    let boasts = Hostile::meet(&target, Boasts(3 * MIB as u64)).await;
    let rule = SizeRule::Exact(3 * MIB as u64);
    assert!(target.net.fetch_bytes(hash, rule, vec![boasts.id]).await.unwrap() == bytes);
    // Alone, too.
    honest.net.shutdown().await;
    target.until(|peers| peers.len() == 1).await;
    let other = hydra_blobs::hash(b"other");
    let fetch = target.net.fetch(other, rule, vec![boasts.id]);
    let failed = tokio::time::timeout(crate::common::PATIENCE, fetch).await;
    assert_eq!(faults(failed.expect("it is asked for ever")), [PeerFault::NotYet]);
}
