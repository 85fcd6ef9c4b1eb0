//! Bytes from strangers: whatever they are, they have one meaning or none, and nothing panics.
//!
//! `PROPTEST_CASES` says how many of each kind are tried.

use crate::common::{Node, content, node, raw_streams_for};
use futures::{AsyncReadExt, AsyncWriteExt};
use hydra_blobs::{Availability, GROUP_SIZE, H256, MAX_BLOB_SIZE, SliceRange, SliceSet};
use hydra_network::{
    SizeRule, peer_id_bytes, peer_id_from_bytes,
    wire::{
        MAX_REQUEST_SIZE, PROTOCOL, REQUEST_HEAD, Request, decode_head, decode_ranges, decode_request,
        decode_size, decode_slices, decode_status, encode_availability, encode_request, encode_status,
        ranges_len,
    },
};
use libp2p::{PeerId, StreamProtocol};
use proptest::{
    prelude::*,
    sample::Index,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

fn range() -> impl Strategy<Value = SliceRange> {
    (0..MAX_BLOB_SIZE / GROUP_SIZE, 1u64..=64)
        .prop_map(|(first, groups)| SliceRange::new(first * GROUP_SIZE, groups * GROUP_SIZE).unwrap())
}

fn request() -> impl Strategy<Value = Request> {
    let hash = any::<[u8; 32]>().prop_map(H256);
    prop_oneof![
        hash.clone().prop_map(|hash| Request::Have { hash }),
        (hash, prop::collection::vec(range(), 1..=8))
            .prop_map(|(hash, ranges)| Request::Get { hash, ranges }),
    ]
}

fn availability() -> impl Strategy<Value = Availability> {
    (
        0..=MAX_BLOB_SIZE >> 10,
        prop::collection::vec(any::<Index>(), 0..40),
    )
        .prop_map(|(size, slices)| {
            let mut set = SliceSet::empty(size).unwrap();
            let count = size.div_ceil(1 << 20).max(1);
            slices
                .iter()
                .for_each(|at| set.insert(at.index(count as usize) as u64));
            Availability::of(set)
        })
}

/// Flips, cuts or adds a little.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Add(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<Index>().prop_map(Change::Cut),
        prop::collection::vec(any::<u8>(), 1..20).prop_map(Change::Add),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        match change {
            Change::Flip(at, bit) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Change::Set(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Cut(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
            Change::Add(more) => bytes.extend(more),
            _ => {}
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 1..4)
}

/// If they mean something, they are its one encoding.
fn has_one_meaning(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(request) = decode_request(bytes) {
        prop_assert_eq!(&encode_request(&request)[..], bytes);
        if let Request::Get { ranges, .. } = request {
            prop_assert!((1..=8).contains(&ranges.len()));
            for range in ranges {
                prop_assert!(range.offset() < MAX_BLOB_SIZE && range.length() <= 1 << 20);
            }
        }
    }
    let _ = decode_head(bytes);
    if let Ok(ranges) = decode_ranges(bytes) {
        let again = encode_request(&Request::Get {
            hash: H256::zero(),
            ranges,
        });
        prop_assert_eq!(&again[REQUEST_HEAD + 1..], bytes);
    }
    if let [first, rest @ ..] = bytes {
        let status = decode_status(*first);
        prop_assert!(status.is_err() || status.map(encode_status) == Ok(*first));
        prop_assert!(ranges_len(*first).is_ok() == (1..=8).contains(first));
        if let Some((size, slices)) = rest.split_at_checked(8)
            && let Ok(size) = decode_size(size)
            && let Ok(slices) = decode_slices(size, slices.to_vec())
        {
            prop_assert_eq!(&encode_availability(&Availability::Some(slices))[1..], rest);
        }
    }
    if let Ok(peer) = peer_id_from_bytes(bytes) {
        prop_assert_eq!(&peer_id_bytes(peer)[..], bytes);
    }
    Ok(())
}

proptest! {
    #[test]
    fn requests_survive_the_wire(request in request()) {
        prop_assert_eq!(decode_request(&encode_request(&request)), Ok(request));
    }

    #[test]
    fn what_a_peer_has_survives_the_wire(availability in availability()) {
        let bytes = encode_availability(&availability);
        let decoded = match (bytes[0], bytes.get(1..9)) {
            (1, None) => Availability::None,
            (0, Some(size)) => Availability::Whole { size: decode_size(size).unwrap() },
            (3, Some(size)) => {
                Availability::Some(decode_slices(decode_size(size).unwrap(), bytes[9..].to_vec()).unwrap())
            }
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(decoded, availability);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_have_one_meaning(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..100),
            prop::collection::vec(any::<u8>(), REQUEST_HEAD),
            prop::collection::vec(prop_oneof![Just(0u8), Just(64), Just(1), any::<u8>()], 0..=MAX_REQUEST_SIZE),
            prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 9..12),
            prop::collection::vec(prop_oneof![Just(0u8), Just(0x24), Just(8), Just(0x12), Just(0x20), any::<u8>()], 0..80),
        ],
    ) {
        has_one_meaning(&bytes)?;
    }

    #[test]
    fn damaged_messages_never_panic_and_have_one_meaning(
        request in request(),
        availability in availability(),
        changes in changes(),
    ) {
        let peer = peer_id_bytes(PeerId::random());
        for bytes in [encode_request(&request), encode_availability(&availability), peer] {
            has_one_meaning(&changed(bytes, &changes))?;
        }
    }

    #[test]
    fn addresses_that_people_type_never_panic(
        text in prop_oneof![
            any::<String>(),
            "(/(ip4|ip6|dns|dns4|dns6|dnsaddr|tcp|udp|p2p)(/[a-z0-9:.]{0,12})?){0,6}",
            "/(ip4/127.0.0.1|ip6/::1|dns4/localhost)/tcp/[0-9]{1,6}(/p2p/[A-Za-z0-9]{0,60})?",
        ],
    ) {
        if let Ok(address) = text.parse::<hydra_network::Multiaddr>() {
            let again = address.to_string().parse::<hydra_network::Multiaddr>();
            prop_assert_eq!(again.ok(), Some(address));
        }
    }
}

/// What a stranger writes on a stream before it closes it.
fn written() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (request(), changes()).prop_map(|(request, changes)| changed(encode_request(&request), &changes)),
        prop::collection::vec(request(), 1..4)
            .prop_map(|requests| requests.iter().flat_map(encode_request).collect()),
    ]
}

/// Writes on one stream after another, and reads what comes back to its end.
async fn writes(server: &Node, protocol: StreamProtocol, all: &[Vec<u8>]) {
    let (streams, task) = raw_streams_for(server, protocol, all.len()).await;
    for (mut stream, bytes) in streams.into_iter().zip(all) {
        // The server may have had enough before it is all written.
        let _ = stream.write_all(bytes).await;
        let _ = stream.close().await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(crate::common::PATIENCE, read)
            .await
            .expect("the stream stays open");
        // Nothing that we wrote names a blob that is there: at most "not found" in a byte, once for each request, or the time.
        assert!(answer.len() <= 8 + bytes.len() / REQUEST_HEAD);
    }
    task.abort();
}

#[tokio::test]
async fn a_server_survives_what_strangers_write() {
    let server = node().await;
    let bytes = content(100_000);
    let hash = server.store.put(&bytes).unwrap();
    let config = Config::default();
    let cases = config.cases.div_ceil(4);
    let mut runner = TestRunner::new(config);
    for _ in 0..cases {
        let all = prop::collection::vec(written(), 4)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        for protocol in [PROTOCOL, StreamProtocol::new("/hydra/time/1")] {
            writes(&server, protocol, &all).await;
        }
    }
    let friend = node().await;
    friend.connect(&server).await;
    let fetched = friend
        .net
        .fetch_bytes(hash, SizeRule::Exact(100_000), vec![])
        .await;
    assert!(fetched.unwrap() == bytes);
}
