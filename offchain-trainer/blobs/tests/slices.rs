//! Slices as hostile input: whatever isn't exactly the slice asked for is refused, and nothing panics.

use hydra_blobs::{
    BlobStore, GROUP_SIZE, H256, MAX_BLOB_SIZE, SliceDecoder, SliceError, SliceRange, slice_ranges,
};
use proptest::prelude::*;
use tempfile::TempDir;

fn content(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new()
        .update(b"slices")
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn encode(bytes: &[u8], range: SliceRange) -> (H256, Vec<u8>) {
    let dir = TempDir::new().unwrap();
    let store = BlobStore::open(dir.path()).unwrap();
    let name = store.put(bytes).unwrap();
    (name, store.encode_slice(name, range).unwrap().unwrap().bytes)
}

/// A blob of up to 40 groups and a range that starts in it.
fn blob_and_range() -> impl Strategy<Value = (Vec<u8>, SliceRange)> {
    (
        0usize..40 * GROUP_SIZE as usize,
        any::<prop::sample::Index>(),
        1u64..=64,
    )
        .prop_map(|(size, at, groups)| {
            let first = at.index(size.div_ceil(GROUP_SIZE as usize).max(1)) as u64;
            (
                content(size),
                SliceRange::new(first * GROUP_SIZE, groups * GROUP_SIZE).unwrap(),
            )
        })
}

/// They hash a lot: a quarter of the usual cases.
fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(4))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_slice_decodes_to_the_bytes_of_its_range((bytes, range) in blob_and_range()) {
        let (name, slice) = encode(&bytes, range);
        let size = bytes.len() as u64;
        let decoded = SliceDecoder::decode(name, size, range, &slice).unwrap();
        let start = range.offset() as usize;
        let end = (start + range.length() as usize).min(bytes.len());
        prop_assert_eq!(decoded.data(), &bytes[start..end]);
        prop_assert_eq!(decoded.offset(), range.offset());
        prop_assert_eq!(decoded.proves_size(), end == bytes.len());
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused(
        (bytes, range) in blob_and_range(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let (name, mut slice) = encode(&bytes, range);
        prop_assume!(!slice.is_empty());
        let at = at.index(slice.len());
        slice[at] ^= 1 << bit;
        let result = SliceDecoder::decode(name, bytes.len() as u64, range, &slice);
        prop_assert!(matches!(result, Err(SliceError::Mismatch { .. })), "not refused");
    }

    #[test]
    fn too_short_and_too_long_slices_are_refused(
        (bytes, range) in blob_and_range(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (name, mut slice) = encode(&bytes, range);
        prop_assume!(!slice.is_empty());
        let short = &slice[..cut.index(slice.len())];
        let result = SliceDecoder::decode(name, bytes.len() as u64, range, short);
        prop_assert!(matches!(result, Err(SliceError::Unfinished)));
        slice.push(0);
        let result = SliceDecoder::decode(name, bytes.len() as u64, range, &slice);
        prop_assert!(matches!(result, Err(SliceError::TrailingBytes)));
    }

    #[test]
    fn a_wrong_size_is_refused_at_the_last_group_at_the_latest(
        size in 0u64..40 * GROUP_SIZE,
        claimed in 0u64..40 * GROUP_SIZE,
    ) {
        prop_assume!(size != claimed);
        let bytes = content(size as usize);
        // What the liar sends is cut from the real blob; it can't prove the claimed size with it.
        let (name, slice) = encode(&bytes, SliceRange::first());
        prop_assert!(SliceDecoder::decode(name, claimed, SliceRange::first(), &slice).is_err());
    }
}

#[test]
fn wrong_data_is_refused_at_the_first_bad_group() {
    let bytes = content(64 * GROUP_SIZE as usize);
    let (name, mut slice) = encode(&bytes, SliceRange::first());
    // The sixth hash pair from the root ends at 384; the first group lies right behind it.
    slice[384] ^= 1;
    let mut decoder = SliceDecoder::new(name, bytes.len() as u64, SliceRange::first()).unwrap();
    let mut fed = 0;
    let error = loop {
        let wants = decoder.wants().unwrap();
        fed += wants;
        if let Err(error) = decoder.feed(&slice[fed - wants..fed]) {
            break error;
        }
    };
    assert_eq!(error, SliceError::Mismatch { offset: 0 });
    assert_eq!(fed, 384 + GROUP_SIZE as usize);
}

#[test]
fn the_decoder_wants_exactly_what_it_asked_for() {
    let bytes = content(GROUP_SIZE as usize);
    let (name, slice) = encode(&bytes, SliceRange::first());
    let mut decoder = SliceDecoder::new(name, GROUP_SIZE, SliceRange::first()).unwrap();
    assert_eq!(
        decoder.feed(&slice[1..]),
        Err(SliceError::WrongLength {
            wanted: slice.len(),
            got: slice.len() - 1
        })
    );
    decoder.feed(&slice).unwrap();
    assert_eq!(decoder.wants(), None);
    assert_eq!(decoder.feed(&[]), Err(SliceError::TrailingBytes));
    assert_eq!(decoder.finish().unwrap().data(), bytes);

    let unfinished = SliceDecoder::new(name, GROUP_SIZE, SliceRange::first()).unwrap();
    assert!(matches!(unfinished.finish(), Err(SliceError::Unfinished)));
}

#[test]
fn an_impossible_size_is_refused_before_anything_is_allocated() {
    for size in [MAX_BLOB_SIZE + 1, u64::MAX] {
        let refused = SliceDecoder::new(H256::zero(), size, SliceRange::first());
        assert_eq!(refused.err(), Some(SliceError::BlobTooLarge { size }));
        assert!(slice_ranges(size).is_err());
    }
    // The largest possible one costs nothing until data arrives that belongs to it.
    let decoder = SliceDecoder::new(H256::zero(), MAX_BLOB_SIZE, SliceRange::first()).unwrap();
    assert_eq!(decoder.wants(), Some(64));
}
