//! Slices as hostile input: whatever isn't exactly the slice asked for is refused, and nothing panics.

use hydra_blobs::{
    BlobStore, GROUP_SIZE, H256, MAX_BLOB_SIZE, MAX_SLICE_SIZE, SliceError, SliceRange, VerifiedSlice,
    slice_len, slice_ranges,
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
        let decoded = VerifiedSlice::verify(name, size, range, slice).unwrap();
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
        let result = VerifiedSlice::verify(name, bytes.len() as u64, range, slice.clone());
        prop_assert!(matches!(result, Err(SliceError::Mismatch { .. })), "not refused");
    }

    #[test]
    fn too_short_and_too_long_slices_are_refused(
        (bytes, range) in blob_and_range(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (name, mut slice) = encode(&bytes, range);
        prop_assume!(!slice.is_empty());
        let short = slice[..cut.index(slice.len())].to_vec();
        let result = VerifiedSlice::verify(name, bytes.len() as u64, range, short);
        let short = matches!(result, Err(SliceError::WrongLength { .. }));
        prop_assert!(short);
        slice.push(0);
        let result = VerifiedSlice::verify(name, bytes.len() as u64, range, slice);
        let long = matches!(result, Err(SliceError::WrongLength { .. }));
        prop_assert!(long);
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
        prop_assert!(VerifiedSlice::verify(name, claimed, SliceRange::first(), slice).is_err());
    }
}

#[test]
fn the_layout_is_what_the_documentation_says() {
    // Three slices and a bit: the tree's root has two slices to the left.
    let size = 3 * MAX_SLICE_SIZE + 100;
    let bytes = content(size as usize);
    let cases = [
        (0, MAX_SLICE_SIZE, 2),
        (2 * MAX_SLICE_SIZE, MAX_SLICE_SIZE, 2),
        (3 * MAX_SLICE_SIZE, GROUP_SIZE, 2),
    ];
    for (offset, length, pairs) in cases {
        let range = SliceRange::new(offset, length).unwrap();
        let (name, slice) = encode(&bytes, range);
        let (proof, data) = slice.split_at(pairs * 64);
        let end = (offset + length).min(size) as usize;
        assert!(data == &bytes[offset as usize..end], "{offset}");
        // The root's pair comes first.
        let mut root: [[u8; 32]; 2] = Default::default();
        root[0].copy_from_slice(&proof[..32]);
        root[1].copy_from_slice(&proof[32..64]);
        let mode = blake3::hazmat::Mode::Hash;
        assert_eq!(
            blake3::hazmat::merge_subtrees_root(&root[0], &root[1], mode).as_bytes(),
            &name.0
        );
        assert_eq!(slice_len(size, range), Ok(slice.len()));
    }
    // What fits in one slice needs no proof.
    let (_, slice) = encode(&bytes[..20_000], SliceRange::first());
    assert!(slice == bytes[..20_000]);
}

#[test]
fn wrong_data_is_refused_and_said_to_be_where_it_is_known_to_be_wrong() {
    let bytes = content(4 * MAX_SLICE_SIZE as usize);
    let range = SliceRange::new(MAX_SLICE_SIZE, MAX_SLICE_SIZE).unwrap();
    let (name, slice) = encode(&bytes, range);
    let verify = |at: usize| {
        let mut slice = slice.clone();
        slice[at] ^= 1;
        VerifiedSlice::verify(name, bytes.len() as u64, range, slice).unwrap_err()
    };
    assert_eq!(verify(0), SliceError::Mismatch { offset: 0 }, "the root's pair");
    assert_eq!(
        verify(128),
        SliceError::Mismatch {
            offset: MAX_SLICE_SIZE
        },
        "the content"
    );
}

#[test]
fn an_impossible_size_is_refused_before_anything_is_allocated() {
    for size in [MAX_BLOB_SIZE + 1, u64::MAX] {
        let refused = VerifiedSlice::verify(H256::zero(), size, SliceRange::first(), Vec::new());
        assert_eq!(refused.err(), Some(SliceError::BlobTooLarge { size }));
        assert!(slice_ranges(size).is_err());
        assert!(slice_len(size, SliceRange::first()).is_err());
    }
    // Of the largest possible one, a slice has one path of the tree and its content.
    let len = slice_len(MAX_BLOB_SIZE, SliceRange::first()).unwrap();
    assert_eq!(len as u64, MAX_SLICE_SIZE + 20 * 64);
}
